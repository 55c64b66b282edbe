"""What is sent to MLflow and TensorBoard: through stand-ins for both, and through the libraries where there are any."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.made_functas import functa_rows, stored

import fusion
from fusion.errors import ConfigError
from fusion.models.tracking import MlflowTracker, TensorBoardTracker, track_run, tracker_of

QUICK = fusion.FunctaClassifier(n_estimators=2, max_depth=2, n_jobs=1)
FEW = fusion.estimators.training_settings("fast", n_estimators=2, n_jobs=1)


@dataclass
class Kept:
    """A tracker that keeps what it is given."""

    runs: list[tuple[str, Mapping[str, Any], Mapping[str, float], Path | None]] = field(default_factory=list)

    def log(
        self, name: str, settings: Mapping[str, Any], figures: Mapping[str, float], folder: Path | None = None
    ) -> None:
        self.runs.append((name, settings, figures, folder))


class Broken:
    def log(self, *args: Any) -> None:
        raise OSError("no route to host")


def test_a_training_sends_settings_figures_and_its_folder(tmp_path: Path) -> None:
    kept = Kept()
    with stored(tmp_path / "s.zarr", functa_rows()) as store:
        result = fusion.train(store, tmp_path / "model", classifier=QUICK, track=kept)
    ((name, settings, figures, folder),) = kept.runs
    assert (name, folder) == ("model", result.folder)
    assert settings["parameters.n_estimators"] == 2
    assert figures["accuracy"] == result.accuracy
    assert figures["accuracy_interval.low"] == result.accuracy_interval[0]
    assert all(type(value) is float for value in figures.values())


def test_a_comparison_sends_every_combination(tmp_path: Path) -> None:
    kept = Kept()
    stored(tmp_path / "s.zarr", functa_rows()).close()
    found = fusion.compare(tmp_path / "s.zarr", presets={"few": FEW, "line": "linear"}, folds=2, track=kept)
    assert [name for name, *_ in kept.runs] == [place.name for place in found.places]
    assert kept.runs[0][2]["mean"] == found.best.mean
    assert "p" not in kept.runs[0][2]  # the best is compared with nothing


def test_what_cannot_be_sent_is_a_note_and_the_model_stays(tmp_path: Path) -> None:
    with stored(tmp_path / "s.zarr", functa_rows()) as store:
        result = fusion.train(store, tmp_path / "model", classifier=QUICK, track=Broken())
    assert result.warnings[-1] == "model was not tracked: no route to host"
    assert (tmp_path / "model" / "model.json").exists()


@pytest.mark.parametrize("wrong", ["wandb", "tensorboard", "tensorboard:", ""])
def test_another_place_is_refused_before_training(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected mlflow, mlflow:URI or tensorboard:FOLDER"):
        fusion.train(tmp_path / "not there.zarr", track=wrong)


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusion.models.tracking.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"mlflow is not installed; pip install 'functa-fusion\[mlflow\]'"):
        tracker_of("mlflow")


def test_texts_name_trackers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusion.models.tracking.find_spec", lambda name: name)
    assert tracker_of("mlflow") == MlflowTracker()
    assert tracker_of("mlflow:http://host:5000") == MlflowTracker("http://host:5000")
    assert tracker_of("tensorboard:logs") == TensorBoardTracker("logs")
    assert tracker_of(None) is None


def test_what_mlflow_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said: list[Any] = []

    def told(name: str) -> Any:
        return lambda *args, **options: said.append((name, *args, *options.values()))

    stand_in = SimpleNamespace(
        environment_variables=SimpleNamespace(MLFLOW_EXPERIMENT_NAME=SimpleNamespace(get=lambda: None)),
        start_run=lambda run_name: nullcontext(said.append(("start_run", run_name))),
        **{name: told(name) for name in ("set_tracking_uri", "set_experiment", "log_params", "log_metrics")},
        log_artifacts=told("log_artifacts"),
    )
    monkeypatch.setitem(sys.modules, "mlflow", stand_in)
    assert track_run(MlflowTracker("sqlite:///a"), "m", {"a": {"b": 1}}, {"x": 0.5, "y": None}, tmp_path) == ()
    assert said == [
        ("set_tracking_uri", "sqlite:///a"),
        ("set_experiment", "functa"),
        ("start_run", "m"),
        ("log_params", {"a.b": 1}),
        ("log_metrics", {"x": 0.5}),
        ("log_artifacts", str(tmp_path)),
    ]


def test_tensorboard_has_a_row_for_each_run(tmp_path: Path) -> None:
    events = pytest.importorskip("tensorboardX.proto.event_pb2")
    tracker = TensorBoardTracker(str(tmp_path / "logs"))
    assert track_run(tracker, "local, linear", {"penalties": (0.1, 1.0), "cv": None}, {"accuracy": 0.75}) == ()
    found = [events.Event.FromString(record) for record in records(tmp_path / "logs" / "local_ linear")]
    values = [value for event in found for value in event.summary.value]
    assert {value.tag: value.simple_value for value in values}["accuracy"] == 0.75
    assert any(value.metadata.plugin_data.plugin_name == "hparams" for value in values)


def records(folder: Path) -> Iterator[bytes]:
    """Give the records of TensorBoard's files: a length, its checksum, the record, its checksum."""
    for path in folder.rglob("events*"):
        content = path.read_bytes()
        while content:
            size = int.from_bytes(content[:8], "little")
            yield content[12 : 12 + size]
            content = content[16 + size :]


def test_mlflow_keeps_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = (tmp_path / "runs").as_uri()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").write_text("{}")
    told = track_run(MlflowTracker(uri), "m", {"a": {"b": 1}}, {"accuracy": 0.75}, tmp_path / "model")
    assert told == ()
    (run,) = mlflow.search_runs(experiment_names=["functa"], output_format="list")
    assert (run.data.params, run.data.metrics) == ({"a.b": "1"}, {"accuracy": 0.75})
