"""`functa train`, `functa evaluate`."""

from __future__ import annotations

import gc
import math
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import train_options as options
from cli.output import DeviceOption, JsonFlag, print_facts, print_json, print_table, progress_bar
from cli.reporting import moved_store

if TYPE_CHECKING:
    from fusion.models.results import TrainResult


def train(
    source: options.Source,
    *,
    model: options.ModelFolder,
    train_split: options.TrainSplit = None,
    test_split: options.TestSplit = None,
    cv: options.Folds = None,
    seeds: options.Seeds = 1,
    sample: options.Sample = None,
    shared_groups: options.SharedGroups = False,
    task: options.TaskName = None,
    label_separator: options.LabelSeparator = None,
    class_weight: options.ClassWeight = None,
    fusion_: options.FusionName = None,
    features: options.Features = "delta",
    preset: options.Preset = None,
    booster: options.Booster = None,
    estimator: options.EstimatorName = None,
    tune: options.Tune = False,
    thresholds: options.Thresholds = False,
    rounds: options.Rounds = None,
    max_depth: options.Depth = None,
    eta: options.Eta = None,
    seed: options.Seed = 42,
    threads: options.Threads = None,
    external_memory: options.ExternalMemory = False,
    device: DeviceOption = "auto",
    scheduler: options.Scheduler = None,
    predictions: options.Predictions = None,
    track: options.Track = None,
    json: JsonFlag = False,
) -> None:
    """Train XGBoost on one split, test it on another, save it. Defaults stand in brackets."""
    asked = locals()
    _load()
    import fusion

    settings = options.settings_of(asked)
    _require_writable(predictions)
    with progress_bar() as progress, options.place_to_train(asked) as trainer:
        result = fusion.train(
            source,
            model,
            preset=settings,
            train_splits=tuple(train_split or ("train",)),
            test_splits=tuple(test_split or ("test",)),
            cv=options.cross_validation(cv),
            seeds=seeds,
            sample=sample,
            shared_groups=shared_groups,
            advise=True,
            track=track,
            trainer=trainer,
            progress=progress,
        )
    _print(result, predictions, json=json)


def _load() -> None:
    """Import what trains without a look for garbage meanwhile: there is none, and it takes a tenth of the time."""
    gc.disable()
    try:
        import_module("fusion.models.training")
    finally:
        gc.enable()


def evaluate(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    source: Annotated[Path, typer.Argument(help="Store or link table that the same encoders filled.")],
    *,
    split: Annotated[list[str] | None, typer.Option(help="Split to test on; the model's own when not given.")] = None,
    store: Annotated[
        list[str] | None, typer.Option(help="Where a store of the link table was moved to, as name=PATH; repeatable.")
    ] = None,
    predictions: options.Predictions = None,
    json: JsonFlag = False,
) -> None:
    """Test a model on the rows of a store or a link table."""
    import fusion

    _require_writable(predictions)
    with progress_bar() as progress:
        given = fusion.linking.read_link(source).with_stores(dict(map(moved_store, store))) if store else source
        result = fusion.evaluate(model, given, splits=split or None, progress=progress)
    _print(result, predictions, json=json)


def print_training(result: TrainResult) -> None:
    """Print the figures, what they were measured on, and those of every class."""
    facts = {
        **_figures(result),
        "trained on": f"{result.rows_train:,} rows, {result.columns:,} columns, {result.rounds} rounds",
        "tested on": f"{result.rows_test:,} rows",
        "time": f"{result.seconds:.1f} s",
    }
    if result.folds:
        facts["folds"] = ", ".join(f"{score:.3f}" for score in result.folds)
    if not math.isnan(result.sd):
        seeds = [str(each.seed) for each in result.repeats.seeds]
        names = f"seeds {', '.join(seeds)}" if len(seeds) > 1 else "folds"
        facts["mean and deviation"] = f"{result.mean:.3f} and {result.sd:.3f} over {names}"
    if result.folder is not None:
        facts["model"] = str(result.folder)
    print_facts("XGBoost on functas", facts)
    if result.modalities:
        _print_modalities(result)
    _print_each(result)
    _print_at_thresholds(result)
    if result.tuning is not None:
        tried = [
            (each.name, "" if each.score is None else f"{each.score:.3f}", f"{each.seconds:.1f}")
            for each in result.tuning.tried
        ]
        columns = ("what", result.tuning.chosen.measure, "s")
        print_table(f"Tried on training groups; chosen: {result.tuning.chosen.name}", columns, tried)
    for warning in result.warnings:
        typer.echo(f"note: {warning}", err=True)
    for line in result.advice:
        typer.echo(f"advice: {line}", err=True)


_FIGURES = {
    "accuracy": "accuracy",
    "r2": "R2",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "balanced_accuracy": "balanced accuracy",
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
    "map": "mean average precision",
    "exact": "all labels right",
}
_EACH = ("precision", "recall", "f1")
_BASELINES = {
    "majority": "by the largest class",
    "chance": "by chance",
    "mean": "by the mean of the training rows",
    "most frequent": "by the most frequent label",
}


def _figures(result: TrainResult) -> dict[str, str]:
    """Give the figures of all rows in words, those that have an interval with it."""
    measured, told = result.evaluation.to_dict(), {}
    for name, title in _FIGURES.items():
        if measured.get(name) is not None:
            interval = measured.get(f"{name}_interval")
            within = f"  (95 % interval {_short(interval[0])} to {_short(interval[1])})" if interval else ""
            told[title] = f"{_short(measured[name])}{within}"
    baselines = ", ".join(f"{score:.3f} {_BASELINES[name]}" for name, score in result.baselines.items())
    return told | ({"without looking": baselines} if baselines else {})


def _short(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.4g}"


def _print_each(result: TrainResult) -> None:
    """Print the figures of every class or label; of numbers there are none."""
    measured = result.evaluation.to_dict()
    found = measured.get("per_class") or measured.get("per_label") or []
    if not found:
        return
    names = [name for name in found[0] if name not in ("label", "support")]
    rows = [(each["label"], *(_decimal(each[name]) for name in names), each["support"]) for each in found]
    what = "class" if "per_class" in measured else "label"
    columns = (what, *(name.replace("_", " ").replace("f1", "F1") for name in names), "rows")
    print_table(f"Each {what} on the test rows", columns, rows)


def _print_at_thresholds(result: TrainResult) -> None:
    """Print the figures where classes or labels are named by their thresholds, and those of every one."""
    if result.at_thresholds is None:
        return
    measured, thresholds = result.at_thresholds.to_dict(), result.model.thresholds or {}
    facts = {title: _short(measured[name]) for name, title in _FIGURES.items() if measured.get(name) is not None}
    print_facts("By thresholds chosen on training groups (predict --thresholds)", facts)
    what = "class" if "per_class" in measured else "label"
    rows = [
        (one["label"], _decimal(thresholds.get(one["label"])), *(_decimal(one[name]) for name in _EACH))
        for one in measured[f"per_{what}"]
    ]
    print_table(f"Each {what} by its threshold", (what, "threshold", "precision", "recall", "F1"), rows)


def _decimal(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"


def _print_modalities(result: TrainResult) -> None:
    """Print the fusion and its modalities, each on its own rows and all on the rows that have all of them."""
    compared, missing = result.comparison, result.comparison.missing_in_words
    same = {name: f"{found.score:.3f}" for name, found in compared.evaluations.items()}
    rows: list[tuple[object, ...]] = [("fusion", f"{result.score:.3f}", result.rows_test, same.get("fusion"), "", "")]
    rows += [
        (name, f"{m.score:.3f}", m.alone.rows, same.get(name), f"{m.score_without:.3f}", f"{m.contribution:.0%}")
        for name, m in result.modalities.items()
    ]
    every = f"on the {compared.rows:,} rows with all"
    print_table(
        f"Modalities, {result.fusion} fusion" + (f"; missing: {missing}" if missing else ""),
        ("modality", "alone", "rows", every, "fusion without it", "share"),
        rows,
    )


def _require_writable(predictions: Path | None) -> None:
    from fusion.models.table_files import require_table_path

    if predictions is not None:
        require_table_path(predictions)


def _print(result: TrainResult, predictions: Path | None, *, json: bool) -> None:
    if predictions is not None:
        result.save_predictions(predictions)
    if json:
        print_json(result.to_dict() | ({} if predictions is None else {"predictions": str(predictions)}))
    else:
        print_training(result)
