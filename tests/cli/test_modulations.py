from __future__ import annotations

from pathlib import Path

from helpers.running import Functa

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


def test_an_option_of_another_kind_is_named(functa: Functa, har: Path, tmp_path: Path) -> None:
    outcome = functa(
        "encode", har, "--store", tmp_path / "s.zarr", *ENCODE, "--encoder", "modulation", "--omegas", "30"
    )
    assert outcome.code == 2
    assert "unknown encoder option omegas; expected some of modality, size, hidden, omega" in outcome.err
