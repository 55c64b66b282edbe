"""`functa predict`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import FAILED_SAMPLES, JsonFlag, print_facts, print_json, print_table, progress_bar, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fusion.estimators import Task
    from fusion.models.predicted import Accuracy, FilePrediction

_ROWS, _WINDOW_ROWS = 20, 40
_PATH = 48


def predict(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    files: Annotated[
        list[str],
        typer.Argument(
            help="Files of any of the model's modalities; folders, patterns such as 'new/*.wav', and CSV lists with a "
            "column path; name=FILE where the suffix does not tell which modality. Files of one item have the same "
            "name without suffix, unless there is one of each modality at most."
        ),
    ],
    *,
    out: Annotated[Path | None, typer.Option(help="File to write: .csv, .parquet or .json.")] = None,
    thresholds: Annotated[
        bool, typer.Option("--thresholds", help="Name classes or labels by the thresholds that training chose.")
    ] = False,
    top: Annotated[int, typer.Option(min=1, help="Most probable classes to name.")] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; one per core for more than 64 files, else 1.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Encode raw files as the model's were, print what it predicts. With its own configurations and starts.

    A table of readings is cut into windows as the training's tables were: each window and the recording get an answer.
    Of plain columns and vectors each row of a file does.
    """
    from fusion.models.predicted import Accuracy
    from fusion.models.prediction import Predicting

    predicting = Predicting.of(model, files, thresholds=thresholds)
    shown = _Shown(predicting.model.task, top, json=json, few=out is not None)
    failed, accuracy = 0, Accuracy()
    with ExitStack() as stack:
        writes: list[Callable[[FilePrediction], None]] = [shown.add]
        if out is not None:
            from fusion.models.prediction_files import written_predictions

            writes.append(stack.enter_context(written_predictions(out, top=top, task=predicting.model.task)))
        # Drawing takes longer than one file does.
        progress = stack.enter_context(progress_bar()) if len(predicting.items) > _ROWS else None
        for prediction in predicting.run(workers=workers, progress=progress):
            failed += bool(prediction.error)
            accuracy = accuracy.plus(prediction)
            for write in writes:
                write(prediction)
    shown.print((*predicting.notes, *predicting.remarks), accuracy, failed, out)
    if failed:
        raise typer.Exit(FAILED_SAMPLES)


class _Shown:
    """What goes to the terminal: all predictions, or the first of them where there is a file."""

    def __init__(self, task: Task, top: int, *, json: bool, few: bool) -> None:
        self.task, self.top, self.json = task, top, json
        self.most = _ROWS if few else None
        self.documents: list[dict[str, Any]] = []
        self.rows: list[tuple[Any, ...]] = []
        self.reasons: list[tuple[str, str]] = []
        self.count = 0

    def add(self, prediction: FilePrediction) -> None:
        """Keep what is shown of it."""
        self.count += 1
        if self.most is not None and self.count > self.most:
            return
        if self.json:
            self.documents.append(prediction.to_dict())
        else:
            self.rows += _rows(prediction, self.task, self.top)
            if prediction.error:
                self.reasons.append((_name(prediction), prediction.error))

    def print(self, notes: Iterable[str], accuracy: Accuracy, failed: int, out: Path | None) -> None:
        """Print it all."""
        told = {"accuracy": accuracy.to_dict(), "failed": failed, "notes": list(notes), "items": self.count}
        if self.json:
            print_json({"predictions": self.documents, **told, "out": None if out is None else str(out)})
            return
        _print_rows(self.rows, _columns(self.task, self.top))
        if self.reasons:
            print_table("What went wrong", ("file", "reason"), self.reasons)
        facts = {
            **_accuracy(accuracy),
            "items": self.count if self.count > _ROWS or failed else None,
            "with an error": failed or None,
            "not shown": f"{self.count - _ROWS:,} more in the file" if self.most and self.count > self.most else None,
            "file": None if out is None else str(out),
        }
        facts = {name: value for name, value in facts.items() if value is not None}
        if facts:
            print_facts("In all", facts)
        for note in notes:
            typer.echo(f"note: {note}", err=True)


def _name(prediction: FilePrediction) -> str:
    recording = f", {shortened(prediction.recording, _PATH)}" if prediction.recording else ""
    return f"{shortened(prediction.file, _PATH)}{recording}"


def _rows(prediction: FilePrediction, task: Task, top: int) -> list[tuple[Any, ...]]:
    """Give the cells of an item, then of its windows: name, what is predicted, truth, PSNR, what failed."""
    count = len(prediction.windows)
    whole = f"{_name(prediction)}, {count} windows" if count else _name(prediction)
    failed = ", ".join(name for name, part in prediction.modalities.items() if part.error)
    rows = [(whole, *_said(prediction, task, top), prediction.truth, prediction.psnr, failed)]
    shown = prediction.windows if count <= _WINDOW_ROWS else ()
    return rows + [
        (f"  {one.window}", *_said(one, task, top), one.truth, one.psnr, "failed" if one.error else "") for one in shown
    ]


def _columns(task: Task, top: int) -> list[str]:
    if task.name == "regression":
        return ["value"]
    ranks = [
        f"{name}{'' if place == 0 else f' {place + 1}'}" for place in range(top) for name in ("class", "probability")
    ]
    return (["labels"] if task.name == "multilabel" else []) + ranks


def _said(one: Any, task: Task, top: int) -> list[Any]:
    if task.name == "regression":
        return [one.value]
    return ([one.label] if task.name == "multilabel" else []) + _ranks(one, top)


def _ranks(one: Any, top: int) -> list[Any]:
    best = [*one.probabilities.items(), *[("", None)] * top][:top]
    return [cell for pair in best for cell in pair]


def _print_rows(rows: list[tuple[Any, ...]], said: list[str]) -> None:
    columns = ("file", *said, "label", "PSNR (dB)", "failed")
    used = [place for place in range(len(columns)) if place <= min(len(said), 2) or _any(rows, place)]
    title = "Predictions" if rows else "No predictions"
    print_table(title, [columns[place] for place in used], [[_plain(row[place]) for place in used] for row in rows])


def _any(rows: list[tuple[Any, ...]], place: int) -> bool:
    return any(row[place] not in (None, "") for row in rows)


def _plain(cell: Any) -> Any:
    return None if isinstance(cell, float) and cell != cell else cell


def _accuracy(found: Accuracy) -> dict[str, str]:
    told = {}
    if found.recordings:
        share = found.recordings_right / found.recordings
        told["accuracy"] = f"{share:.3f}, {found.recordings_right} of {found.recordings} whose class is known"
    if found.windows:
        share = found.windows_right / found.windows
        told["accuracy of windows"] = f"{share:.3f}, {found.windows_right} of {found.windows}"
    if found.numbers:
        told["error"] = f"{found.mae:.4g} in the mean, {found.rmse:.4g} root mean squared, of {found.numbers} known"
    return told
