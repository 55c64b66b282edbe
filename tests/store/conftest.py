from __future__ import annotations

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


@pytest.fixture(params=[".zarr", ".h5"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"store{request.param}"
