"""What a machine offers and lacks is told with what to do, and nothing raises."""

from __future__ import annotations

import errno
import fcntl
from pathlib import Path

import pytest

from fusion.bench import Finding, examine
from fusion.bench import doctor as module


def found(folder: Path) -> dict[str, Finding]:
    return {one.name: one for one in examine(folder)}


def test_a_sound_machine_has_nothing_to_do_and_nothing_is_left_behind(tmp_path: Path) -> None:
    names = found(tmp_path)
    assert {"python", "numpy", "cores", "device", "locks", "folders are synced", "extra dask"} <= names.keys()
    assert names["numpy"].ok
    assert names["locks"] == Finding("locks", "held by the file system")
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    one = found(tmp_path)["locks"]
    assert not one.ok
    assert "No locks available" in one.value
    assert "one process" in one.advice


def test_a_cache_that_cannot_be_written_is_told_with_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    assert found(tmp_path)["compiled code is kept in"].ok
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    one = found(tmp_path)["compiled code is kept in"]
    assert not one.ok
    assert "NUMBA_CACHE_DIR" in one.advice


def test_missing_libraries_and_folders_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LIBRARIES", ("no-such-library",))
    names = found(tmp_path / "nowhere")
    assert names["no-such-library"] == Finding("no-such-library", "not installed", False, "pip install no-such-library")
    assert not names["folder"].ok
    assert "--folder" in names["folder"].advice
