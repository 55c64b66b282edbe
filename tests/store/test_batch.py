"""Files that are written one by one and appear together."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from store import files
from store.batch import Batch, UnsyncedBatch
from store.testing import FullFileSystem


class SlowFileSystem(files.FileSystem):
    """Syncs only when it is allowed to; notes what was synced and renamed, in order."""

    def __init__(self) -> None:
        self.allowed = threading.Event()
        self.done: list[str] = []

    def sync(self, path: Path) -> None:
        self.allowed.wait(10)
        self.done.append(f"sync {path.name}")

    def replace(self, source: Path, target: Path) -> None:
        super().replace(source, target)
        self.done.append(f"rename {target.name}")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowFileSystem:
    system = SlowFileSystem()
    monkeypatch.setattr(files, "system", system)
    return system


@pytest.mark.parametrize("later", [False, True])
def test_files_get_their_names_after_every_one_was_synced(tmp_path: Path, slow: SlowFileSystem, *, later: bool) -> None:
    batch, paths = Batch(), [tmp_path / name for name in ("a", "b", "c")]
    contents = {path: [path.name.encode(), b"!"] for path in paths}
    if later:
        batch.write_later(contents)
    else:
        for path, parts in contents.items():
            batch.write(path, parts)
    assert not any(path.exists() for path in paths)
    slow.allowed.set()
    batch.publish()
    assert [path.read_bytes() for path in paths] == [b"a!", b"b!", b"c!"]
    assert sorted(slow.done[:3]) == ["sync a.partial", "sync b.partial", "sync c.partial"]
    assert slow.done[3:] == ["rename a", "rename b", "rename c", f"sync {tmp_path.name}"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_a_file_written_twice_is_the_second_one(tmp_path: Path) -> None:
    batch = Batch()
    for number in range(20):
        batch.write_later({tmp_path / "a": [b"%d" % number * 1000], tmp_path / str(number): [b"x"]})
    batch.publish()
    assert (tmp_path / "a").read_bytes() == b"19" * 1000


def test_nothing_is_written_after_a_batch_was_dropped(tmp_path: Path, slow: SlowFileSystem) -> None:
    batch = Batch()
    for number in range(50):
        batch.write_later({tmp_path / str(number): [b"x"]})
    slow.allowed.set()
    left = batch.drop()
    there = set(tmp_path.iterdir())
    assert there <= set(left)
    batch.publish()
    assert set(tmp_path.iterdir()) == there


def test_an_error_in_a_thread_is_raised_before_anything_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "system", FullFileSystem(3))
    batch = Batch()
    for name in ("a", "b", "c"):
        batch.write_later({tmp_path / name: [b"x"]})
    with pytest.raises(OSError, match="No space left on device"):
        batch.publish()
    batch.drop()
    assert not any((tmp_path / name).exists() for name in ("a", "b", "c"))


def test_without_syncs_names_come_in_the_same_order(tmp_path: Path, slow: SlowFileSystem) -> None:
    batch = UnsyncedBatch()
    batch.write(tmp_path / "a", [b"1"])
    batch.write_later({tmp_path / "b": [b"2"], tmp_path / "c": [b"3"]})
    batch.write(tmp_path / "a", [b"4"])
    assert not any((tmp_path / name).exists() for name in ("a", "b", "c"))
    batch.publish(first=tmp_path / "c")
    batch.write_after(tmp_path / "d", [b"5"])
    assert slow.done == ["rename c", "rename a", "rename b", "rename d"]
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [b"4", b"2", b"3", b"5"]
    batch.write(tmp_path / "e", [b"6"])
    assert set(batch.drop()) == set(tmp_path.iterdir()) - {tmp_path / name for name in ("a", "b", "c", "d")}
    batch.publish()
    assert not (tmp_path / "e").exists()
