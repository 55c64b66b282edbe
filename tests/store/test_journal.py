"""A journal belongs to one file in one state; beside any other it is set aside and nothing is written."""

from __future__ import annotations

import errno
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import google_crc32c
import pytest

from store import StoreError, StoreWarning, compact, files, open_store, repair, rows_equal
from store.journal import Journal, journal_path, pack_journal, unpack_journal
from store.testing import Crash, CrashingFileSystem, make_rows, new_store, numbered

BEFORE, ADDED = make_rows(numbered(0, 6)), make_rows(numbered(6, 11), seed=1)


def filled(path: Path, count: int = 6, seed: int = 0) -> Path:
    with new_store(path) as store:
        store.append(make_rows(numbered(0, count), seed=seed))
    return path


def add(path: Path, operations: int) -> None:
    working, files.system = files.system, CrashingFileSystem(operations)
    try:
        with open_store(path, "a") as store:
            store.append(ADDED)
    except Crash:
        pass
    finally:
        files.system = working


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A file whose writer was killed, with its journal."""
    folder = tmp_path / "killed"
    folder.mkdir()
    path = filled(folder / "store.h5")
    for operations in range(60):
        add(path, operations)
        if journal_path(path).exists():
            return path
    raise AssertionError


def other_store(path: Path) -> None:
    filled(path.with_name("another.h5"), 40, seed=7).replace(path)


def older_copy(path: Path) -> None:
    """The same store as it was several commits before."""
    with open_store(path.with_name("copy.h5"), "a") as store:
        store.delete(["sample-0"])
    path.with_name("copy.h5").replace(path)


def newer_copy(path: Path) -> None:
    copy = path.with_name("copy.h5")
    for number in range(3):
        with open_store(copy, "a") as store:
            store.append(make_rows([f"late-{number}"]))
    copy.replace(path)


@pytest.mark.parametrize("open_it", [lambda path: open_store(path, "a").close(), repair, compact])
@pytest.mark.parametrize("put", [other_store, older_copy, newer_copy])
def test_a_journal_is_not_laid_over_another_file(
    killed: Path, put: Callable[[Path], None], open_it: Callable[[Path], object]
) -> None:
    shutil.copyfile(killed, killed.with_name("copy.h5"))
    shutil.copyfile(journal_path(killed), journal_path(killed.with_name("copy.h5")))
    put(killed)
    stale = journal_path(killed).read_bytes()
    with pytest.warns(StoreWarning, match="does not go with"):
        seen = open_store(killed).read()
    with pytest.warns(StoreWarning, match=r"does not go with .*is now .*\.journal\.aside.* was not changed"):
        open_it(killed)
    assert not journal_path(killed).exists()
    assert killed.with_name(".store.h5.journal.aside").read_bytes() == stale
    store = open_store(killed)
    assert store.verify().ok
    assert rows_equal(store.read(), seen)


def test_the_file_is_not_touched_at_all(killed: Path) -> None:
    other_store(killed)
    before = killed.read_bytes()
    with pytest.warns(StoreWarning):
        open_store(killed, "a").close()
    assert killed.read_bytes() == before


def test_a_journal_is_replayed_over_every_state_on_the_way(fast_folder: Path) -> None:
    replayed, before = 0, filled(fast_folder / "before.h5").read_bytes()
    for operations in range(60):
        path = fast_folder / f"{operations}.h5"
        path.write_bytes(before)
        add(path, operations)
        waiting = journal_path(path).exists()
        with open_store(path, "a") as store:
            assert store.n_rows in (6, 8, 11)
            replayed += waiting
            assert not waiting or store.n_rows > 6
        assert open_store(path).verify().ok
    assert replayed > 3


def as_written_by_1_0(journal: Journal) -> bytes:
    parts = [struct.pack("<8sQQ", b"FUNCTAJ1", journal.size, len(journal.pages))]
    for offset in sorted(journal.pages):
        parts += [struct.pack("<QQ", offset, len(journal.pages[offset])), bytes(journal.pages[offset])]
    body = b"".join(parts)
    return body + struct.pack("<I", google_crc32c.value(body))


def test_a_journal_of_format_1_0_is_replayed_over_its_own_file_only(killed: Path) -> None:
    journal = unpack_journal(journal_path(killed).read_bytes())
    assert journal is not None
    journal_path(killed).write_bytes(as_written_by_1_0(journal))
    copy = killed.with_name("copy.h5")
    filled(copy, 40, seed=7)
    shutil.copyfile(journal_path(killed), journal_path(copy))
    open_store(killed, "a").close()
    assert open_store(killed).n_rows > 6
    with pytest.warns(StoreWarning, match="does not go with"):
        open_store(copy, "a").close()
    assert open_store(copy).n_rows == 40


def test_a_journal_comes_back_as_it_was_packed() -> None:
    journal = Journal(
        9000,
        {0: bytearray(b"new"), 4096: bytearray(b"xy")},
        {0: bytearray(b"old"), 4096: bytearray(b"ab")},
        "ab" * 32,
        7,
    )
    packed = pack_journal(journal)
    assert unpack_journal(packed) == journal
    for at in range(len(packed)):
        assert unpack_journal(packed[:at] + bytes([packed[at] ^ 4]) + packed[at + 1 :]) is None
    assert unpack_journal(b"") is None


@pytest.mark.parametrize("count", [10**6, 2**63])
def test_a_journal_that_promises_more_than_it_has(count: int) -> None:
    body = struct.pack("<8s32sQQQ", b"FUNCTAJ2", b"", 1, 8192, count)
    assert unpack_journal(body + struct.pack("<I", google_crc32c.value(body))) is None


def test_a_failed_early_sync_fails_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system tells a descriptor of a failed write once, so nobody may swallow it."""
    path = filled(tmp_path / "s.h5")

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("store.journal._EARLY_BYTES", 1)
        patch.setattr("store.journal.os.fsync", broken)
        patch.setattr(files.FileSystem, "sync_descriptor", lambda *_: None)
        with pytest.raises(StoreError, match="Input/output error"), open_store(path, "a") as store:
            store.append(make_rows(numbered(6, 300), seed=1))
    with open_store(path) as store:
        assert rows_equal(store.read(numbered(0, 6)), BEFORE)
        assert len(store) < 20
