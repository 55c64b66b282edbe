from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.har_files import write_har
from helpers.running import ENCODE, ROOT, Functa, Outcome
from typer.testing import CliRunner

from cli.main import app


@pytest.fixture(scope="session")
def functa() -> Functa:
    """Return a function that runs the command in this process, which saves its start."""
    runner = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})

    def run(*arguments: object, cwd: Path | None = None) -> Outcome:
        with contextlib.chdir(cwd or Path.cwd()):
            done = runner.invoke(app, [str(argument) for argument in arguments])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Outcome(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def functa_process() -> Functa:
    """Return a function that runs the command in a process of its own, where that is the point."""

    def run(*arguments: object, cwd: Path | None = None, **limits: Any) -> Outcome:
        command = [sys.executable, "-c", "from cli.main import main; main()", *map(str, arguments)]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=280, **limits)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def har(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_har(tmp_path_factory.mktemp("har"))


@pytest.fixture(scope="session")
def har_store(functa: Functa, har: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("store") / "har.zarr"
    assert functa("encode", har, "--store", store, *ENCODE).code == 0
    return store


@pytest.fixture(scope="session")
def har_model(functa: Functa, har_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = tmp_path_factory.mktemp("model") / "m"
    assert functa("train", har_store, "--model", model, "--rounds", 10, "--threads", 1).code == 0
    return model
