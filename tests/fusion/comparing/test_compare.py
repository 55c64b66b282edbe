from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.made_functas import functa_rows
from helpers.made_samples import MadeSamples
from matplotlib.figure import Figure

from fusion.comparing import cells
from fusion.comparing.compare import compare
from fusion.encoders.options import EncodeOptions
from fusion.errors import ConfigError, DataError
from fusion.estimators.presets import training_settings
from fusion.linking.linker import link
from fusion.models.training import train

PRESETS = {name: training_settings(name, n_estimators=12, n_jobs=1) for name in ("fast", "paper")}


def test_the_better_store_wins_and_the_document_has_its_keys(noisy_store, tmp_path):
    found = compare([noisy_store("good", 0.1), noisy_store("bad", 2.0)], tmp_path / "out", presets=PRESETS, folds=3)
    assert [found.best.encoder, found.places[-1].encoder] == ["good", "bad"]
    assert len(found.places) == 4
    told = json.loads(json.dumps(found.to_dict()))
    assert {"encoder", "preset", "fusion", "mean", "sd", "interval", "seconds"} <= told["table"][0].keys()
    assert told["best"]["encoder"] == "good"
    assert told["paired"]["test"] == "corrected resampled t"
    worst = told["paired"]["rows"][-1]
    assert worst["difference"] < -0.2
    assert worst["p"] < 0.05
    assert list(found.table["mean"]) == sorted(found.table["mean"], reverse=True)
    assert "3 folds of 54 training rows" in str(found)
    assert "<td>best</td>" in found._repr_html_()
    drawn = found.plot(ax=Figure().subplots())
    assert [text.get_text() for text in drawn.get_yticklabels()] == [place.name for place in found.places]


def test_its_scores_are_those_of_a_cross_validation_of_the_training_rows_alone(noisy_store, tmp_path):
    store = noisy_store("one", 1.0, splits=[None] * 72, labels=labels_without_test())
    preset = training_settings(n_estimators=4, n_jobs=1)
    whole = train(store, preset=preset, cv=3)
    found = compare(noisy_store("two", 1.0), presets={"paper": preset}, folds=3)
    assert found.best.mean == pytest.approx(whole.accuracy)


def test_other_functas_under_the_same_header_are_measured_anew(noisy_store, tmp_path):
    store, other = noisy_store("a", 0.1), noisy_store("b", 2.0)
    good, bad = (compare(path, tmp_path / "out", presets=PRESETS, folds=3).best.mean for path in (store, other))
    assert good > bad + 0.2


def labels_without_test() -> list[str | None]:
    rows = functa_rows(12, 6)
    return [None if split == "test" else label for label, split in zip(rows.labels, rows.splits, strict=True)]


def test_test_rows_are_never_looked_at(noisy_store):
    rows = functa_rows(12, 6)
    wrong = np.where(rows.splits == "test", np.roll(rows.labels, 1), rows.labels)
    honest, other = (
        compare(store, presets=PRESETS, folds=3) for store in (noisy_store("a", 1), noisy_store("b", 1, labels=wrong))
    )
    assert honest.table.drop(columns="seconds").equals(other.table.drop(columns="seconds"))


def test_what_is_finished_is_not_measured_again(noisy_store, tmp_path, monkeypatch):
    store = noisy_store("a", 1.0)
    calls = []
    fit = cells.fit_model

    def counting(*args):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return fit(*args)

    monkeypatch.setattr(cells, "fit_model", counting)
    with pytest.raises(KeyboardInterrupt):
        compare(store, tmp_path / "out", presets=PRESETS, folds=3)
    first = compare(store, tmp_path / "out", presets=PRESETS, folds=3)
    assert len(calls) == 5 + 3
    (tmp_path / "out" / "cells" / "damaged.json").write_text("{")
    again = compare(store, tmp_path / "out", presets=PRESETS, folds=3)
    assert len(calls) == 5 + 3
    assert again.to_dict() == first.to_dict()
    compare(store, tmp_path / "out", presets=PRESETS, folds=2)
    assert len(calls) == 5 + 3 + 4


def test_modalities_are_linked_and_every_fusion_measured(noisy_store, tmp_path):
    sources = [
        f"{name}={noisy_store(f'{name}-{side}', noise, dataset=side)}"
        for name, noise in (("good", 0.5), ("bad", 2.0))
        for side in ("arm", "leg")
    ]
    preset = {"fast": PRESETS["fast"]}
    found = compare(sources, tmp_path / "out", presets=preset, folds=2, best=tmp_path / "model")
    assert {(place.encoder, place.fusion) for place in found.places} == {
        (encoder, fusion) for encoder in ("good", "bad") for fusion in ("early", "late", "stacked")
    }
    assert found.best.encoder == "good"
    assert found.winner["accuracy"] == found.trained.accuracy
    assert found.trained.fusion == found.best.fusion
    assert found.trained.rows_test == 18
    stamp = (tmp_path / "model" / "model.json").stat().st_mtime_ns
    again = compare(sources, tmp_path / "out", presets=preset, folds=2, best=tmp_path / "model")
    assert again.winner == found.winner
    assert (tmp_path / "model" / "model.json").stat().st_mtime_ns == stamp


def test_a_fusion_costs_the_same_whoever_came_first(noisy_store, tmp_path):
    link_table = link({"arm": noisy_store("arm", 1), "leg": noisy_store("leg", 1)}, on="id")
    preset = {"fast": PRESETS["fast"]}
    alone = compare(link_table, presets=preset, fusions=("late",), folds=2)
    after = compare(link_table, presets=preset, fusions=("stacked", "late"), folds=2)
    late = next(place for place in after.places if place.fusion == "late")
    assert late.mean == alone.best.mean
    assert late.seconds > alone.best.seconds / 5


def test_one_split_is_tested_by_mcnemar(noisy_store, tmp_path):
    found = compare([noisy_store("a", 0.1), noisy_store("b", 2.0)], tmp_path / "out", presets=PRESETS, folds=1)
    assert found.test == "McNemar"
    assert np.isnan(found.best.sd)
    low, high = found.places[-1].interval
    assert low <= found.places[-1].mean <= high


def test_a_budget_leaves_cells_for_the_next_time(noisy_store, tmp_path):
    store = noisy_store("a", 1.0)
    first = compare(store, tmp_path / "out", presets=PRESETS, folds=2, budget=0)
    assert len(first.places) == 1
    assert any("1 of 2 cells are not measured" in note for note in first.notes)
    assert len(compare(store, tmp_path / "out", presets=PRESETS, folds=2).places) == 2


def test_a_cell_that_fails_is_told_and_the_others_go_on(noisy_store, tmp_path):
    sides = {
        side: noisy_store(side, 1.0, dataset=side, groups=["one", "two"] * 36, splits=["train"] * 72)
        for side in ("arm", "leg")
    }
    preset = {"fast": PRESETS["fast"]}
    found = compare(list(sides.values()), tmp_path / "out", presets=preset, folds=2, train_splits=("train",))
    assert [place.fusion for place in found.places] == ["early"]
    assert any("late" in note and "of one group" in note for note in found.notes)


def test_rows_that_an_encoder_lacks_are_left_out_for_all(noisy_store, tmp_path):
    lacking = functa_rows(12, 6).labels.copy()
    lacking[:3] = None
    stores = [noisy_store("a", 0.5), noisy_store("b", 0.5, labels=lacking)]
    found = compare(stores, tmp_path / "out", presets={"fast": PRESETS["fast"]}, folds=2)
    assert found.rows == 51
    assert "a: 3 training rows are left out, which not all encoders have" in found.notes


def test_data_sets_are_encoded_by_every_encoder_and_go_on(made: MadeSamples, tmp_path: Path) -> None:
    encoders = {
        name: {"architecture": "paper-half", "fit": {"steps": steps}, "initialisation": "random"}
        for name, steps in (("short", 1), ("long", 3))
    }
    preset = {"fast": PRESETS["fast"]}
    how = {"encoders": encoders, "presets": preset, "folds": 2, "encode_options": EncodeOptions(workers=1)}
    found = compare(made, tmp_path / "out", **how)
    assert {place.encoder for place in found.places} == {"short", "long"}
    assert len(list((tmp_path / "out" / "stores").glob("*.zarr"))) == 2
    assert compare(made, tmp_path / "out", **how).to_dict() == found.to_dict()


def test_what_cannot_be_compared_is_one_line(noisy_store, tmp_path):
    store, other = noisy_store("a", 1), noisy_store("b", 1, labels=np.roll(functa_rows(12, 6).labels, 1))
    with pytest.raises(ConfigError, match="name a folder"):
        compare([store, other])
    with pytest.raises(DataError, match=r"54 training rows have other labels in b than in a, first '0000'"):
        compare([store, other], tmp_path / "out", presets=PRESETS)
    with pytest.raises(DataError, match="20 folds has 9 groups among 54"):
        compare(store, presets=PRESETS, folds=20)
    with pytest.raises(DataError, match="no labelled test rows"):
        compare(store, presets=PRESETS, best=tmp_path / "m", test_splits=("val",))
    with pytest.raises(ConfigError, match="0 folds"):
        compare(store, presets=PRESETS, folds=0)


def test_numbers_are_ranked_by_their_r2(noisy_store, tmp_path):
    rows = functa_rows(12, 6)
    numbers = [f"{value:.4f}" for value in rows.functas[:, 0] * 3]
    stores = [noisy_store(name, noise, labels=numbers) for name, noise in (("good", 0.1), ("bad", 3.0))]
    found = compare(stores, tmp_path / "out", presets=("linear",), folds=3, task="regression", best=tmp_path / "model")
    assert found.measure == "r2"
    assert found.best.encoder == "good"
    assert found.best.mean > 0.8
    assert found.winner["r2"] > 0.8
    with pytest.raises(ConfigError, match="one fold of the task regression"):
        compare(stores[0], presets=("linear",), folds=1, task="regression")
