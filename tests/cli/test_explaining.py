"""`functa explain`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers.har_files import write_har
from helpers.running import Functa

import fusion
from fusion.encoders import EncodeOptions, LocalConfig
from fusion.modalities.sensor import SensorModality

HAR = "UCI HAR Dataset"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """UCI-HAR's layout, a store of local functas, and a model."""
    folder = tmp_path_factory.mktemp("explained")
    write_har(folder)
    config = LocalConfig(SensorModality(), windows=((16,),), strides=((8,),), centres=16, dimensions=8, patches=300)
    with fusion.open_dataset("uci-har", folder / HAR, modality="sensor") as data:
        fusion.encode(data, folder / "har.zarr", config, EncodeOptions(workers=1))
    fusion.train(folder / "har.zarr", folder / "har", preset="linear")
    return folder


def test_an_item_is_told_and_drawn(functa: Functa, folder: Path, tmp_path: Path) -> None:
    asked = ("explain", folder / "har", "test-00001", "--source", folder / HAR)
    outcome = functa(*asked, "--out", tmp_path / "why.png")
    assert outcome.code == 0, outcome.err
    assert "reading" in outcome.out
    assert (tmp_path / "why.png").read_bytes()[:4] == b"\x89PNG"
    told = functa(*asked, "--json").json
    assert told["id"] == "test-00001"
    assert len(told["modalities"]["sensor"]["strongest"]) <= 5


def test_evidence_is_checked_by_deletion(functa: Functa, folder: Path) -> None:
    outcome = functa("explain", folder / "har", "--check", "3", "--source", folder / HAR, "--json")
    (check,) = outcome.json["checks"]
    assert check["items"] == 3
    assert {"lost_strongest", "lost_random", "passed"} <= check.keys()
    assert "difference" in functa("explain", folder / "har", "--check", "3", "--source", folder / HAR).out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "expected the ID of an item, or --check"),
        (("test-00001", "--check", "3"), 2, "expected the ID of an item, or --check"),
        (("test-00001",), 2, "--source sensor=PATH"),
        (("nobody",), 1, "no store of the model has an item 'nobody'"),
        (("test-00001", "--store", "x"), 2, "expected a modality and a path"),
    ],
)
def test_what_cannot_be_explained_is_one_line(
    functa: Functa, folder: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    outcome = functa("explain", folder / "har", *arguments)
    assert outcome.code == code
    assert message in outcome.error_line()


def test_the_report_shows_the_evidence(functa: Functa, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "har", tmp_path / "har")
    outcome = functa("report", tmp_path / "har", "--source", folder / HAR, "--json")
    assert outcome.code == 0, outcome.err
    page = (tmp_path / "har" / "report.html").read_text()
    assert page.count("data:image/png;base64,") >= 2
    assert "No pictures" not in page
