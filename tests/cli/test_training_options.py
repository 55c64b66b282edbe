from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.running import Functa

from fusion.models.folder import load_model

QUICK = ("--rounds", 4, "--threads", 1, "--json")


def test_train_by_preset_and_in_external_memory(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    plain = functa("train", har_store, "--model", tmp_path / "a", "--preset", "fast", *QUICK).json
    paged = functa("train", har_store, "--model", tmp_path / "b", "--preset", "fast", "--external-memory", *QUICK).json
    assert plain["columns"] == paged["columns"] == 1500
    assert plain["accuracy"] == paged["accuracy"]
    assert load_model(tmp_path / "a").classifier.max_depth == 3


def test_without_a_preset_one_is_chosen_unless_other_options_say_how(
    functa: Functa, har_store: Path, tmp_path: Path
) -> None:
    auto, paper = (
        functa("train", har_store, "--model", tmp_path / name, "--threads", 1, *options, "--json").json
        for name, options in (("a", ()), ("b", ("--rounds", 4)))
    )
    assert auto["tuning"]["chosen"] in ("fast", "linear")
    assert "tuning" not in paper
    told = [json.loads((tmp_path / name / "run.json").read_text())["runs"][0]["settings"] for name in "ab"]
    assert [settings["preset"] for settings in told] == ["auto", "paper"]


def test_an_unknown_preset_is_a_usage_error(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    outcome = functa("train", har_store, "--model", tmp_path / "m", "--preset", "turbo")
    assert outcome.code == 2
    assert "preset is 'turbo'; expected one of paper, fast" in outcome.error_line()


def test_train_with_the_linear_booster(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    found = functa("train", har_store, "--model", tmp_path / "m", "--booster", "gblinear", *QUICK).json
    assert load_model(tmp_path / "m").classifier.booster == "gblinear"
    assert functa("evaluate", tmp_path / "m", har_store, "--json").json["accuracy"] == found["accuracy"]


def test_train_with_an_estimator_of_scikit_learn(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    found = functa(
        "train", har_store, "--model", tmp_path / "m", "--estimator", "GaussianNB(var_smoothing=0.1)", "--json"
    )
    assert found.code == 0, found.err
    assert "--estimator 'GaussianNB(var_smoothing=0.1)'" in (tmp_path / "m" / "metrics.json").read_text()
    assert functa("evaluate", tmp_path / "m", har_store, "--json").json["accuracy"] == found.json["accuracy"]


def test_folds_and_seeds_give_mean_and_deviation(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    found = functa("train", har_store, "--model", tmp_path / "m", "--cv", 2, "--seeds", 2, *QUICK).json
    assert [each["seed"] for each in found["seeds"]] == [42, 43]
    assert [len(each["folds"]) for each in found["seeds"]] == [2, 2]
    assert found["mean"] == pytest.approx(sum(each["accuracy"] for each in found["seeds"]) / 2)
    assert found["sd"] >= 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_train_on_a_cluster(functa_process: Functa, har_store: Path, tmp_path: Path) -> None:
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
        place = ("--scheduler", cluster.scheduler_address, "--threads", 1, "--json")
        options = ("--model", tmp_path / "m", *place, "--preset", "fast", "--rounds", 3)
        found = functa_process("train", har_store, *options).json
        linear = functa_process("train", har_store, "--model", tmp_path / "l", *place, "--booster", "gblinear").json
    here = functa_process("train", har_store, "--model", tmp_path / "h", "--preset", "linear", "--json").json
    assert linear["accuracy"] == here["accuracy"]
    assert found["columns"] == 1500
    assert load_model(tmp_path / "m").classifier.n_rounds_ == found["rounds"] <= 3


def test_a_sample_of_the_groups_is_said_and_recorded(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    outcome = functa("train", har_store, "--model", tmp_path / "m", "--sample", 0.5, *QUICK)
    assert outcome.code == 0, outcome.err
    assert "trained on a sample: " in outcome.err + outcome.out
    recorded = json.loads((tmp_path / "m" / "run.json").read_text())["runs"][0]
    assert recorded["settings"]["sample"] == 0.5
    assert "--sample 0.5" in recorded["command"]
    assert json.loads((tmp_path / "m" / "metrics.json").read_text())["sample"] == 0.5


def test_a_sample_is_a_share_and_goes_without_folds(functa: Functa, har_store: Path, tmp_path: Path) -> None:
    outcome = functa("train", har_store, "--model", tmp_path / "m", "--sample", 2)
    assert outcome.code == 2
    assert "sample is 2.0; expected a share of the training groups" in outcome.error_line()
    outcome = functa("train", har_store, "--model", tmp_path / "m", "--sample", 0.5, "--cv", "group")
    assert outcome.code == 2
    assert "expected one of them" in outcome.error_line()
