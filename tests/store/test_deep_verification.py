"""A deep check says what it proves, and reads with other programs too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from store import open_store
from store.testing import make_rows, new_store, numbered


@pytest.fixture
def filled(path: Path) -> Path:
    with new_store(path) as store:
        store.append(make_rows(numbered(0, 9)))
        store.add_column("place", {"sample-3": "Köln"})
    return path


def test_a_sound_store_says_what_is_proved_and_what_cannot_be(filled: Path) -> None:
    report = open_store(filled).verify(deep=True)
    assert report.ok, report.problems
    assert any("zarr and h5py, without this package, read the same values" in line for line in report.proved)
    assert any("the seal over all checksums holds" in line for line in report.proved)
    assert any("checksums are no signatures" in line for line in report.not_proved)
    assert open_store(filled).verify().proved == []


def test_a_store_of_format_1_0_says_what_it_lacks() -> None:
    for suffix in ("zarr", "h5"):
        archive = Path(__file__).parent / "archives" / "v1.0" / f"sensor.{suffix}"
        report = open_store(archive).verify(deep=True)
        assert report.ok
        assert any("the store has format 1.0" in line for line in report.not_proved)


def test_what_other_programs_would_read_differently_is_a_problem(tmp_path: Path) -> None:
    """This package does not look at an array's codecs when it reads."""
    path = tmp_path / "store.zarr"
    with new_store(path) as store:
        store.append(make_rows(numbered(0, 9)))
    place = path / "steps" / "zarr.json"
    document = json.loads(place.read_text())
    document["codecs"][0]["configuration"]["endian"] = "big"
    place.write_text(json.dumps(document))
    report = open_store(path).verify(deep=True)
    assert not report.ok
    assert report.proved == []


def test_reading_differently_is_found_whatever_the_cause(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.verification.same_values", lambda *_: False)
    report = open_store(filled).verify(deep=True)
    assert "steps of rows 0..3 reads differently to other programs" in report.problems
