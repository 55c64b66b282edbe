"""One row of a person beside many windows of that person."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.linked_stores import samples, write_store

from fusion.errors import DataError
from fusion.linking import link
from store import FunctaStore


def persons(folder: Path, *, groups: bool = False, name: str = "people", most: int = 4, test: int = 3) -> FunctaStore:
    rows = [
        (f"subject-{number}", None, "test" if number == test else "train", f"subject-{number}" if groups else None)
        for number in range(most)
    ]
    return write_store(folder / f"{name}.zarr", rows, modality="columns", shuffle=1)


@pytest.fixture
def windows(tmp_path: Path) -> FunctaStore:
    return write_store(tmp_path / "windows.zarr", samples(4, 5))


@pytest.mark.parametrize("groups", [False, True])
def test_every_window_gets_the_row_of_its_person(tmp_path: Path, windows: FunctaStore, groups: bool) -> None:
    table = link([windows, persons(tmp_path, groups=groups)], on="group")
    assert len(table.frame) == table.summary.matched == 20
    assert [f"subject-{name[0]}" for name in table.frame["windows"]] == table.frame["people"].tolist()
    assert table.frame["group"].tolist() == table.frame["people"].tolist()
    assert table.summary.left_over == {"windows": 0, "people": 0}
    assert table.summary.warnings == ("the rows of people are groups: each is joined to every item of its group.",)


def test_the_order_of_stores_changes_nothing_but_columns(tmp_path: Path, windows: FunctaStore) -> None:
    people = persons(tmp_path)
    one, other = link([windows, people], on="group"), link([people, windows], on="group")
    assert one.frame.equals(other.frame[one.frame.columns])


def test_windows_of_two_sensors_are_joined_by_key_and_both_get_the_person(tmp_path: Path, windows: FunctaStore) -> None:
    other = write_store(tmp_path / "other.zarr", samples(4, 5, form="s{subject}/take-{number}"))
    table = link([windows, other, persons(tmp_path)], on="group")
    assert len(table.frame) == table.summary.matched == 20
    row = table.frame.iloc[7]
    assert row[["windows", "other", "people"]].tolist() == ["1-2", "s1/take-2", "subject-1"]


def test_persons_without_windows_and_windows_without_persons(tmp_path: Path) -> None:
    windows = write_store(tmp_path / "windows.zarr", samples(3, 2))
    people = persons(tmp_path, test=2)
    few = persons(tmp_path, name="few", most=2, test=2)
    assert link([windows, people], on="group").summary.left_over == {"windows": 0, "people": 1}
    every = link([people, windows], on="group", how="left").frame
    assert every["link_id"].tolist()[-1] == "subject-3"
    assert every["windows"].isna().tolist() == [False] * 6 + [True]
    assert link([windows, few], on="group").summary.left_over == {"windows": 2, "few": 0}
    assert link([windows, few], on="group", how="left").frame["few"].isna().sum() == 2


def test_a_key_of_its_own_makes_it_a_store_like_any_other(tmp_path: Path, windows: FunctaStore) -> None:
    with pytest.raises(DataError, match="no item is in all 2 stores"):
        link([windows, persons(tmp_path)], on="group", key={"people": "(x)"})


def test_a_person_on_another_side_than_the_windows_is_named(tmp_path: Path) -> None:
    windows = write_store(tmp_path / "windows.zarr", samples(5, 2))
    with pytest.raises(DataError, match="split"):
        link([windows, persons(tmp_path)], on="group")
