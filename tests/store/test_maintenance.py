from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from store import (
    IntegrityError,
    Rows,
    StoreError,
    StoreMismatchError,
    collect,
    compact,
    convert,
    merge,
    open_store,
    repair,
    rows_equal,
)
from store.testing import ENCODER, K, make_rows, new_store, numbered


def filled(path: Path, rows: Rows, **changes: object) -> Path:
    with new_store(path, **changes) as store:
        store.append(rows)
    return path


def other(path: Path, name: str) -> Path:
    return path.with_name(f"{name}{path.suffix}")


def names_beside(path: Path) -> set[str]:
    return {entry.name for entry in path.parent.iterdir()} - {f".{path.name}.lock"}


def test_compact_keeps_live_rows_only(path: Path) -> None:
    with new_store(path) as store:
        store.append(make_rows(numbered(0, 9)))
        store.append(make_rows(["sample-1"], seed=5))
        store.delete(["sample-3"])
        store.append(Rows.failed("broken", "decode", "no", K))
        store.commit(finished=True)
        before, generation, fingerprint = store.read(), store.generation, store.fingerprint
    report = compact(path)
    after = open_store(path)
    assert (report.rows, report.removed, after.n_rows) == (9, 3, 9)
    assert rows_equal(after.read(before.ids.tolist()), before)
    assert after.failed() == [("broken", "decode", "no")]
    assert after.finished
    assert after.generation > generation
    assert after.fingerprint == fingerprint
    assert names_beside(path) == {path.name}


def test_compact_of_a_damaged_store_changes_nothing(path: Path) -> None:
    filled(path, make_rows(numbered(0, 9)))
    damage(path, make_rows(numbered(0, 9)), 4)
    before = open_store(path).n_rows
    with pytest.raises(IntegrityError, match="do not match their checksums: 4"):
        compact(path)
    assert open_store(path).n_rows == before
    assert names_beside(path) == {path.name}


def test_appending_after_compact(path: Path) -> None:
    filled(path, make_rows(numbered(0, 6)))
    compact(path)
    with open_store(path, "a") as store:
        store.append(make_rows(numbered(6, 9)))
    assert len(open_store(path)) == 9


def test_an_open_reader_of_a_compacted_folder_is_told(tmp_path: Path) -> None:
    path = filled(tmp_path / "store.zarr", make_rows([*numbered(0, 6), *numbered(0, 6)], seed=1))
    reader = open_store(path)
    reader.ids.tolist()
    compact(path)
    with pytest.raises(StoreError, match=r"compacted or repaired since it was opened\. Open it again|missing"):
        reader.read()


def test_convert_there_and_back(path: Path) -> None:
    filled(path, make_rows(numbered(0, 9)), state={"start": np.ones(3), "bank": np.arange(4).reshape(2, 2)})
    with open_store(path, "a") as store:
        store.add_column("age", {"sample-1": 3, "sample-8": 4})
    there = path.with_name(f"there{'.h5' if path.suffix == '.zarr' else '.zarr'}")
    back = other(path, "back")
    assert convert(path, there) == convert(there, back) == 9
    first, last = open_store(path), open_store(back)
    assert rows_equal(first.read(), last.read())
    assert first.header == last.header
    assert all(np.array_equal(first.state[name], last.state[name]) for name in first.state)


def test_convert_to_a_taken_path(path: Path) -> None:
    filled(path, make_rows(["a"]))
    with pytest.raises(StoreError, match="exists already"):
        convert(path, path)


def test_merge_joins_and_counts_duplicates(path: Path) -> None:
    rows = make_rows(numbered(0, 9))
    first = filled(path, rows.take(slice(0, 6)))
    second = filled(other(path, "second"), rows.take([7, 5, 6, 8]))
    target = other(path, "both")
    report = merge([first, second], target)
    assert (report.rows, report.duplicates, report.conflicts) == (9, 1, [])
    assert report.sources == {str(first): 6, str(second): 3}
    assert rows_equal(open_store(target).read(numbered(0, 9)), rows)


@pytest.mark.parametrize(("winner", "seed"), [("first", 0), ("last", 1)])
def test_merge_reports_conflicts(path: Path, winner: str, seed: int) -> None:
    first = filled(path, make_rows(["a", "b"]))
    second = filled(other(path, "second"), make_rows(["a", "c"], seed=1))
    target = other(path, "both")
    said = (
        r"1 IDs have different values in several stores, the first are \['a'\]. Say which wins with --on-conflict first"
    )
    with pytest.raises(StoreError, match=said):
        merge([first, second], target)
    assert not target.exists()
    report = merge([first, second], target, on_conflict=winner)
    assert report.conflicts == ["a"]
    assert rows_equal(open_store(target).get("a"), make_rows(["a", "x"], seed=seed).take([0]))


def test_merge_prefers_a_usable_row_to_a_failed_one(path: Path) -> None:
    first = filled(path, Rows.failed("a", "fit", "NaN", K))
    second = filled(other(path, "second"), make_rows(["a"]))
    merge([first, second], other(path, "both"))
    assert open_store(other(path, "both")).ids.tolist() == ["a"]


def test_merge_refuses_another_configuration(path: Path) -> None:
    first = filled(path, make_rows(["a"]))
    second = filled(other(path, "second"), make_rows(["b"]), encoder=ENCODER | {"kind": "local"})
    with pytest.raises(StoreMismatchError, match=r"encoder\.kind 'functa' -> 'local'"):
        merge([first, second], other(path, "both"))


def test_which_file_rows_come_from_is_no_configuration(path: Path) -> None:
    told = [{"values": [0, 1], "source": {"file": f"s{number}.csv"}, "reading": {"rows": number}} for number in (1, 2)]
    first = filled(path, make_rows(["a"]), conventions=told[0])
    second = filled(other(path, "second"), make_rows(["b"], seed=1), conventions=told[1])
    merge([first, second], other(path, "both"))
    assert "source" not in open_store(other(path, "both")).header.conventions
    merge([first], other(path, "alone"))
    assert open_store(other(path, "alone")).header.conventions == told[0]
    collect([first, second], path.with_name("both.functas"))
    assert sorted(open_store(path.with_name("both.functas")).ids) == ["a", "b"]
    third = filled(other(path, "third"), make_rows(["c"]), conventions=told[1] | {"values": [0, 2]})
    with pytest.raises(StoreMismatchError, match=r"conventions\.values"):
        merge([first, third], other(path, "none"))


def test_merge_keeps_columns_of_users(path: Path) -> None:
    first = filled(path, make_rows(["a"]))
    with open_store(first, "a") as store:
        store.add_column("age", {"a": 7})
    second = filled(other(path, "second"), make_rows(["b"], seed=1))
    merge([first, second], other(path, "both"))
    assert open_store(other(path, "both")).read(["b", "a"]).extra["age"].tolist() == [0, 7]


def damage(path: Path, rows: Rows, *which: int) -> None:
    """Flip one byte of a functa wherever it lies."""
    found = 0
    for file in [path] if path.is_file() else path.rglob("c.*"):
        data = bytearray(file.read_bytes())
        for row in which:
            place = data.find(rows.functas[row].tobytes())
            if place >= 0:
                data[place] ^= 1
                found += 1
        file.write_bytes(data)
    assert found == len(which)


def test_repair_drops_exactly_the_damaged_rows(path: Path) -> None:
    rows = make_rows(numbered(0, 10))
    filled(path, rows)
    damage(path, rows, 2, 9)
    assert open_store(path).verify().bad_ids == ["sample-2", "sample-9"]
    report = repair(path)
    assert report.lost_ids == ["sample-2", "sample-9"]
    assert report.lost_unknown == 0
    store = open_store(path)
    assert store.verify().ok
    assert set(store.known()) == set(numbered(0, 10)) - {"sample-2", "sample-9"}
    with open_store(path, "a") as store:
        store.append(rows.take([2, 9]))
    assert rows_equal(open_store(path).read(rows.ids.tolist()), rows)


def test_repair_does_not_bring_back_an_older_row(path: Path) -> None:
    newer = make_rows(["sample-1"], seed=4)
    with new_store(path) as store:
        store.append(make_rows(numbered(0, 4)))
        store.append(newer)
    damage(path, newer, 0)
    assert repair(path).lost_ids == ["sample-1"]
    assert "sample-1" not in open_store(path).known()


def test_repair_of_a_sound_store_changes_nothing(path: Path) -> None:
    filled(path, make_rows(numbered(0, 4)))
    generation = open_store(path).generation
    assert repair(path).problems == []
    assert open_store(path).generation == generation


def test_added_columns_come_back_with_rows_appended_later(path: Path) -> None:
    filled(path, make_rows(numbered(0, 6)))
    with open_store(path, "a") as store:
        store.add_column("place", {"sample-1": "Köln", "sample-5": "Łódź"})
        store.add_column("mass", {"sample-0": 1.5})
        store.append(make_rows(["sample-6"]))
    with open_store(path, "a") as store:
        rows = make_rows(["sample-7"])
        store.append(Rows.build(["sample-7"], rows.functas, extra={"mass": np.array([2.5])}))
    rows = open_store(path).read()
    assert rows.extra["place"].tolist() == ["", "Köln", "", "", "", "Łódź", "", ""]
    assert rows.extra["mass"][[0, 7]].tolist() == [1.5, 2.5]
    assert open_store(path).verify().ok
    assert open_store(path).info()["extra"] == {"place": "text", "mass": "number"}


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("a/b", {}, "expected letters, digits"),
        ("mixed", {"sample-0": 1, "sample-1": "x"}, r"values of type \['int', 'str'\], expected only numbers"),
        ("long", {"sample-0": "x" * 300}, "a text of at most 256 bytes"),
        ("taken", {}, "there is a column 'taken' already"),
    ],
)
def test_columns_that_cannot_be_added(path: Path, name: str, values: dict[str, object], message: str) -> None:
    filled(path, make_rows(numbered(0, 2)))
    with open_store(path, "a") as store:
        store.add_column("taken", {})
        with pytest.raises(StoreError, match=message):
            store.add_column(name, values)
