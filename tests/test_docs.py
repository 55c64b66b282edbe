"""What the pages of docs/ tell to type: every command in their boxes runs, and those in their sentences exist."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from helpers import docs_files
from helpers.pages import boxes, commands, page, run_in_order, write_settings
from helpers.readme_files import write_readme_files
from helpers.running import ROOT

from cli.main import app

PAGES = sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
FILES: dict[str, Callable[[Path], Any]] = {
    "docs/choosing.md": docs_files.choosing,
    "docs/explaining.md": docs_files.explaining,
    "docs/fusion.md": docs_files.fusion,
    "docs/index.md": docs_files.index,
    "docs/interchange.md": docs_files.interchange,
    "docs/local-functas.md": docs_files.local_functas,
    "docs/own-files.md": docs_files.own_files,
    "docs/predicting.md": write_readme_files,
    "docs/public-data.md": write_readme_files,
    "docs/python.md": write_readme_files,
    "docs/python-data.md": docs_files.python_data,
    "docs/python-encoding.md": docs_files.nothing,
    "docs/python-models.md": docs_files.nothing,
    "docs/python-store.md": docs_files.nothing,
    "docs/scaling.md": docs_files.scaling,
    "docs/sensor-tables.md": docs_files.sensor_tables,
    "docs/settings.md": write_readme_files,
}
IN_PYTHON = tuple(f"docs/python-{what}.md" for what in ("data", "encoding", "models", "store"))
SLOW = dict.fromkeys(
    ("docs/local-functas.md", "docs/own-files.md", "docs/scaling.md", *IN_PYTHON[:3]), pytest.mark.slow
)
WITH_PYTHON = {"docs/explaining.md", "docs/index.md", "docs/interchange.md", "docs/python.md", *IN_PYTHON}
"""Pages whose Python runs after their commands."""
ELSEWHERE = {
    "docs/columns-and-vectors.md": "tests/cli/test_columns_and_vectors.py",
    "docs/tasks.md": "tests/cli/test_tasks.py",
}
"""Pages that a test of their own runs."""
COMMAND: Any = typer.main.get_command(app)
INLINE = re.compile(r"`(functa [^`]+)`")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    return tmp_path


@pytest.mark.parametrize("name", [pytest.param(name, marks=SLOW.get(name, ())) for name in FILES])
def test_a_page_s_commands_run_in_order(name: str, folder: Path) -> None:
    text = page(name)
    FILES[name](folder)
    write_settings(text, folder)
    run_in_order(commands(text), folder)
    if name in WITH_PYTHON:
        with contextlib.chdir(folder):
            for script in boxes(text, "python"):
                exec(compile(script, name, "exec"), {})  # noqa: S102


STORE_PAGE = "docs/store-format.md"


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores")
    docs_files.store_format(folder)
    return folder


@pytest.mark.parametrize("script", boxes(page(STORE_PAGE), "python"), ids=lambda script: script.splitlines()[0])
def test_its_python_reads_a_store_without_this_package(stores: Path, script: str) -> None:
    for name in re.findall(r"^import (\w+)", script, flags=re.MULTILINE):
        pytest.importorskip(name)
    with contextlib.chdir(stores):
        exec(compile(script, STORE_PAGE, "exec"), {})  # noqa: S102


def test_the_python_of_choosing_runs(folder: Path) -> None:
    pytest.importorskip("skops")
    docs_files.choosing(folder)
    with contextlib.chdir(folder):
        for script in boxes(page("docs/choosing.md"), "python"):
            exec(compile(script, "docs/choosing.md", "exec"), {})  # noqa: S102


@pytest.mark.parametrize("name", PAGES)
def test_a_page_with_commands_is_among_those(name: str) -> None:
    text = page(name)
    assert not commands(text) or name in FILES or (ROOT / ELSEWHERE[name]).exists()
    shown = "".join(boxes(text, "sh") + boxes(text, "text"))
    for line in re.findall(rf"^ *functa (?:{'|'.join(COMMAND.commands)}) .*", text, flags=re.MULTILINE):
        assert line in shown, f"in no box for commands: {line}"


@pytest.mark.parametrize("name", ["README.md", *PAGES])
def test_commands_and_options_in_its_sentences_exist(name: str) -> None:
    for line in {" ".join(found.split()) for found in INLINE.findall(page(name))}:
        known = options_of(line)
        for word in re.findall(r"(?<= )--[a-z-]+", line):
            assert word in known, f"{line}: no option {word}; there are {sorted(known)}"


def options_of(line: str) -> set[str]:
    """Options of the command that a line begins with."""
    command = COMMAND
    for word in line.split()[1:]:
        if word.startswith("--") and command is COMMAND:
            continue
        if not hasattr(command, "commands") or word in ("...", "COMMAND"):
            break
        assert word in command.commands, f"{line}: no command {word}; there are {sorted(command.commands)}"
        command = command.commands[word]
    found = [*COMMAND.params, *command.params]
    return {"--help", *(option for parameter in found for option in parameter.opts)}
