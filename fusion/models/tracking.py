"""What trainings and comparisons reached, sent to MLflow or TensorBoard; neither is needed by anything else."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from fusion.errors import ConfigError

__all__ = ["MlflowTracker", "TensorBoardTracker", "Tracker", "track_run", "tracker_of"]


class Tracker(Protocol):
    """Keeps what runs reached."""

    def log(
        self, name: str, settings: Mapping[str, Any], figures: Mapping[str, float], folder: Path | None = None
    ) -> None:
        """Keep one run: its name, settings and figures as flat mappings, and the folder that it wrote."""


@dataclass(frozen=True)
class MlflowTracker:
    """Runs of MLflow, with the files of the model folder as artifacts.

    Parameters
    ----------
    uri : str or None
        Of the tracking server or store; None = what `MLFLOW_TRACKING_URI` says, or MLflow's default.
    """

    uri: str | None = None

    def log(
        self, name: str, settings: Mapping[str, Any], figures: Mapping[str, float], folder: Path | None = None
    ) -> None:
        """Keep one run in the experiment `functa`, or the one that `MLFLOW_EXPERIMENT_NAME` says."""
        mlflow = import_module("mlflow")
        if self.uri is not None:
            mlflow.set_tracking_uri(self.uri)
        if not mlflow.environment_variables.MLFLOW_EXPERIMENT_NAME.get():
            mlflow.set_experiment("functa")
        with mlflow.start_run(run_name=name):
            mlflow.log_params(dict(settings))
            mlflow.log_metrics(dict(figures))
            if folder is not None:
                mlflow.log_artifacts(str(folder))


@dataclass(frozen=True)
class TensorBoardTracker:
    """A folder that TensorBoard shows: a row of its table of hyperparameters for each run.

    Parameters
    ----------
    logs : str
        The folder; a run is a folder of its name in it.
    """

    logs: str

    def log(
        self, name: str, settings: Mapping[str, Any], figures: Mapping[str, float], folder: Path | None = None
    ) -> None:
        """Keep one run; of the folder that it wrote, the path."""
        plain = {key: value if isinstance(value, int | float | str) else str(value) for key, value in settings.items()}
        with import_module("tensorboardX").SummaryWriter(str(Path(self.logs, _clean(name)))) as writer:
            writer.add_hparams(plain | ({"folder": str(folder)} if folder else {}), dict(figures), name=".")


def tracker_of(given: str | Tracker | None) -> Tracker | None:
    """Give the tracker of a text such as ``mlflow``, ``mlflow:http://host:5000`` or ``tensorboard:logs``.

    Raises
    ------
    ConfigError
        Another text, or the library is not installed.
    """
    if not isinstance(given, str):
        return given
    kind, _, place = given.partition(":")
    needed = {"mlflow": "mlflow", "tensorboard": "tensorboardX"}.get(kind)
    if needed is None or (kind == "tensorboard" and not place):
        raise ConfigError(f"track is {given!r}; expected mlflow, mlflow:URI or tensorboard:FOLDER.")
    if find_spec(needed) is None:
        raise ConfigError(
            f"track is {given!r}, but {needed} is not installed; pip install 'functa-fusion[{kind}]', or do not track."
        )
    return MlflowTracker(place or None) if kind == "mlflow" else TensorBoardTracker(place)


def track_run(
    tracker: Tracker | None,
    name: str,
    settings: Mapping[str, Any],
    figures: Mapping[str, Any],
    folder: Path | None = None,
) -> tuple[str, ...]:
    """Send one run; what went wrong is returned as a note, since the work itself is done."""
    if tracker is None:
        return ()
    numbers = {_clean(key): float(value) for key, value in _flat(figures) if _is_number(value)}
    try:
        tracker.log(name, {_clean(key): value for key, value in _flat(settings)}, numbers, folder)
    except Exception as error:  # noqa: BLE001 - a server that is gone must not cost the model
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return (f"{name} was not tracked: {reason}",)
    return ()


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Give nested values under names with dots; of an interval both ends."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        elif key.endswith("interval") and value is not None:
            yield from _flat(dict(zip(("low", "high"), value, strict=True)), f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _clean(name: str) -> str:
    """Leave what both libraries take in names."""
    return re.sub(r"[^\w./ -]", "_", name)
