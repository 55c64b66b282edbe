"""Pages of documentation: their boxes, the `functa` commands in them, and a way to run those in order."""

from __future__ import annotations

import contextlib
import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app
from helpers.running import ROOT


def page(name: str) -> str:
    return (ROOT / name).read_text()


def boxes(text: str, language: str) -> list[str]:
    """Contents of the boxes fenced as one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """Lines of the shell boxes that run `functa`, continued lines as one, without comments."""
    lines = "\n".join(boxes(text, "sh")).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("functa ")]


def write_settings(text: str, folder: Path) -> None:
    """Write the TOML boxes whose first line names a file."""
    for box in boxes(text, "toml"):
        name = box.splitlines()[0].removeprefix("# ")
        if name.endswith(".toml"):
            (folder / name).write_text(box)


def run_in_order(lines: list[str], folder: Path) -> None:
    """Run commands in this process, since starts of commands are tested elsewhere; each has to end well."""
    with contextlib.chdir(folder):
        for line in lines:
            done = CliRunner().invoke(app, shlex.split(line, comments=True)[1:])
            assert done.exit_code == 0, f"{line}: {done.output} {done.exception!r}"
