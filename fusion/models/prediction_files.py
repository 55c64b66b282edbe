"""Predictions as a file: CSV, Parquet or JSON, written while they come."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fusion.errors import ConfigError
from fusion.estimators.tasks import TASKS, Task
from fusion.models.predicted import FilePrediction, WindowPrediction
from store.files import whole_file

__all__ = ["OUT_SUFFIXES", "check_out", "prediction_rows", "written_predictions"]

Write = Callable[[FilePrediction], None]

OUT_SUFFIXES = (".csv", ".parquet", ".json")
_AT_ONCE = 1000
_CLASSES = TASKS["classification"]


def check_out(path: Path) -> None:
    """Refuse a file that predictions cannot be written to, before any work is done.

    Raises
    ------
    ConfigError
        Another suffix, or no such folder.
    """
    if path.suffix.lower() not in OUT_SUFFIXES:
        raise ConfigError(f"predictions cannot be written to {path}; expected a name in {', '.join(OUT_SUFFIXES)}")
    if not path.parent.is_dir() or path.is_dir():
        what = f"{path} is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        raise ConfigError(f"{what}; expected a file in a folder that exists")


def prediction_rows(prediction: FilePrediction, top: int = 1, task: Task = _CLASSES) -> list[dict[str, Any]]:
    """Give a row for the item, and one for each window that it was cut into.

    Parameters
    ----------
    prediction : FilePrediction
    top : int >= 1
        Most probable classes to name.
    task : Task
        Of the model.

    Returns
    -------
    list of dict
        ``file``, ``recording``, ``window`` (empty for the whole), what is predicted, ``truth``, ``psnr`` (dB) and
        ``error``; None where there is nothing. What is predicted is ``value`` of a model of numbers; of classes
        ``class``, ``probability``, ``class_2``, ``probability_2``, ... up to `top`; of sets of labels those, too, after
        ``labels``.
    """
    whole = {"file": prediction.file, "recording": prediction.recording}
    rows: list[tuple[str, FilePrediction | WindowPrediction]] = [("", prediction)]
    rows += [(one.window, one) for one in prediction.windows]
    return [{**whole, "window": name, **_said(one, top, task), **_measured(one)} for name, one in rows]


@contextmanager
def written_predictions(path: Path, *, top: int = 1, task: Task = _CLASSES) -> Iterator[Write]:
    """Give what takes predictions one by one; the file gets its name when the block ends without an error.

    Parameters
    ----------
    path : Path
        ``.csv`` or ``.parquet``, with the rows of `prediction_rows`, or ``.json``, with `FilePrediction.to_dict`.
    top : int >= 1
    task : Task
        As for `prediction_rows`.
    """
    check_out(path)
    with whole_file(path) as partial, _WRITERS[path.suffix.lower()](partial, top, task) as write:
        yield write


@contextmanager
def _csv(path: Path, top: int, task: Task) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", newline="", errors="backslashreplace") as file:
        writer = csv.DictWriter(file, _columns(top, task))
        writer.writeheader()
        yield lambda prediction: writer.writerows(prediction_rows(prediction, top, task))


@contextmanager
def _json(path: Path, top: int, task: Task) -> Iterator[Write]:  # noqa: ARG001 - it holds all that is said
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write('{"predictions": [')
        before = iter(("\n",))

        def write(prediction: FilePrediction) -> None:
            file.write(next(before, ",\n") + json.dumps(_finite(prediction.to_dict()), ensure_ascii=False))

        yield write
        file.write("\n]}\n")


@contextmanager
def _parquet(path: Path, top: int, task: Task) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = _columns(top, task)
    numbers = {"psnr", "value", *(name for name in columns if name.startswith("probability"))}
    schema = pa.schema([(name, pa.float64() if name in numbers else pa.string()) for name in columns])
    waiting: list[dict[str, Any]] = []
    with pq.ParquetWriter(path, schema) as file:

        def write(prediction: FilePrediction) -> None:
            waiting.extend(prediction_rows(prediction, top, task))
            if len(waiting) >= _AT_ONCE:
                flush()

        def flush() -> None:
            file.write_table(pa.Table.from_pylist(waiting, schema))
            waiting.clear()

        yield write
        flush()


_WRITERS: dict[str, Any] = {".csv": _csv, ".parquet": _parquet, ".json": _json}


def _columns(top: int, task: Task) -> list[str]:
    ranks = [name for place in range(top) for name in (_ranked("class", place), _ranked("probability", place))]
    said = {"regression": ["value"], "multilabel": ["labels", *ranks]}.get(task.name, ranks)
    return ["file", "recording", "window", *said, "truth", "psnr", "error"]


def _said(one: FilePrediction | WindowPrediction, top: int, task: Task) -> dict[str, Any]:
    if task.name == "regression":
        return {"value": one.value}
    return ({"labels": one.label} if task.name == "multilabel" else {}) | _ranks(one, top)


def _ranked(name: str, place: int) -> str:
    return f"{name}_{place + 1}" if place else name


def _ranks(one: FilePrediction | WindowPrediction, top: int) -> dict[str, Any]:
    best = [*list(one.probabilities.items())[:top], *[(None, None)] * top][:top]
    return {
        _ranked(name, place): value
        for place, pair in enumerate(best)
        for name, value in zip(("class", "probability"), pair, strict=True)
    }


def _measured(one: FilePrediction | WindowPrediction) -> dict[str, Any]:
    return {"truth": one.truth, "psnr": None if math.isnan(one.psnr) else one.psnr, "error": one.error or None}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
