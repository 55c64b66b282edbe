from __future__ import annotations

from pathlib import Path

import pytest
from helpers.running import Functa

import fusion
from fusion.reporting import gallery
from store import open_store

SMALL = 'kind = "modulation"\nsize = 16\nhidden = [24, 24]\n[meta]\nsteps = 10\n'
ENCODE = ("--modality", "sensor", "--dataset", "uci-har", "--workers", 1, "--steps", 5)


def test_modulations_go_the_whole_way(functa: Functa, har: Path, tmp_path: Path) -> None:
    settings, store, model = tmp_path / "c.toml", tmp_path / "s.zarr", tmp_path / "m"
    settings.write_text(SMALL)
    report = functa("encode", har, "--store", store, *ENCODE, "--config", settings, "--json")
    assert report.code == 0, report.err
    assert (report.json["rows"], report.json["failed"]) == (36, 0)
    with open_store(store) as opened:
        assert opened.read(functas=False).steps.tolist() == [5] * 36
    assert functa("decode", store, "test-00001", "--out", tmp_path / "w.csv").code == 0
    assert functa("train", store, "--model", model, "--rounds", 5, "--threads", 1).code == 0
    predicted = functa("predict", model, tmp_path / "w.csv", "--json")
    assert predicted.json["predictions"][0]["error"] == ""


@pytest.mark.slow
def test_the_report_shows_reconstructions_where_rows_can_be_decoded(
    functa: Functa, har: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, store, model = tmp_path / "c.toml", tmp_path / "s.zarr", tmp_path / "m"
    settings.write_text(SMALL)
    assert functa("encode", har, "--store", store, *ENCODE, "--config", settings).code == 0
    assert functa("train", store, "--model", model, "--rounds", 5, "--threads", 1).code == 0
    compared: list[str] = []
    real = gallery.compare_samples
    monkeypatch.setattr(gallery, "compare_samples", lambda *given: compared.extend(given[2]) or real(*given))
    fusion.report(model, sources={"": har})
    assert compared
    assert "the original beside its reconstruction" in (model / "report.html").read_text()


def test_an_option_of_another_kind_is_named(functa: Functa, har: Path, tmp_path: Path) -> None:
    outcome = functa(
        "encode", har, "--store", tmp_path / "s.zarr", *ENCODE, "--encoder", "modulation", "--omegas", "30"
    )
    assert outcome.code == 2
    assert "unknown encoder option omegas; expected some of modality, size, hidden, omega" in outcome.err
