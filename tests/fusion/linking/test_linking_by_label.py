from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from helpers.linked_stores import write_store
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion import link
from fusion.errors import ConfigError, DataError
from fusion.linking import label_maps, read_label_map
from fusion.linking.linker import link_sides
from fusion.linking.sides import Side

LABELS = ("walk", "sit", "<script>alert('x')</script>", 'say "hi", \N{GRINNING FACE}\n\r=1+1', "x" * 300)
group_of_samples = st.tuples(
    st.sampled_from(["train", "test", "fold-1", None]), st.lists(st.sampled_from([*LABELS, None]), max_size=6)
)
groups = st.lists(group_of_samples, min_size=1, max_size=5)


def rows_of(drawn, name):
    """Samples of groups that are each in one split."""
    return [
        (f"{name}{number}-{take}", label, split, f"{name}{number}")
        for number, (split, labels) in enumerate(drawn)
        for take, label in enumerate(labels)
    ]


def side_of(name, rows, seed):
    order = np.random.default_rng(seed).permutation(len(rows))
    columns = (np.array([rows[row][part] for row in order] + [None], dtype=object)[:-1] for part in range(4))
    return Side(name, f"{name}.zarr", "sensor", "", *columns, {}, np.full(len(rows), None))


@settings(max_examples=100, deadline=None)
@given(groups, groups, st.integers(0, 3), st.sampled_from(["inner", "left", "outer"]), st.booleans())
def test_pairs_stay_inside_splits(first, second, seed, how, reuse):
    sides = {"a": rows_of(first, "s"), "b": rows_of(second, "film")}
    known = {name: {row[0]: row for row in rows} for name, rows in sides.items()}
    strata = [Counter((row[2], row[1]) for row in rows if row[1] is not None) for rows in sides.values()]
    if not strata[0].keys() & strata[1].keys():
        return
    tables = [
        link_sides([side_of(*side, turn) for side in sides.items()], on="label", how=how, seed=seed, reuse=reuse)
        for turn in range(2)
    ]
    assert tables[0].frame.equals(tables[1].frame)
    table = tables[0]
    for name in "ab":
        used = [sample for sample in table.column(name) if sample is not None]
        assert reuse or len(used) == len(set(used))
        assert table.summary.left_over[name] == len(sides[name]) - len(set(used))
        for link_split, label, sample in zip(
            table.column("split"), table.column("label"), table.column(name), strict=True
        ):
            assert sample is None or known[name][sample][1:3] == (label, link_split)
    splits_of_group = {
        (group, split) for group, split in zip(table.column("group"), table.column("split"), strict=True)
    }
    assert len(splits_of_group) == len({group for group, _ in splits_of_group})
    if how == "inner" and not reuse:
        assert len(table) == sum((strata[0] & strata[1]).values())


@pytest.fixture
def pair(tmp_path):
    """Ten windows of two people and six films, named as the paper's pair names its classes."""
    windows = [(f"w{n}", ("SITTING", "WALKING")[n % 2], "train", f"person-{n // 5}") for n in range(10)]
    films = [(f"f{n}", ("sit", "walk", "brush_hair")[n % 3], "train", f"film-{n}") for n in range(6)]
    write_store(tmp_path / "har.zarr", windows)
    write_store(tmp_path / "hmdb.zarr", films, modality="video")
    return [tmp_path / "har.zarr", tmp_path / "hmdb.zarr"]


def test_the_papers_pair_by_the_shipped_map(pair):
    with pytest.raises(DataError, match=r"joined by label: har has 'SITTING'.* hmdb has 'sit'.*Give a label map"):
        link(pair, on="label")
    table = link(pair, on="label", labels="hmdb51-uci-har")
    assert Counter(table.column("label")) == {"SITTING": 2, "WALKING": 2}
    assert set(table.column("group")) <= {"har: person-0", "har: person-1"}
    assert table.summary.left_over == {"har": 6, "hmdb": 2}
    assert table.summary.warnings[0].startswith("joined by label: the samples of an item share their class and nothing")
    assert table.summary.warnings[1] == "1 labels are not in every store, first 'brush_hair'; see --labels."


def test_the_seed_draws_other_pairs(pair):
    first, again, other = (link(pair, on="label", labels="hmdb51-uci-har", seed=seed) for seed in (1, 1, 2))
    assert first.frame.equals(again.frame)
    assert not first.frame.equals(other.frame)


def test_reuse_takes_samples_again(pair):
    table = link(pair, on="label", labels="hmdb51-uci-har", reuse=True)
    assert len(table) == len(set(table.column("har"))) == 10
    assert Counter(Counter(table.column("hmdb")).values()) == {3: 2, 2: 2}


def test_the_shipped_map():
    assert label_maps() == ["hmdb51-uci-har"]
    assert read_label_map("hmdb51-uci-har")[""] == {
        "climb_stairs": "WALKING_UPSTAIRS",
        "sit": "SITTING",
        "stand": "STANDING",
        "walk": "WALKING",
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.csv", "store,label,common\nhmdb,sit,SITTING\nhmdb,walk,WALKING\nhmdb,brush_hair,\n"),
        ("m.toml", '[hmdb]\nsit = "SITTING"\nwalk = "WALKING"\nbrush_hair = ""\n'),
    ],
)
def test_maps_of_ones_own(pair, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    table = link(pair, on="label", labels=tmp_path / name, how="outer")
    assert set(table.column("label")) == {"SITTING", "WALKING"}
    assert table.summary.left_over == {"har": 0, "hmdb": 2}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.csv", "a,b\n1,2\n", "has columns a, b; expected label, common and, if wanted, store"),
        ("m.csv", "label,common\nx,y\nx,z\n", "gives 'x' two common labels"),
        ("m.toml", "x = 1\n", "turns 'x' into int 1; expected a label in quotes"),
        ("m.toml", "x = [", "is not TOML"),
        ("m.csv", b"label,common\n\xff,\xfe\n", "is not CSV"),
    ],
)
def test_a_wrong_map_is_explained(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=message):
        read_label_map(tmp_path / name)


def test_a_map_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"neither a .csv nor a .toml file, nor .*: hmdb51-uci-har"):
        read_label_map("hmdb51")
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_label_map(tmp_path / "m.csv")
