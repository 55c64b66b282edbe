from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers.running import flip_a_byte

from store import IntegrityError, open_store, repair, rows_equal
from store.testing import make_rows, new_store, numbered

ROWS = make_rows(numbered(0, 600))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with new_store(tmp_path / "s.functas", part_rows=200, block_rows=100) as store:
        store.append(ROWS)
    return tmp_path / "s.functas"


def test_nothing_is_wrong(path: Path) -> None:
    before = (path / "collection.json").read_bytes()
    assert (repair(path).problems, (path / "collection.json").read_bytes()) == ([], before)


def test_damaged_rows_are_left_out_and_encoded_again(path: Path) -> None:
    flip_a_byte(path / "part-00001.zarr")
    assert not open_store(path).verify().ok
    report = repair(path)
    assert len(report.lost_ids) == 1
    assert all(problem.startswith("part-00001.zarr: ") for problem in report.problems)
    with open_store(path, "a") as store:
        assert len(store) == 599
        store.append(ROWS.take([ROWS.ids.tolist().index(report.lost_ids[0])]))
    store = open_store(path)
    assert store.verify().ok
    assert rows_equal(store.read(ROWS.ids.tolist()), ROWS)


def test_a_part_that_is_gone_is_listed_no_more(path: Path) -> None:
    shutil.rmtree(path / "part-00000.zarr")
    with pytest.raises(IntegrityError, match=r"part-00000\.zarr of .* is listed, but not there\. Put it back, or run"):
        open_store(path)
    report = repair(path)
    assert (report.problems, report.lost_unknown, report.rows) == (["part-00000.zarr is gone"], 200, 400)
    assert len(open_store(path)) == 400


def test_a_part_that_was_changed_is_listed_as_it_is(path: Path) -> None:
    with open_store(path / "part-00002.zarr", "a") as part:
        part.append(make_rows(["new"]))
    report = repair(path)
    assert report.problems == ["part-00002.zarr: it was changed since it was listed"]
    assert "new" in open_store(path)


def test_a_damaged_state_comes_from_its_spare_copy(path: Path) -> None:
    chunk = path / "state.zarr" / "state" / "start" / "c.0"
    chunk.write_bytes(chunk.read_bytes()[::-1])
    with pytest.raises(IntegrityError):
        open_store(path).state  # noqa: B018 - reading it is the point
    repair(path)
    assert open_store(path).state["start"].tolist() == list(range(8))


def test_a_link_is_not_written_through(path: Path, tmp_path: Path) -> None:
    (path / "part-00001.zarr").rename(tmp_path / "elsewhere.zarr")
    (path / "part-00001.zarr").symlink_to(tmp_path / "elsewhere.zarr")
    with pytest.raises(IntegrityError, match="is a link or a device"):
        repair(path)
