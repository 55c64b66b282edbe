from __future__ import annotations

from pathlib import Path

import pytest

from fusion.errors import ConfigError
from fusion.models.file_items import grouped

TWO = {"inertial": (".csv", ".npy"), "depth": (".mp4",)}
ALIKE = {"inertial": (".csv",), "skeleton": (".csv",)}


def names(items):
    return [{name: str(path) for name, path in item.items()} for item in items]


@pytest.mark.parametrize(
    ("files", "suffixes", "expected"),
    [
        (["a.csv", "b.csv"], {"sensor": (".csv",)}, [{"sensor": "a.csv"}, {"sensor": "b.csv"}]),
        (["a.csv", "b.MP4"], TWO, [{"inertial": "a.csv", "depth": "b.MP4"}]),
        (["a.csv", "b.csv", "b.mp4"], TWO, [{"inertial": "a.csv"}, {"inertial": "b.csv", "depth": "b.mp4"}]),
        (
            ["x/a_inertial.csv", "y/a_depth.mp4", "z/b-inertial.npy"],
            TWO,
            [{"inertial": "x/a_inertial.csv", "depth": "y/a_depth.mp4"}, {"inertial": "z/b-inertial.npy"}],
        ),
        (["inertial=a.csv", "skeleton=b.csv"], ALIKE, [{"inertial": "a.csv", "skeleton": "b.csv"}]),
        ([{"skeleton": "b.csv"}, {"inertial": "b.csv"}], ALIKE, [{"skeleton": "b.csv"}, {"inertial": "b.csv"}]),
        (["sensor=a.txt"], {"sensor": (".csv",)}, [{"sensor": "a.txt"}]),
        ([Path("depth=1.csv")], TWO, [{"inertial": "depth=1.csv"}]),
    ],
)
def test_files_become_items(files, suffixes, expected):
    assert names(grouped(files, suffixes)) == expected


@pytest.mark.parametrize(
    ("files", "suffixes", "message"),
    [
        (["a.csv"], ALIKE, r"a.csv belongs: .* .csv is read by 'inertial' and 'skeleton'. Write name=path"),
        (["a.txt"], TWO, r"a.txt belongs: the model has 'inertial', 'depth', and .txt is read by none of them"),
        (["a.csv", "a.npy"], TWO, r"a.csv and a.npy are both the 'inertial' of item 'a'"),
        ([{"sound": "a.wav"}], TWO, "an item names the modalities 'sound'; the model has 'inertial', 'depth'"),
    ],
)
def test_what_cannot_be_told_is_asked_for(files, suffixes, message):
    with pytest.raises(ConfigError, match=message):
        grouped(files, suffixes)
