"""Parts are there whole or not at all: writers that are killed at any moment, and several at once."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from store import StoreError, StoreWarning, files, open_store, rows_equal, zarr_writer
from store.collection.place import FolderPlace
from store.testing import make_rows, new_store, numbered
from store.testing.faults import Crash, CrashingFileSystem, PowerLossFileSystem

IDS = numbered(0, 60)
ROWS = make_rows(IDS)


def begin(path: Path) -> None:
    new_store(path, part_rows=8).close()


def encode(path: Path, share: list[str], told: int | None = None) -> None:
    """Write the rows that are missing, one after the other, as an encode run does; tell each part that is listed."""
    with open_store(path, "a") as store:
        known = store.known()
        for name in share:
            if name not in known:
                store.append(ROWS.take([IDS.index(name)]))
                if told is not None:
                    os.write(told, f"{store.n_rows}\n".encode())
        store.commit(finished=True)


def in_child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def require_whole(path: Path) -> None:
    """Each row is there once, nothing is left over."""
    store = open_store(path)
    assert store.n_rows == len(store) == len(IDS)
    assert rows_equal(store.read(IDS), ROWS)
    assert store.verify().ok
    listed = {part.name for part in store.parts}  # type: ignore[attr-defined]
    assert {entry.name for entry in path.iterdir()} == {*listed, "state.zarr", "collection.json"}


def kill_again_and_again(path: Path, seed: int, kills: int) -> None:
    rng = np.random.default_rng(seed)
    begin(path)
    done = 0
    while done < kills:
        child = in_child(lambda: encode(path, IDS))
        time.sleep(rng.uniform(0, 0.25))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        before = set(open_store(path).ids)  # a reader in between sees whole parts only
        assert open_store(path).verify().ok
        if not os.WIFSIGNALED(status):  # it was through: begin with fewer rows
            require_whole(path)
            with open_store(path, "a") as store:
                assert set(store.ids) == before
            shutil.rmtree(path)
            begin(path)
            continue
        done += 1
        with open_store(path, "a") as store:
            assert before <= set(store.ids)
    encode(path, IDS)
    require_whole(path)


def test_a_few_kills_lose_nothing_listed(fast_folder: Path) -> None:
    kill_again_and_again(fast_folder / "s.functas", seed=0, kills=4)


@pytest.mark.slow
def test_fifty_kills_lose_nothing_listed(fast_folder: Path) -> None:
    kill_again_and_again(fast_folder / "s.functas", seed=1, kills=50)


@pytest.mark.parametrize("step", [53, pytest.param(1, marks=pytest.mark.slow)])
def test_a_crash_at_any_operation(fast_folder: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Creating, writing and listing parts, broken off at one change of the disk after the other."""
    ids, path, real = numbered(0, 6), fast_folder / "s.functas", files.system
    for operations in range(0, 5000, step):
        monkeypatch.setattr(files, "system", CrashingFileSystem(operations))
        try:
            with new_store(path, part_rows=3) if not path.exists() else open_store(path, "a") as store:
                store.append(make_rows(ids))
        except Crash:
            crashed = True
        else:
            crashed = False
        monkeypatch.setattr(files, "system", real)
        listed = open_store(path).ids.tolist() if path.exists() else []
        with new_store(path, part_rows=3) if not path.exists() else open_store(path, "a") as store:
            assert set(listed) <= set(store.ids)
            store.append(make_rows(ids).take([i for i, name in enumerate(ids) if name not in store.known()]))
        store = open_store(path)
        assert rows_equal(store.read(ids), make_rows(ids))
        assert store.n_rows == 6
        assert not [entry.name for entry in path.iterdir() if entry.name.startswith(".")]
        shutil.rmtree(path)
        if not crashed:
            assert operations > 50
            return
    raise AssertionError("it never came to an end")


def listed_before(path: Path, ids: list[str], disk: PowerLossFileSystem, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write rows one after the other until the disk dies; give the IDs that the store said were listed."""
    told: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(files, "system", disk)
        try:
            with open_store(path, "a") as store:
                for name in ids:
                    store.append(ROWS.take([IDS.index(name)]))
                    told = store.ids.tolist()
                store.commit()
                told = store.ids.tolist()
        except Crash:
            pass
    return told


@pytest.mark.parametrize("step", [167, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
@pytest.mark.parametrize("seconds", [30.0, -1.0])
def test_a_loss_of_power_at_any_operation(
    fast_folder: Path, monkeypatch: pytest.MonkeyPatch, step: int, seconds: float
) -> None:
    """What was listed is whole, though a young part has no sync before that; all else is encoded again."""
    monkeypatch.setattr(zarr_writer, "UNSYNCED_SECONDS", seconds)
    ids, rng, run = IDS[:10], np.random.default_rng(0), fast_folder / "run"
    for operations in range(0, 5000, step):
        run.mkdir()
        begin(run / "s.functas")
        system = PowerLossFileSystem(run, operations)
        told = listed_before(run / "s.functas", ids, system, monkeypatch)
        for survival in (0.0, 0.5, 1.0):
            system.lose_power(fast_folder / "disk", rng, survival)
            after = fast_folder / "disk" / "s.functas"
            assert set(told) <= set(open_store(after).ids), operations
            assert open_store(after).verify().ok
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", StoreWarning)
                encode(after, ids)
            assert rows_equal(open_store(after).read(ids), ROWS.take(range(10)))
            assert open_store(after).verify().ok
            shutil.rmtree(fast_folder / "disk")
        shutil.rmtree(run)
        if set(told) == set(ids):
            assert operations > 100
            return
    raise AssertionError("it never came to an end")


@pytest.mark.parametrize(("seconds", "kept"), [(30.0, 0), (-1.0, 4)])
def test_rows_of_a_part_survive_a_loss_of_power_once_it_is_old(
    fast_folder: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, kept: int
) -> None:
    monkeypatch.setattr(zarr_writer, "UNSYNCED_SECONDS", seconds)
    (fast_folder / "run").mkdir()
    path = fast_folder / "run" / "s.functas"
    begin(path)
    system = PowerLossFileSystem(path.parent, 10**6)
    monkeypatch.setattr(files, "system", system)
    store = open_store(path, "a")
    store.append(ROWS.take(range(6)))  # a block of four rows is committed
    system.lose_power(fast_folder / "disk", np.random.default_rng(0), 0.0)
    store._writer.abandon()  # type: ignore[union-attr]
    assert open_store(fast_folder / "disk" / "s.functas", "a").ids.tolist() == IDS[:kept]


class LateFileSystem(files.FileSystem):
    """Says only when it is asked to sync that the disk is full."""

    def sync(self, path: Path) -> None:
        raise OSError(errno.ENOSPC, f"No space left on device for {path.name}")


def test_a_disk_that_is_full_when_a_part_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.functas"
    begin(path)
    with pytest.raises(StoreError, match="No space left on device"), open_store(path, "a") as store:  # noqa: PT012
        store.append(ROWS.take(range(3)))
        monkeypatch.setattr(files, "system", LateFileSystem())
        store.commit()
    monkeypatch.undo()
    assert len(open_store(path)) == 0
    encode(path, IDS[:3])
    assert open_store(path).ids.tolist() == IDS[:3]


def test_shards_at_once_list_all_their_parts(fast_folder: Path) -> None:
    path = fast_folder / "s.functas"
    begin(path)
    children = [in_child(lambda share=IDS[number::3]: encode(path, share)) for number in range(3)]  # type: ignore[misc]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    require_whole(path)
    parts = open_store(path).parts  # type: ignore[attr-defined]
    assert [part.rows for part in parts].count(8) == 6  # of 20 rows each: 8, 8 and 4


def test_the_same_id_from_two_writers_at_once(tmp_path: Path) -> None:
    path = tmp_path / "s.functas"
    begin(path)
    with open_store(path, "a") as one, open_store(path, "a") as other:
        one.append(ROWS.take([0, 1]))
        other.append(ROWS.take([1, 2]))
        other.commit()
        with pytest.raises(StoreError, match=r"ID 'sample-1' is both in .* and in part-00000\.zarr"):
            one.commit()
        other.append(ROWS.take([0]))
    assert sorted(open_store(path).ids) == IDS[:3]
    assert open_store(path, "a").verify().ok


def test_a_part_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.functas"
    begin(path)
    with open_store(path, "a") as store:
        store.append(ROWS.take([0, 1]))
        open_store(path, "a").close()
        open_store(path, "a").close()
    assert open_store(path).ids.tolist() == IDS[:2]


def test_rows_of_an_interrupted_run_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "s.functas"
    begin(path)
    with pytest.raises(KeyboardInterrupt), open_store(path, "a") as store:  # noqa: PT012
        store.append(ROWS.take(slice(0, 6)))  # a block of four rows is committed
        raise KeyboardInterrupt
    assert len(open_store(path)) == 0
    assert open_store(path, "a").ids.tolist() == IDS[:4]
    assert open_store(path).info()["parts"] == 1


def test_rows_left_behind_that_others_have_listed_since(tmp_path: Path) -> None:
    path = tmp_path / "s.functas"
    begin(path)
    with pytest.raises(KeyboardInterrupt), open_store(path, "a") as store:  # noqa: PT012
        store.append(ROWS.take(slice(0, 6)))
        left = next(path.glob(".part-*.zarr"))
        raise KeyboardInterrupt
    left.rename(tmp_path / "aside")
    encode(path, IDS[:2])
    (tmp_path / "aside").rename(left)
    with pytest.warns(StoreWarning, match="an interrupted run left behind are encoded again"):
        encode(path, IDS[:4])
    assert sorted(open_store(path).ids) == IDS[:4]


def test_a_part_that_is_not_listed_is_never_read(tmp_path: Path) -> None:
    path = tmp_path / "s.functas"
    begin(path)
    encode(path, IDS[:3])
    with new_store(path / "part-00004.zarr", dataset="other") as other:
        other.append(ROWS.take([7]))
    assert open_store(path).ids.tolist() == IDS[:3]
    with pytest.warns(StoreWarning, match=r"part-00004\.zarr in .* is not listed and therefore not read"):
        encode(path, IDS[3:4])
    assert open_store(path).ids.tolist() == IDS[:4]
    assert open_store(path).parts[-1].name == "part-00005.zarr"  # type: ignore[attr-defined]


def test_a_reader_goes_on_and_a_writer_sees_what_others_list(tmp_path: Path) -> None:
    path = tmp_path / "s.functas"
    begin(path)
    encode(path, IDS[:3])
    reader = open_store(path)
    with open_store(path, "a") as writer:
        encode(path, IDS[3:5])
        writer.append(ROWS.take([5]))
        writer.commit()
        assert sorted(writer.ids) == IDS[:6]
    assert reader.ids.tolist() == IDS[:3]


def test_a_manifest_that_changed_since_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s.functas"
    begin(path)
    place = FolderPlace(path)
    seen = place.read_manifest()
    encode(path, IDS[:1])
    assert not place.replace_manifest(b"{}", seen=seen)
    assert open_store(path).ids.tolist() == IDS[:1]
