"""A store is the file, by whatever name it is reached; and nobody makes one where another one is."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from store import (
    StoreError,
    StoreLockedError,
    StoreWarning,
    compact,
    convert,
    formats,
    merge,
    open_store,
    portable,
    repair,
    rows_equal,
)
from store.journal import journal_path
from store.testing import Crash, CrashingFileSystem, make_rows, new_store, numbered

ROWS = make_rows(numbered(0, 9))


@pytest.fixture
def filled(path: Path) -> Path:
    with new_store(path) as store:
        store.append(ROWS)
        store.append(ROWS.take([3]))
    return path


def linked(path: Path, folder: Path) -> Path:
    folder.mkdir()
    link = folder / f"link{path.suffix}"
    link.symlink_to(path)
    return link


OPEN = """
import sys
from store import open_store, StoreLockedError
try:
    open_store(sys.argv[1], "a").close()
except StoreLockedError as error:
    print("locked", error)
else:
    print("open")
"""


def open_elsewhere(path: Path) -> str:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    command = [sys.executable, "-c", OPEN, str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


@pytest.mark.parametrize("first", ["name", "link"])
def test_a_store_opened_by_a_link_is_locked_for_its_name_and_the_other_way_round(
    filled: Path, tmp_path: Path, first: str
) -> None:
    names = {"name": filled, "link": linked(filled, tmp_path / "links")}
    second = names["link" if first == "name" else "name"]
    with open_store(names[first], "a") as store:
        with pytest.raises(StoreLockedError, match=r"written to by process \d+"):
            open_store(second, "a")
        assert open_elsewhere(second).startswith("locked")
        store.append(make_rows(["more"]))
    assert len(open_store(second)) == 10


def test_a_second_name_of_a_file_is_locked_too_and_never_written_through(tmp_path: Path) -> None:
    path, other = tmp_path / "store.h5", tmp_path / "other.h5"
    with new_store(path) as store:
        other.hardlink_to(path)
        with pytest.raises(StoreLockedError, match="another process, or under another name"):
            open_store(other, "a")
        assert open_elsewhere(other).startswith("locked")
        store.append(ROWS)
    assert len(open_store(other)) == 9
    for action in (lambda: open_store(other, "a"), lambda: compact(path), lambda: repair(other)):
        with pytest.raises(StoreError, match=r"has 2 names \(hard links\).*Make a copy"):
            action()
    other.unlink()
    open_store(path, "a").close()


def test_the_journal_lies_beside_the_file_and_not_beside_the_link(tmp_path: Path) -> None:
    path = tmp_path / "store.h5"
    with new_store(path) as store:
        store.append(ROWS)
    link = linked(path, tmp_path / "links")
    for operations in range(40):
        try_to_append(link, operations)
        if journal_path(path).exists():
            break
    assert journal_path(path).exists()
    assert {entry.name for entry in link.parent.iterdir()} == {link.name}


def try_to_append(path: Path, operations: int) -> None:
    from store import files

    working, files.system = files.system, CrashingFileSystem(operations)
    try:
        with open_store(path, "a") as store:
            store.append(make_rows(["more"]))
    except Crash:
        pass
    finally:
        files.system = working


@pytest.mark.parametrize("rewrite", [compact, repair])
def test_rewriting_by_a_link_rewrites_the_store(
    filled: Path, tmp_path: Path, rewrite: Callable[[Path], object]
) -> None:
    link = linked(filled, tmp_path / "links")
    for _ in range(2):
        rewrite(link)
        assert link.is_symlink()
        assert link.readlink() == filled
        assert {entry.name for entry in link.parent.iterdir()} == {link.name}
        leftovers = {entry.name for entry in filled.parent.iterdir()} - {filled.name, "links", f".{filled.name}.lock"}
        assert leftovers == set()
    assert open_store(filled).n_rows == (9 if rewrite is compact else 10)
    assert len(open_store(filled)) == 9


def test_a_new_store_is_made_where_a_link_leads(path: Path, tmp_path: Path) -> None:
    link = linked(path, tmp_path / "links")
    new_store(link).close()
    assert link.is_symlink()
    assert len(open_store(path)) == 0


def test_a_network_file_system_that_locks_no_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "store.zarr"
    flock = portable.fcntl.flock

    def files_only(descriptor: int, how: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EBADF, "Bad file descriptor")
        flock(descriptor, how)

    monkeypatch.setattr("store.portable.fcntl.flock", files_only)
    with new_store(path) as store:
        store.append(ROWS)
        with pytest.raises(StoreLockedError):
            open_store(path, "a")
    assert len(open_store(path)) == 9


def test_links_in_a_circle(tmp_path: Path) -> None:
    one, two = tmp_path / "one.zarr", tmp_path / "two.zarr"
    one.symlink_to(two)
    two.symlink_to(one)
    for action in (lambda: open_store(one), lambda: open_store(one, "a"), lambda: new_store(one), lambda: repair(one)):
        with pytest.raises(StoreError, match=r"there is no store at|Not a directory|levels of symbolic links"):
            action()


@pytest.mark.parametrize("make", ["create", "merge", "convert"])
def test_a_store_that_appears_while_one_is_made_is_kept(
    filled: Path, tmp_path: Path, make: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process makes one after the path was found free, and lets go before the lock is asked for."""
    target = tmp_path / f"target{filled.suffix}"
    theirs = make_rows(["theirs"])
    lock = formats.StoreLock

    def lose_the_race(path: Path) -> object:
        monkeypatch.undo()
        with new_store(target) as store:
            store.append(theirs)
        return lock(path)

    monkeypatch.setattr("store.formats.StoreLock", lose_the_race)
    monkeypatch.setattr("store.maintenance.StoreLock", lose_the_race)
    actions = {
        "create": lambda: new_store(target),
        "merge": lambda: merge([filled], target),
        "convert": lambda: convert(filled, target),
    }
    with pytest.raises(StoreError, match="exists already"):
        actions[make]()
    assert rows_equal(open_store(target).read(), theirs)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, 524])
def test_a_file_system_without_locks(filled: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("store.portable.fcntl.flock", refuse)
    with pytest.warns(StoreWarning, match="has no locks .* stands for one"):
        store = open_store(filled, "a")
    with pytest.raises(StoreLockedError, match=r"by process \d+ .*If that process is gone, delete .*softlock"):
        open_store(filled, "a")
    store.append(make_rows(["more"]))
    store.close()
    with pytest.warns(StoreWarning, match="has no locks"):
        open_store(filled, "a").close()
    assert len(open_store(filled)) == 10
    assert not list(filled.parent.glob(".*softlock"))
