from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import IntegrityError, StoreError, export, open_store, repair, rows_equal
from store.testing import make_rows, new_store, numbered

fsspec = pytest.importorskip("fsspec")
ROWS = make_rows(numbered(0, 12))


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("FUNCTA_STAGES", str(tmp_path / "stages"))
    found = f"memory://{tmp_path.name}/x.functas"
    with new_store(found, part_rows=4) as store:
        store.append(ROWS)
    yield found
    fsspec.filesystem("memory").rm(f"/{tmp_path.name}", recursive=True)


def parts(url: str) -> list[str]:
    return [part.name for part in open_store(url).parts]  # type: ignore[attr-defined]


def objects(url: str) -> dict[str, bytes]:
    files = fsspec.filesystem("memory")
    return {name: files.cat_file(name) for name in files.find(url)}


def test_nothing_is_wrong_and_nothing_is_written(url: str) -> None:
    before = objects(url)
    assert (repair(url).problems, repair(url).rows) == ([], 12)
    assert objects(url) == before


def test_damaged_rows_are_left_out_and_encoded_again(url: str) -> None:
    first, second, third = parts(url)
    (chunk,) = (name for name in objects(url) if f"{second}/functas/c" in name)
    content = bytearray(objects(url)[chunk])
    content[len(content) // 2] ^= 1
    fsspec.filesystem("memory").pipe_file(chunk, bytes(content))
    assert not open_store(url).verify().ok
    report = repair(url)
    assert len(report.lost_ids) == 1
    assert report.rows == 11
    assert parts(url)[::2] == [first, third]
    assert parts(url)[1] not in (second, first)
    assert all(problem.startswith(f"{second}, now {parts(url)[1]}: ") for problem in report.problems)
    with open_store(url, "a") as store:
        store.append(ROWS.take([ROWS.ids.tolist().index(report.lost_ids[0])]))
    assert open_store(url).verify().ok
    assert rows_equal(open_store(url).read(ROWS.ids.tolist()), ROWS)


def test_a_part_that_is_gone_is_listed_no_more(url: str) -> None:
    fsspec.filesystem("memory").rm(f"{url}/{parts(url)[0]}", recursive=True)
    report = repair(url)
    assert (report.rows, report.lost_unknown) == (8, 4)
    assert open_store(url).ids.tolist() == ROWS.ids.tolist()[4:]


def test_a_damaged_state_comes_from_its_spare_copy(url: str) -> None:
    files = fsspec.filesystem("memory")
    chunk = next(name for name in objects(url) if re.search(r"/state-\w+\.zarr/state/start/c\.0$", name))
    files.pipe_file(chunk, files.cat_file(chunk)[::-1])
    with pytest.raises(IntegrityError):
        open_store(url).state  # noqa: B018 - reading it is the point
    repair(url)
    assert open_store(url).state["start"].tolist() == list(range(8))


def test_names_that_lead_elsewhere_are_not_written(url: str, tmp_path: Path) -> None:
    from store.collection.bucket import Bucket

    fsspec.filesystem("memory").pipe_file(f"{url}/part/../../escaped", b"")
    with pytest.raises(IntegrityError, match="has a name that leads elsewhere"):
        Bucket(url).download("part", tmp_path / "copy")
    assert not (tmp_path / "escaped").exists()


def test_single_stores_behind_a_url_are_not_written_to(url: str) -> None:
    with pytest.raises(StoreError, match="behind a URL only collections are written"):
        repair(f"{url}/{parts(url)[0]}")


def test_what_lies_behind_a_url_is_exported(url: str, tmp_path: Path) -> None:
    assert export(url, tmp_path / "x.npz") == 12
