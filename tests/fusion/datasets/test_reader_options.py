from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.image_files import write_picture
from helpers.made_walks import walks, written

from fusion.datasets import dataset_names, open_dataset, reader_options
from fusion.datasets.options import typed_options
from fusion.errors import ConfigError, SampleError


def opened(source: Path, modality: str, **options: Any) -> Any:
    with open_dataset(None, source, modality=modality, options=options) as dataset:
        return dataset


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    write_picture(tmp_path / "outside.png")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "list.csv").write_text("path\n../outside.png\n")
    return tmp_path / "in" / "list.csv"


@pytest.mark.parametrize("no", ["no", "off", "false", "False", "0", "NO"])
def test_no_means_no(outside: Path, no: str) -> None:
    with pytest.raises(SampleError, match="leaves the folder"):
        _ = next(iter(opened(outside, "image", outside=no))).raw


@pytest.mark.parametrize("yes", ["yes", "on", "true", "True", "1"])
def test_yes_means_yes(outside: Path, yes: str) -> None:
    assert next(iter(opened(outside, "image", outside=yes))).raw.ndim == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"outside": "maybe"}, "reader option outside is 'maybe'; expected yes or no"),
        ({"test_share": "many"}, "reader option test_share is 'many'; expected a number"),
        ({"seed": "1.5"}, "reader option seed is '1.5'; expected a whole number"),
        ({"outsid": "yes"}, r"the reader 'files' has no option 'outsid'; did you mean outside\? It takes length, col"),
        ({"window": "2"}, "the reader 'files' has no option 'window'. It takes length"),
    ],
)
def test_a_wrong_option_is_answered_with_the_right_ones(outside: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        opened(outside, "image", **options)


def test_names_that_look_like_numbers_stay_names(tmp_path: Path) -> None:
    table = walks("ab", seconds=3).rename(columns={"label": "1", "group": "true"})
    path = written(tmp_path / "t.csv", table)
    dataset = opened(path, "sensor", label="1", group="true", window="1", resample="off")
    assert (dataset.reading.label, dataset.reading.group, dataset.reading.resample) == ("1", "true", False)
    assert dataset.options == opened(path, "sensor", **dataset.options).options


@pytest.mark.parametrize("layout", dataset_names())
def test_every_option_of_every_reader_is_described(layout: str) -> None:
    for option in reader_options(layout):
        assert option.kinds, option
        assert len(option.says) > 10, option


def test_a_reader_that_takes_anything_is_given_json_values() -> None:
    def reader(source: str, **options: Any) -> None: ...

    given = {"a": "1.5", "b": "true", "c": "x", "d": 3}
    assert typed_options("own", reader, given) == {"a": 1.5, "b": True, "c": "x", "d": 3}
