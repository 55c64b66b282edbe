"""The command that is told encodes the same store again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from helpers.made_walks import walks, written
from typer.testing import CliRunner

from cli.main import app
from fusion.datasets import SensorTable
from fusion.encoders import EncodeOptions, encode
from fusion.encoders.presets import config_for
from fusion.encoders.repeating import encode_command
from fusion.modalities import AudioModality, ImageModality, SensorModality
from store import open_store


def told(config: Any, **header: Any) -> str | None:
    config = config.with_modality(config.modality)
    plain = {"modality": config.modality.name, "dataset": "folder", "encoder": config.to_dict(), "conventions": {}}
    return encode_command(plain | header, "in", "s.zarr")


def test_the_command_of_a_store_makes_it_again(tmp_path: Path) -> None:
    source = written(tmp_path / "t.csv", walks("abc", seconds=2))
    table = SensorTable(source, window=1, id="id", test_share=0.4)
    config = config_for(table.default_modality(), {"fit": {"steps": 1}, "omegas": [30.0, 1.5], "seed": 7})
    encode(table, tmp_path / "s.zarr", config, EncodeOptions(workers=1))
    with open_store(tmp_path / "s.zarr") as store:
        header = store.header
    plain = {name: getattr(header, name) for name in ("modality", "dataset", "encoder", "conventions")}
    command = encode_command(plain, source, tmp_path / "again.zarr")
    assert command is not None
    done = CliRunner().invoke(app, [*shlex.split(command)[1:], "--workers", "1"])
    assert done.exit_code == 0, done.output
    with open_store(tmp_path / "again.zarr") as again:
        assert again.header.encoder == header.encoder
        assert again.header.conventions == header.conventions


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (config_for(ImageModality((8, 8))), "functa encode in --modality image --store s.zarr --size 8x8"),
        (
            config_for(SensorModality(8, ("a",)), {"kind": "local"}),
            "functa encode in --modality sensor --store s.zarr --encoder local",
        ),
        (
            config_for(ImageModality((8, 8)), {"kind": "local", "mirrored": [1]}),
            "functa encode in --modality image --store s.zarr --encoder local --augment flip --size 8x8",
        ),
        (
            config_for(AudioModality("log-mel", 8000, 1), {"kind": "local"}),
            (
                "functa encode in --modality audio --store s.zarr --encoder local "
                "--transform log-mel --rate 8000 --seconds 1"
            ),
        ),
        (config_for(ImageModality((8, 8)), {"kind": "local", "mirrored": [0]}), None),
        (config_for(SensorModality(8, ("a",)), {"samples_per_class": 3}), None),
        (config_for(SensorModality(8, ("a",)), {"fit": {"coordinates_per_step": 4}}), None),
    ],
)
def test_what_options_cannot_say_is_not_told(config: Any, expected: str | None) -> None:
    assert told(config) == expected


def test_layout_splits_and_flags_are_told() -> None:
    conventions = {"reader": {"outside": True, "columns": ["a b", "c"]}, "train_splits": ["fold-1", "fold-2"]}
    command = told(config_for(SensorModality(8, ("a",))), dataset="uci-har", conventions=conventions)
    assert command == (
        "functa encode in --modality sensor --store s.zarr --dataset uci-har --reader outside=yes "
        "--reader 'columns=a b,c' --train-split fold-1 --train-split fold-2"
    )
