"""Collections behind a URL: written, interrupted at every request, resumed, and by several at once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from store import IntegrityError, StoreError, collect, open_store, rows_equal
from store.errors import StoreExistsError, UnreachableError
from store.testing import make_rows, new_store, numbered

fsspec = pytest.importorskip("fsspec")
from fsspec.implementations.memory import MemoryFileSystem  # noqa: E402 - after it is known to be there

IDS = numbered(0, 24)
ROWS = make_rows(IDS)


class Killed(BaseException):
    """Stands for kill -9: nothing in the library catches it."""


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("FUNCTA_STAGES", str(tmp_path / "stages"))
    monkeypatch.setattr("store.retrying.FIRST_PAUSE", 1e-4)
    monkeypatch.setattr("store.collection.bucket.FIRST_PAUSE", 1e-4)
    yield f"memory://{tmp_path.name}/x.functas"
    fsspec.filesystem("memory").rm(f"/{tmp_path.name}", recursive=True)


def encode(url: str, ids: list[str] = IDS, part_rows: int = 8) -> None:
    """Write what is missing, as an encode run does."""
    fresh = not fsspec.filesystem("memory").exists(f"{url}/collection.json")
    with new_store(url, part_rows=part_rows) if fresh else open_store(url, "a") as store:  # type: ignore[arg-type]
        known = store.known()
        for name in ids:
            if name not in known:
                store.append(ROWS.take([IDS.index(name)]))
        store.commit(finished=True)


def on_write(monkeypatch: pytest.MonkeyPatch, happens: Callable[[int, str, Callable[[], Any]], Any]) -> None:
    """Put something in the way of each write."""
    original, count = MemoryFileSystem.pipe_file, [0]

    def pipe_file(self: Any, path: str, value: bytes, **options: Any) -> Any:
        count[0] += 1
        return happens(count[0], path, lambda: original(self, path, value, **options))

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", pipe_file)


def below(url: str) -> set[str]:
    return {name.rpartition("/")[2] for name in fsspec.filesystem("memory").ls(url, detail=False)}


def require_whole(url: str, tmp_path: Path) -> None:
    """Each row is there once, nothing is left over, here or there."""
    store = open_store(url)
    assert store.n_rows == len(store) == len(IDS)
    assert rows_equal(store.read(IDS), ROWS)
    assert store.verify().ok
    listed = {part.name for part in store.parts}  # type: ignore[attr-defined]
    assert {name for name in below(url) if name.startswith("part")} == listed
    assert not [path for path in (tmp_path / "stages").rglob("*part-*") if not path.name.endswith(".lock")]


def test_what_is_encoded_behind_a_url_is_read_there(url: str, tmp_path: Path) -> None:
    encode(url, IDS[:11])
    assert len(open_store(url)) == 11
    encode(url)
    require_whole(url, tmp_path)
    assert [part.rows for part in open_store(url).parts] == [8, 3, 8, 5]  # type: ignore[attr-defined]
    assert open_store(url).finished


@pytest.mark.parametrize("done", [False, True], ids=["before a write", "after it"])
@pytest.mark.parametrize("point", [1, 9, 10, 11, 30, 56, 60, 90, "collection.json", "second part"])
def test_killed_at_any_write_the_next_run_goes_on(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: int | str, done: bool
) -> None:
    manifests = iter([1] if point == "collection.json" else [0, 1, 1])

    def is_here(number: int, path: str) -> bool:
        if isinstance(point, int):
            return number >= point  # the other threads are dead, too
        return path.endswith("collection.json") and bool(next(manifests))

    def kill(number: int, path: str, write: Callable[[], Any]) -> Any:
        if is_here(number, path):
            if done and (number == point or isinstance(point, str)):
                write()
            raise Killed
        return write()

    with monkeypatch.context() as patch:
        on_write(patch, kill)
        with pytest.raises(Killed):
            encode(url)
    if fsspec.filesystem("memory").exists(f"{url}/collection.json"):
        seen = open_store(url)
        assert rows_equal(seen.read(), ROWS.take([IDS.index(name) for name in seen.ids]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encode(url)
    require_whole(url, tmp_path)


def test_requests_that_fail_are_made_again(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, int] = {}

    def lose(number: int, path: str, write: Callable[[], Any]) -> Any:
        asked[path] = asked.get(path, 0) + 1
        if asked[path] % 3 == 1:
            raise ConnectionResetError
        write()
        if asked[path] % 3 == 2:
            raise TimeoutError  # it was done, and nobody hears of it

    on_write(monkeypatch, lose)
    encode(url)
    require_whole(url, tmp_path)


def test_an_answer_that_is_lost_while_others_list_their_parts(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode(url, IDS[:8])
    other = open_store(url, "a")
    other.append(ROWS.take(slice(8, 12)))
    mine = open_store(url, "a")
    mine.append(ROWS.take(slice(12, 16)))
    listing: list[str] = []

    def lose_once(number: int, path: str, write: Callable[[], Any]) -> Any:
        write()
        if path.endswith("collection.json") and not listing:
            listing.append(path)
            monkeypatch.setattr("store.collection.bucket._IN_THIS_PROCESS", NoLock())
            monkeypatch.setattr("store.collection.place.FolderPlace.exclusive", lambda self: NoLock())
            other.commit()
            raise ConnectionResetError

    on_write(monkeypatch, lose_once)
    mine.commit()
    mine.close()
    other.close()
    assert listing
    assert len(open_store(url)) == open_store(url).n_rows == 16
    assert open_store(url).verify().ok


class NoLock:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def test_of_two_that_write_the_same_rows_one_counts(url: str) -> None:
    encode(url, IDS[:8])
    one, two = open_store(url, "a"), open_store(url, "a")
    one.append(ROWS.take([8, 9]))
    two.append(ROWS.take([9, 10]))
    one.commit()
    with pytest.raises(StoreError, match=r"'sample-0*9' is both in"):
        two.commit()
    one.close()
    two.close()
    store = open_store(url)
    assert set(store.ids) == set(IDS[:10])
    assert {name for name in below(url) if name.startswith("part")} == {part.name for part in store.parts}  # type: ignore[attr-defined]


def test_of_two_that_make_a_collection_one_does(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = MemoryFileSystem.pipe_file

    def overtaken(number: int, path: str, write: Callable[[], Any]) -> Any:
        if path.endswith("collection.json"):
            monkeypatch.setattr(MemoryFileSystem, "pipe_file", original)
            encode(url, IDS[:8])
        return write()

    on_write(monkeypatch, overtaken)
    with pytest.raises(StoreExistsError, match="made meanwhile"):
        new_store(url)  # type: ignore[arg-type]
    assert len(open_store(url)) == 8
    assert len([name for name in below(url) if name.startswith("state")]) == 1


def test_leftovers_are_never_read_and_deleted_after_a_day(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    encode(url, IDS[:8])
    files, part = fsspec.filesystem("memory"), open_store(url).parts[0].name  # type: ignore[attr-defined]
    for name in files.find(f"{url}/{part}"):
        files.pipe_file(name.replace(part, "part-00001-00000000.zarr"), files.cat_file(name))
    files.pipe_file(f"{url}/notes.txt", b"mine")
    encode(url, IDS[:16])
    assert len(open_store(url)) == open_store(url).n_rows == 16
    assert "part-00001-00000000.zarr" in below(url)
    monkeypatch.setattr("store.collection.object_place.LEFTOVER_AGE", timedelta(0))
    encode(url, IDS[:16])
    assert "part-00001-00000000.zarr" not in below(url)
    assert "notes.txt" in below(url)
    assert open_store(url).verify().ok


def test_what_arrives_damaged_is_not_listed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    encode(url, IDS[:8])
    original = MemoryFileSystem.pipe_file
    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "pipe_file", lambda self, path, value, **more: original(self, path, value[:-1]))
        with pytest.raises(IntegrityError, match="not what was sent"):
            encode(url, IDS[:16])
    assert len(open_store(url)) == 8
    encode(url, IDS[:16])
    assert len(open_store(url)) == open_store(url).n_rows == 16


def test_a_store_that_does_not_answer_is_one_line(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    encode(url, IDS[:8])

    def gone(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr(MemoryFileSystem, "cat_file", gone)
    with pytest.raises(UnreachableError, match=r"collection.json cannot be reached, tried 8 times: nobody listens"):
        open_store(url)


@pytest.mark.parametrize("suffix", [".zarr", ".h5"])
def test_stores_are_collected_and_appended_behind_a_url(url: str, tmp_path: Path, suffix: str) -> None:
    for number in range(2):
        with new_store(tmp_path / f"{number}{suffix}") as store:
            store.append(ROWS.take(slice(8 * number, 8 * number + 8)))
    collect([tmp_path / f"0{suffix}"], url)
    assert collect([tmp_path / f"1{suffix}"], url).rows == 16
    with pytest.raises(StoreError, match="is both in"):
        collect([tmp_path / f"1{suffix}"], url)
    assert rows_equal(open_store(url).read(IDS[:16]), ROWS.take(slice(0, 16)))


def test_what_cannot_be_written_is_told(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match=r"behind a URL only collections \(....functas\) are written"):
        new_store(url.replace(".functas", ".zarr"))  # type: ignore[arg-type]
    encode(url, IDS[:8])
    with pytest.raises(StoreError, match="exists already"):
        new_store(url)  # type: ignore[arg-type]
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FUNCTA_STAGES", str(tmp_path / "file"))
    with pytest.raises(StoreError, match="Set FUNCTA_STAGES to a folder that can"):
        open_store(url, "a")
    with pytest.raises(StoreError, match="nosuch"):
        open_store("nosuch://bucket/x.functas")
