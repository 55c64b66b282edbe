from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from har_files import write_har

from fusion.datasets.uci_har import UciHar

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands() -> list[str]:
    return [line for block in blocks("sh") for line in block.splitlines() if line.startswith("functa ")]


def run(arguments: list[str], cwd: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, f"{arguments}: {done.stderr}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    har = write_har(folder)
    np.savetxt(folder / "new-window.csv", next(iter(UciHar(har))).raw, delimiter=",")
    (settings,) = blocks("toml")
    (folder / settings.splitlines()[0].removeprefix("# ")).write_text(settings)
    return folder


def test_its_commands_run_in_order(folder: Path) -> None:
    assert len(commands()) >= 9
    for command in commands():
        run(["-c", "from cli.main import main; main()", *shlex.split(command)[1:]], folder)


def test_its_python_runs(folder: Path, tmp_path: Path) -> None:
    for number, script in enumerate(blocks("python")):
        (tmp_path / f"{number}.py").write_text(script)
        run([str(tmp_path / f"{number}.py")], folder)


def test_the_two_commands_are_where_the_checks_look_for_them() -> None:
    two = [line for line in README.splitlines() if line.startswith("pip install ")]
    assert two == ["pip install . && functa demo", "pip install '.[test]' && pytest"]
    assert "readme_command 1" in (ROOT / ".ci" / "run").read_text()


def test_every_file_it_names_exists() -> None:
    for target in re.findall(r"\]\(((?!http)[^)]+)\)", README):
        assert (ROOT / target).exists(), target
