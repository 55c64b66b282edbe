from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from helpers.linked_stores import samples, write_store

from fusion.errors import ConfigError, DataError
from fusion.linking import link, link_to_file, read_link
from store import Rows, create_store


@pytest.fixture(autouse=True)
def _small_runs_and_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusion.linking.runs._BATCH_ROWS", 3)
    monkeypatch.setattr("fusion.linking.streaming._RUN_ROWS", 8)
    monkeypatch.setattr("fusion.linking.streaming._RANGE_ROWS", 7)


def write(path: Path, ids: list[str], **columns: Any) -> Path:
    layout, functas = [("w", (2,), 0)], np.zeros((len(ids), 2))
    with create_store(
        path, modality=path.stem, layout=layout, encoder={}, state={}, block_rows=4, part_rows=30
    ) as store:
        store.append(Rows.build(ids, functas, **columns))
    return path


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Collections that share two thirds of their samples, in another order; one knows labels and targets."""
    folder = tmp_path_factory.mktemp("two")
    numbers = np.random.default_rng(19).permutation(60)
    here, there = numbers[:50].tolist(), numbers[10:][::-1].tolist()
    groups = [[f"person-{number // 10}" for number in found] for found in (here, there)]
    known = {"labels": [f"class-{number % 3}" for number in here], "target": [number / 7 for number in here]}
    splits = ["test" if number >= 50 else "train" for number in there]
    ids = [[f"{'é' * (number % 2)}{number}" for number in found] for found in (here, there)]
    return [
        write(folder / "worn.functas", ids[0], groups=groups[0], **known),
        write(folder / "seen.functas", ids[1], groups=groups[1], splits=splits),
    ]


@pytest.mark.parametrize("how", ["inner", "left", "outer"])
@pytest.mark.parametrize("on", ["id", "group"])
def test_the_file_is_what_link_would_have_written(two: list[Path], tmp_path: Path, on: Any, how: Any) -> None:
    expected = link(two, on=on, how=how)
    expected.save(tmp_path / "whole.parquet")
    found = link_to_file(two, tmp_path / "parts.parquet", on=on, how=how)
    assert found.to_dict() == expected.to_dict()
    assert found.facts() == expected.facts()
    assert len(found) == len(expected)
    whole, parts = (read_link(tmp_path / f"{name}.parquet") for name in ("whole", "parts"))
    assert whole.frame.equals(parts.frame)
    assert (whole.stores, whole.summary) == (parts.stores, parts.summary)
    assert pq.ParquetFile(tmp_path / "parts.parquet").num_row_groups > 4
    assert not list(tmp_path.glob(".parts*"))


def test_labels_are_renamed(two: list[Path], tmp_path: Path) -> None:
    names = {"": {"class-1": "walk", "class-2": ""}}
    found = link_to_file(two, tmp_path / "link.parquet", labels=names)
    assert found.to_dict()["classes"] == link(two, labels=names).counts("label")
    assert set(found.to_dict()["classes"]) == {"", "class-0", "walk"}


def test_rows_that_are_groups_are_joined_to_each_item(two: list[Path], tmp_path: Path) -> None:
    people = write(tmp_path / "people.functas", [f"person-{number}" for number in range(6)])
    stores = [*two, people]
    link_to_file(stores, tmp_path / "link.parquet", on="group")
    assert read_link(tmp_path / "link.parquet").frame.equals(link(stores, on="group").frame)


@pytest.mark.parametrize(("part", "name", "value"), [(1, "label", "run"), (2, "split", "test"), (3, "group", "other")])
def test_a_conflict_is_told_as_link_tells_it(tmp_path: Path, part: int, name: str, value: str) -> None:
    rows = samples()
    write_store(tmp_path / "a.zarr", rows)
    changed = [row if number >= 7 else (*row[:part], value, *row[part + 1 :]) for number, row in enumerate(rows)]
    write_store(tmp_path / "b.zarr", changed, shuffle=3)
    require_same_error(
        [tmp_path / "a.zarr", tmp_path / "b.zarr"], tmp_path, f"7 linked items have more than one {name}"
    )


def test_other_faults_are_told_as_link_tells_them(two: list[Path], tmp_path: Path) -> None:
    lone = write(tmp_path / "lone.functas", [f"x{number}" for number in range(9)], groups=["p"] * 9)
    require_same_error([two[0], lone], tmp_path, "no item is in all 2 stores, joined by id: worn has ")
    require_same_error([two[0], lone], tmp_path, "no item is in all 2 stores, joined by group", on="group")
    require_same_error(two, tmp_path, "samples of store .* share group and key", on="group", key=r"\d")
    mixed = write(
        tmp_path / "mixed.functas",
        [f"{number}" for number in range(20)],
        groups=[f"g{number % 2}" for number in range(20)],
        splits=["test" if number > 9 else "train" for number in range(20)],
    )
    require_same_error([mixed, f"again={mixed}"], tmp_path, "2 groups of store .* are in more than one split")


def require_same_error(stores: list[Any], tmp_path: Path, expected: str, **options: Any) -> None:
    with pytest.raises(DataError, match=expected) as whole:
        link(stores, **options)
    with pytest.raises(DataError) as parts:
        link_to_file(stores, tmp_path / "link.parquet", **options)
    assert str(parts.value) == str(whole.value)
    assert not list(tmp_path.glob("*link*"))


def test_places_that_cannot_be_written_are_named(two: list[Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"link table .*link.parquet cannot be written: No such file"):
        link_to_file(two, tmp_path / "nowhere" / "link.parquet")
    with pytest.raises(ConfigError, match="expected one of inner, left, outer"):
        link_to_file(two, tmp_path / "link.parquet", how="right")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"a link table is written as \.parquet or \.csv"):
        link_to_file(two, tmp_path / "link.xlsx")


def test_other_joins_and_tables_of_text_are_written_too(two: list[Path], tmp_path: Path) -> None:
    write(tmp_path / "said.functas", ["s"], labels=["class-0"])
    stores = [two[0], tmp_path / "said.functas"]
    found = link_to_file(stores, tmp_path / "link.csv", on="label")
    assert found.to_dict() == link(stores, on="label").to_dict()
    assert read_link(tmp_path / "link.csv").column("said").tolist() == ["s"]
