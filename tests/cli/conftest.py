from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from har_files import write_har

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def error_line(self) -> str:
        """Return the one line on stderr that a user sees."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0]


Functa = Callable[..., Outcome]


@pytest.fixture(scope="session")
def functa() -> Functa:
    """Return a function that runs the real command in a process of its own."""

    def run(*arguments: object, cwd: Path | None = None, **limits: Any) -> Outcome:
        command = [sys.executable, "-c", "from cli.main import main; main()", *map(str, arguments)]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=280, **limits)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def har(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_har(tmp_path_factory.mktemp("har"))


def flip_a_byte(store: Path) -> None:
    """Damage one byte in the middle of a Zarr store's functas."""
    chunks = (path for path in (store / "functas").rglob("*") if path.is_file())
    chunk = max(chunks, key=lambda path: path.stat().st_size)
    content = bytearray(chunk.read_bytes())
    content[2000] ^= 1
    chunk.write_bytes(content)


ENCODE = ("--modality", "sensor", "--dataset", "uci-har", "--architecture", "paper-half", "--workers", "1")


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
