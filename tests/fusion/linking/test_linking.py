from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

import numpy as np
import pandas as pd
import pytest
from helpers.linked_stores import samples, write_store

from fusion import link
from fusion.errors import ConfigError, DataError


@pytest.fixture
def two(tmp_path):
    """A sensor store, and a camera store that lacks one sample and has one of its own."""
    rows = samples()
    write_store(tmp_path / "worn.zarr", rows)
    write_store(tmp_path / "camera.h5", [*rows[1:], ("extra", "sit", "train", "subject-9")], modality="video")
    return [tmp_path / "worn.zarr", tmp_path / "camera.h5"]


def test_by_id(two):
    table = link(two)
    assert list(table.frame) == ["link_id", "split", "label", "group", "worn", "camera"]
    assert table.column("link_id").tolist() == sorted(name for name, *_ in samples()[1:])
    assert (table.column("worn") == table.column("camera")).all()
    assert table.summary.left_over == {"worn": 1, "camera": 1}
    assert table.stores["camera"].modality == "video"
    assert table.to_dict()["matched"] == table.to_dict()["rows"] == 19


@pytest.mark.parametrize(("how", "rows", "left_over"), [("left", 20, (0, 1)), ("outer", 21, (0, 0))])
def test_what_stays_when_a_store_lacks_it(two, how, rows, left_over):
    table = link(two, how=how)
    assert (len(table), table.summary.matched) == (rows, 19)
    assert tuple(table.summary.left_over.values()) == left_over
    lacking = table.frame[table.frame["camera"].isna()]
    assert lacking[["link_id", "worn", "group"]].to_numpy().tolist() == [["0-0", "0-0", "subject-0"]]


def test_three_stores(two, tmp_path):
    write_store(tmp_path / "sound.zarr", samples()[5:], modality="audio")
    table = link([*two, tmp_path / "sound.zarr"])
    assert table.summary.matched == len(table) == 15
    assert table.summary.left_over == {"worn": 5, "camera": 5, "sound": 0}


def test_by_group_and_the_last_number(tmp_path):
    write_store(tmp_path / "a.zarr", samples(form="s{subject}/take-{number}"))
    write_store(tmp_path / "b.zarr", samples(form="film{number:03d}.{subject}x"), modality="video")
    stores = [tmp_path / "a.zarr", tmp_path / "b.zarr"]
    table = link(stores, on="group", key={"b": r"film(\d+)\."})
    assert table.frame.iloc[6][["link_id", "a", "b"]].tolist() == ["subject-1/1", "s1/take-1", "film001.1x"]
    assert link(stores, on="group", key=[r"b=film(\d+)\.", r"take-(\d+)"]).frame.equals(table.frame)
    with pytest.raises(ConfigError, match="keys are 'x', 'y'; expected one for each store, or one for all"):
        link(stores, on="group", key=["x", "y"])
    with pytest.raises(DataError, match="no item is in all 2 stores, joined by group: a has 'subject-0', "):
        link(stores, on="group", key="nothing")


def test_names_that_differ_in_their_form_of_unicode_alone_are_told(tmp_path):
    for store, form in (("a", "NFC"), ("b", "NFD")):
        rows = [(normalize(form, f"m{chr(0xFC)}ller-{name}"), *others) for name, *others in samples()]
        write_store(tmp_path / f"{store}.zarr", rows, modality={"a": "sensor", "b": "video"}[store])
    told = r"They differ in their form of Unicode alone \(a in NFC, b in NFD\): rename"
    with pytest.raises(DataError, match=told):
        link([tmp_path / "a.zarr", tmp_path / "b.zarr"])


def test_by_group_and_a_column(tmp_path):
    write_store(tmp_path / "a.zarr", samples(), extra="take")
    write_store(tmp_path / "b.zarr", samples(form="film-{subject}-{number}"), modality="video", extra="take")
    table = link([tmp_path / "a.zarr", tmp_path / "b.zarr"], on="group", key="column:take")
    assert table.column("b").tolist() == [f"film-{name}" for name in table.column("a")]
    assert table.column("link_id")[0] == "subject-0/0"
    with pytest.raises(ConfigError, match=r"has no column 'tape' of its own; it has take"):
        link([tmp_path / "a.zarr", tmp_path / "b.zarr"], on="group", key="column:tape")


def test_a_key_that_is_not_unique_is_explained(tmp_path):
    write_store(tmp_path / "a.zarr", samples(form="{subject}-{number}-1"))
    write_store(tmp_path / "b.zarr", samples(), modality="video")
    with pytest.raises(DataError, match=r"16 samples of store .*a\.zarr share group and key .* first 'subject-0/1'"):
        link([tmp_path / "a.zarr", tmp_path / "b.zarr"], on="group")


def test_by_table(two, tmp_path):
    pairs = pd.DataFrame({"camera": ["0-1", "0-3", "gone", None], "worn": ["0-3", "0-1", "1-1", "1-3"], "note": "x"})
    pairs.to_csv(tmp_path / "pairs.csv", index=False)
    table = link(two, on="table", table=tmp_path / "pairs.csv")
    assert table.frame[["worn", "camera"]].to_numpy().tolist() == [["0-1", "0-3"], ["0-3", "0-1"]]
    assert table.summary.warnings == ("1 IDs of the table of pairs are in no store; they were passed over.",)
    assert len(link(two, on="table", table=pairs, how="left")) == 20
    outer = link(two, on="table", table=pairs, how="outer")
    assert outer.summary.left_over == {"worn": 0, "camera": 0}
    assert outer.summary.matched == 2


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_table_of_pairs_is_read_as_people_write_it(two, tmp_path, suffix):
    pairs = pd.DataFrame({"worn": ["0-1", "0-3"], "camera": ["0-3", "0-1"]})
    if suffix == ".parquet":
        pairs.to_parquet(tmp_path / "pairs.parquet")
    else:
        separator = "; " if suffix == ".csv" else "\t "
        lines = [separator.join(row) for row in ([*pairs], *pairs.to_numpy().tolist())]
        (tmp_path / f"pairs{suffix}").write_text("\n".join(lines) + "\n")
    table = link(two, on="table", table=tmp_path / f"pairs{suffix}")
    assert table.frame[["worn", "camera"]].to_numpy().tolist() == [["0-1", "0-3"], ["0-3", "0-1"]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"worn": ["0-1"]}, r"columns 'worn'; expected one for each store, but 'camera' is missing"),
        ({"worn": ["0-1"], "camera": ["?"]}, r"none of the IDs in column 'camera' is in store .*, first '\?'"),
        ({"worn": ["0-1"] * 2, "camera": ["0-1"] * 2}, r"lists 1 items twice, first '0-1\+0-1'"),
    ],
)
def test_a_wrong_table_is_explained(two, columns, message):
    with pytest.raises(DataError, match=message):
        link(two, on="table", table=pd.DataFrame(columns))


@pytest.mark.parametrize(("part", "name", "value"), [(1, "label", "run"), (2, "split", "test"), (3, "group", "other")])
def test_a_conflict_lists_the_first_five(tmp_path, part, name, value):
    rows = samples()
    write_store(tmp_path / "a.zarr", rows)
    changed = [row if number >= 7 else (*row[:part], value, *row[part + 1 :]) for number, row in enumerate(rows)]
    write_store(tmp_path / "b.zarr", changed, shuffle=3)
    with pytest.raises(
        DataError, match=rf"7 linked items have more than one {name}, first '0-0' \(a: .*, b: '{value}'\)"
    ) as e:
        link([tmp_path / "a.zarr", tmp_path / "b.zarr"])
    assert str(e.value).count("a: ") == 5


def test_what_one_store_does_not_know_the_other_tells(tmp_path):
    rows = samples()
    write_store(tmp_path / "a.zarr", [(name, None, None, group) for name, _, _, group in rows])
    write_store(tmp_path / "b.zarr", [(name, label, split, None) for name, label, split, _ in rows])
    table = link([tmp_path / "a.zarr", tmp_path / "b.zarr"])
    assert table.frame[["link_id", "label", "split", "group"]].to_numpy().tolist() == [list(row) for row in rows]


def test_a_group_in_two_splits_is_refused(tmp_path):
    rows = [(name, label, "test" if name.endswith("-4") else "train", group) for name, label, _, group in samples()]
    for name in "ab":
        write_store(tmp_path / f"{name}.zarr", rows)
    for on in ("id", "label"):
        with pytest.raises(
            DataError, match=r"4 groups of store .*a\.zarr are in more than one split, first 'subject-0'"
        ):
            link([tmp_path / "a.zarr", tmp_path / "b.zarr"], on=on)


def test_stores_are_named_by_file_or_by_hand(two, tmp_path):
    (tmp_path / "other").mkdir()
    write_store(tmp_path / "other" / "worn.zarr", samples())
    with pytest.raises(ConfigError, match=r"named 'worn', 'worn'; expected a name for each. Write name=path"):
        link([two[0], tmp_path / "other" / "worn.zarr"])
    assert list(link([two[0], f"left={tmp_path / 'other' / 'worn.zarr'}"]).stores) == ["worn", "left"]
    assert list(link({"x": two[0], "y": two[1]}).stores) == ["x", "y"]
    with pytest.raises(ConfigError, match="cannot be named 'label' in a link table"):
        link({"label": two[0], "y": two[1]})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on": "row"}, "on is 'row'; expected one of id, group, table, label"),
        ({"how": "right"}, "how is 'right'; expected one of inner, left, outer"),
        ({"on": "table"}, "a join by table needs a table of pairs"),
        ({"table": "x.csv"}, "a join by id takes no table of pairs"),
        ({"key": "x"}, "a join by id takes no key"),
        ({"reuse": True}, "reuse goes with on='label' only"),
        ({"on": "group", "key": "("}, r"key '\(' is not a regular expression"),
        ({"on": "group", "key": {"z": "x"}}, "keys are given for 'z'; the stores to link are worn, camera"),
        ({"labels": {"z": {"walk": "run"}}}, "the label map names the stores 'z'"),
    ],
)
def test_wrong_arguments_are_explained(two, options, message):
    with pytest.raises(ConfigError, match=message):
        link(two, **options)
    with pytest.raises(ConfigError, match="two or more stores, got 1"):
        link(two[:1])


def test_a_notebook_shows_what_it_did(two):
    shown = link(two, how="left")._repr_html_()
    assert "<th>matched</th><td>19 in all 2 stores</td>" in shown


def test_it_prints_what_it_did(two):
    text = str(link(two, how="left"))
    assert "matched    19 in all 2 stores" in text
    assert "left over  worn 0 of 20, camera 1 of 20" in text
    assert "missing    camera 1" in text
    assert "splits     test 5, train 15" in text
    assert "classes    2: sit 8, walk 12" in text
    assert np.all([len(line) < 200 for line in text.splitlines()])


def test_names_that_are_numbers_are_called_as_data_sets_call_them(tmp_path):
    for name in ("a", "b"):
        write_store(tmp_path / f"{name}.zarr", [(f"{n}", f"{n % 2}", "train", "g") for n in range(4)])
    stores = [tmp_path / "a.zarr", tmp_path / "b.zarr"]
    pairs = pd.DataFrame({"a": [0.0, 1.0, np.nan], "b": [2, 3, 0]})
    table = link(stores, on="table", table=pairs, labels={"": {1.0: 7}})
    assert table.frame[["label", "a", "b"]].to_numpy().tolist() == [["0", "0", "2"], ["7", "1", "3"]]


def test_stores_of_no_name_or_path_are_refused_in_one_line(two):
    with pytest.raises(ConfigError, match="a store cannot be named 1 in a link table; write name=path"):
        link({1: two[0], "camera": two[1]})
    with pytest.raises(ConfigError, match="the store camera is None; expected a store or the path of one"):
        link({"worn": two[0], "camera": None})


@pytest.mark.parametrize("one", [None, 5, "worn.zarr", Path("worn.zarr")])
def test_what_is_no_list_of_stores_is_refused_in_one_line(one):
    with pytest.raises(ConfigError, match="expected a list of stores, or a mapping by name"):
        link(one)
