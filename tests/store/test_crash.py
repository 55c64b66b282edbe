"""A crash at every file operation of everything that writes: what was acknowledged is there, and the work can go on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from store import Rows, StoreError, compact, files, merge, open_store
from store.journal import Journal, journal_path, pack_journal
from store.testing import (
    Crash,
    CrashingFileSystem,
    FullFileSystem,
    PowerLossFileSystem,
    make_rows,
    new_store,
    numbered,
)

BEFORE = make_rows(numbered(0, 6))
ADDED = make_rows(numbered(6, 11), seed=1)
CHANGED = make_rows(["sample-1", "sample-7"], seed=2)

Expected = dict[str, Rows]
Action = Callable[[Path, Expected], None]


def by_id(rows: Rows) -> Expected:
    return {name: rows.take([i]) for i, name in enumerate(rows.ids)}


def write(path: Path, acknowledged: Expected) -> None:
    with open_store(path, "a") as store:
        store.append(ADDED.take(slice(0, 4)))
        store.commit()
        acknowledged |= by_id(ADDED.take(slice(0, 4)))
        store.append(ADDED.take([4]))
    acknowledged |= by_id(ADDED.take([4]))


def upsert(path: Path, acknowledged: Expected) -> None:
    with open_store(path, "a") as store:
        store.append(CHANGED)
        store.commit()
    acknowledged |= by_id(CHANGED)


def add_column(path: Path, acknowledged: Expected) -> None:
    with open_store(path, "a") as store:
        store.add_column("age", {})


def rewrite(path: Path, acknowledged: Expected) -> None:
    compact(path)


def join(path: Path, acknowledged: Expected) -> None:
    merge([path, path.with_name(f"other{path.suffix}")], path.with_name(f"both{path.suffix}"))


@pytest.fixture
def base(path: Path, fast_folder: Path) -> Path:
    base = fast_folder / "base" / path.name
    base.parent.mkdir()
    with new_store(base) as store:
        store.append(BEFORE)
        store.append(BEFORE.take([2]))
    return base


def crash_at(n: int, action: Action, path: Path, system: files.FileSystem) -> tuple[Expected, bool]:
    """Run an action on a disk that fails; return what it acknowledged, and whether it came to its end."""
    acknowledged = by_id(BEFORE)
    working, files.system = files.system, system
    try:
        action(path, acknowledged)
    except Crash:
        return acknowledged, False
    finally:
        files.system = working
    return acknowledged, True


def check(path: Path, acknowledged: Expected) -> None:
    """Everything acknowledged is there and equal; everything else there was really appended."""
    possible = [by_id(rows) for rows in (BEFORE, ADDED, CHANGED)]
    store = open_store(path)
    found = store.read()
    assert set(acknowledged) <= set(found.ids)
    for i, name in enumerate(found.ids):
        row = Rows.build([name], found.functas[[i]])
        candidates = [rows[name] for rows in possible if name in rows]
        assert any(np.array_equal(row.functas, other.functas) for other in candidates), name
    assert all(np.isin(acknowledged[n].functas, store.get(n).functas).all() or n in CHANGED.ids for n in acknowledged)


def copy(base: Path, target: Path) -> Path:
    target.mkdir()
    shutil.copytree(base.parent, target, dirs_exist_ok=True)
    return target / base.name


def leftovers(path: Path) -> set[str]:
    return {entry.name for entry in path.parent.iterdir() if not entry.name.endswith(".lock")} - {path.name}


EVERY = [17, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])]


@pytest.mark.parametrize("step", EVERY)
@pytest.mark.parametrize("action", [write, upsert, add_column, rewrite])
def test_crash_at_every_file_operation(base: Path, action: Action, step: int) -> None:
    for n in range(1000000):
        path = copy(base, base.parent.parent / "run")
        acknowledged, completed = crash_at(n * step, action, path, CrashingFileSystem(n * step))
        check(path, acknowledged)
        resumed = dict(acknowledged)
        if action is add_column and open_store(path).info()["extra"]:
            open_store(path, "a").close()
        else:
            action(path, resumed)
        check(path, resumed)
        assert open_store(path).verify().ok
        assert not leftovers(path), n * step
        shutil.rmtree(path.parent)
        if completed:
            break
    assert n > 1


@pytest.mark.parametrize("step", EVERY)
def test_crash_at_every_file_operation_of_merge(base: Path, step: int) -> None:
    with new_store(base.with_name(f"other{base.suffix}")) as store:
        store.append(ADDED)
    for n in range(1000000):
        path = copy(base, base.parent.parent / "run")
        both = path.with_name(f"both{path.suffix}")
        _, completed = crash_at(n * step, join, path, CrashingFileSystem(n * step))
        check(path, by_id(BEFORE))
        if not both.exists():
            join(path, {})
        check(both, by_id(Rows.concatenate([BEFORE, ADDED])))
        assert leftovers(path) == {both.name, f"other{path.suffix}"}, n * step
        shutil.rmtree(path.parent)
        if completed:
            break
    assert n > 1


@pytest.mark.parametrize("step", EVERY)
@pytest.mark.parametrize("action", [write, upsert, rewrite])
def test_loss_of_power_at_every_file_operation(base: Path, action: Action, step: int) -> None:
    rng = np.random.default_rng(0)
    for n in range(1000000):
        path = copy(base, base.parent.parent / "run")
        system = PowerLossFileSystem(path.parent, n * step)
        acknowledged, completed = crash_at(n * step, action, path, system)
        for survival in (0.0, 0.5, 1.0):
            disk = base.parent.parent / "disk"
            system.lose_power(disk, rng, survival)
            after = disk / path.name
            if after.exists():
                check(after, acknowledged)
            open_store(after, "a").close()
            check(after, acknowledged)
            assert open_store(after).verify().ok, (n * step, survival)
            shutil.rmtree(disk)
        shutil.rmtree(path.parent)
        if completed:
            break
    assert n > 1


@pytest.mark.parametrize("step", EVERY)
@pytest.mark.parametrize("action", [write, upsert, rewrite])
def test_a_full_disk_is_one_clear_line_and_the_store_is_intact(base: Path, action: Action, step: int) -> None:
    for n in range(1000000):
        path = copy(base, base.parent.parent / "run")
        acknowledged = by_id(BEFORE)
        system = FullFileSystem(n * step)
        try:
            crash_at(n * step, lambda path, _, kept=acknowledged: action(path, kept), path, system)
            break
        except StoreError as error:
            message = str(error)
        assert "No space left on device" in message
        assert "\n" not in message
        check(path, acknowledged)
        action(path, acknowledged)
        check(path, acknowledged)
        assert open_store(path).verify().ok
        shutil.rmtree(path.parent)
    assert n > 1


def test_a_journal_left_by_a_crash_is_not_laid_over_the_compacted_file(tmp_path: Path) -> None:
    """The state machine found it: the old journal was still there when the new file took the old one's place."""
    path = tmp_path / "store.h5"
    with new_store(path) as store:
        store.append(BEFORE)
    for n in range(100):
        acknowledged, _ = crash_at(n, upsert, path, CrashingFileSystem(n))
        if journal_path(path).exists():
            break
    assert journal_path(path).exists()
    compact(path)
    check(path, acknowledged)
    assert open_store(path).verify().ok


def test_the_journal_of_a_deleted_file_is_not_laid_over_a_new_one(tmp_path: Path) -> None:
    path, other = tmp_path / "store.h5", tmp_path / "other.h5"
    for target in (path, other):
        journal = Journal(8192, {0: bytearray(4096)}, {0: bytearray(4096)}, "00" * 32, 1)
        journal_path(target).write_bytes(pack_journal(journal))
    with new_store(path) as store:
        store.append(BEFORE)
    merge([path], other)
    check(path, by_id(BEFORE))
    check(other, by_id(BEFORE))
