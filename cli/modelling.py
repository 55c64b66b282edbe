"""`functa train`, `functa evaluate`."""

from __future__ import annotations

import math
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
    fusion_: options.FusionName = None,
    features: options.Features = "delta",
    preset: options.Preset = "paper",
    booster: options.Booster = None,
    tune: options.Tune = False,
    rounds: options.Rounds = None,
    max_depth: options.Depth = None,
    eta: options.Eta = None,
    seed: options.Seed = 42,
    threads: options.Threads = None,
    external_memory: options.ExternalMemory = False,
    device: DeviceOption = "auto",
    scheduler: options.Scheduler = None,
    predictions: options.Predictions = None,
    json: JsonFlag = False,
) -> None:
    """Train XGBoost on the training split, test it on the test split, save the model. Defaults stand in brackets."""
    asked = locals()
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
            advise=True,
            trainer=trainer,
            progress=progress,
        )
    _print(result, predictions, json=json)


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
    """Print the accuracy, what it was measured on, and the figures of every class."""
    low, high = result.accuracy_interval
    facts = {
        "accuracy": f"{result.accuracy:.3f}  (95 % interval {low:.3f} to {high:.3f})",
        "without looking": f"{result.baselines['majority']:.3f} by the largest class, "
        f"{result.baselines['chance']:.3f} by chance",
        "macro F1": f"{result.macro_f1:.3f}",
        "trained on": f"{result.rows_train:,} rows, {result.columns:,} columns, {result.rounds} rounds",
        "tested on": f"{result.rows_test:,} rows",
        "time": f"{result.seconds:.1f} s",
    }
    if result.folds:
        facts["folds"] = ", ".join(f"{accuracy:.3f}" for accuracy in result.folds)
    if not math.isnan(result.sd):
        seeds = [str(each.seed) for each in result.repeats.seeds]
        names = f"seeds {', '.join(seeds)}" if len(seeds) > 1 else "folds"
        facts["mean and deviation"] = f"{result.mean:.3f} and {result.sd:.3f} over {names}"
    if result.folder is not None:
        facts["model"] = str(result.folder)
    print_facts("XGBoost on functas", facts)
    if result.modalities:
        _print_modalities(result)
    columns = ("class", "precision", "recall", "F1", "rows")
    rows = [(c.label, f"{c.precision:.3f}", f"{c.recall:.3f}", f"{c.f1:.3f}", c.support) for c in result.per_class]
    print_table("Each class on the test rows", columns, rows)
    if result.tuning is not None:
        tried = [(t.name, f"{t.accuracy:.3f}", f"{t.seconds:.1f}") for t in result.tuning.tried]
        print_table(f"Tried on training groups; chosen: {result.tuning.chosen.name}", ("what", "accuracy", "s"), tried)
    for warning in result.warnings:
        typer.echo(f"note: {warning}", err=True)
    for line in result.advice:
        typer.echo(f"advice: {line}", err=True)


def _print_modalities(result: TrainResult) -> None:
    """Print the fusion and its modalities, each on its own rows and all on the rows that have all of them."""
    compared, missing = result.comparison, result.comparison.missing_in_words
    same = {name: f"{found.accuracy:.3f}" for name, found in compared.evaluations.items()}
    rows: list[tuple[object, ...]] = [
        ("fusion", f"{result.accuracy:.3f}", result.rows_test, same.get("fusion"), "", "")
    ]
    rows += [
        (name, f"{m.accuracy:.3f}", m.alone.rows, same.get(name), f"{m.accuracy_without:.3f}", f"{m.contribution:.0%}")
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
