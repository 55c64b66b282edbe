from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import files


class UnsyncedFileSystem(files.FileSystem):
    """Leaves out the waiting for the disk, which only a loss of power would tell from the real thing."""

    def sync(self, path: Path) -> None:
        path.stat()

    def sync_descriptor(self, descriptor: int) -> None:
        pass


@pytest.fixture(autouse=True)
def _unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "system", UnsyncedFileSystem())


@pytest.fixture
def fast_folder(tmp_path: Path) -> Iterator[Path]:
    """Give a folder in memory where there is one: tests that write a store hundreds of times need no disk."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own inside
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture(params=[".zarr", ".h5"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"store{request.param}"
