from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.pages import boxes, commands, page, run_in_order, write_settings
from helpers.readme_files import write_readme_files

ROOT = Path(__file__).parents[1]
README = page("README.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    write_readme_files(folder)
    write_settings(README, folder)
    return folder


def test_its_commands_run_in_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert len(commands(README)) >= 12
    run_in_order(commands(README), folder)


def test_its_python_runs(folder: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2"}
    for number, script in enumerate(boxes(README, "python")):
        (tmp_path / f"{number}.py").write_text(script)
        command = [sys.executable, str(tmp_path / f"{number}.py")]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stderr


def test_the_two_commands_are_where_the_checks_look_for_them() -> None:
    two = [line for line in README.splitlines() if line.startswith("pip install ")]
    assert two == ["pip install . && functa demo", "pip install '.[test]' && pytest"]
    assert "readme_command 1" in (ROOT / ".ci" / "run").read_text()


def test_it_is_read_in_a_few_minutes() -> None:
    assert len(README.splitlines()) <= 150


def test_every_file_it_names_exists() -> None:
    headings = {re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-") for line in README.splitlines()}
    for target in re.findall(r"\]\(((?!http)[^)]+)\)", README):
        assert target.removeprefix("#") in headings if target.startswith("#") else (ROOT / target).exists(), target
