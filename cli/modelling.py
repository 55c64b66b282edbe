"""`functa train`, `functa evaluate`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import JsonFlag, print_facts, print_json, print_table, progress_bar

if TYPE_CHECKING:
    from fusion.models.results import TrainResult


def train(
    source: Annotated[Path, typer.Argument(help="Store of functas, or a link table (.parquet, .csv).")],
    *,
    model: Annotated[Path, typer.Option(help="Folder for the model; a model that is there is replaced.")],
    fusion_: Annotated[
        str | None,
        typer.Option(
            "--fusion",
            help="Of a link table: early (all columns side by side; the default), late (averaged probabilities) or "
            "stacked (a linear model on probabilities).",
        ),
    ] = None,
    features: Annotated[str, typer.Option(help="delta (weights minus start) or weights.")] = "delta",
    cv: Annotated[
        str | None, typer.Option(help="Cross-validate over folds or group instead of one test split.")
    ] = None,
    train_split: Annotated[list[str] | None, typer.Option(help="Split to train on; may be given again.")] = None,
    test_split: Annotated[list[str] | None, typer.Option(help="Split to test on; may be given again.")] = None,
    preset: Annotated[
        str,
        typer.Option(help="paper (the paper's parameters), fast (as accurate), slow (better), linear, or stacked."),
    ] = "paper",
    booster: Annotated[
        str | None,
        typer.Option(help="gbtree, gblinear (linear: for few rows), or stacked (trees on it); as preset."),
    ] = None,
    tune: Annotated[
        bool, typer.Option("--tune", help="Choose booster and parameters by cross-validation over training groups.")
    ] = False,
    rounds: Annotated[int | None, typer.Option(min=1, help="Most boosting rounds; 300 when not given.")] = None,
    max_depth: Annotated[
        int | None, typer.Option(min=1, help="Depth of the trees; the preset's when not given.")
    ] = None,
    eta: Annotated[float | None, typer.Option(min=0.0, help="Learning rate; the preset's when not given.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of XGBoost and of the rows held out for early stopping.")] = 42,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; one per core when not given.")] = None,
    external_memory: Annotated[
        bool,
        typer.Option("--external-memory", help="Keep what is trained on in files: for stores beyond memory; slower."),
    ] = False,
    scheduler: Annotated[str | None, typer.Option(help="Train on the Dask cluster at this address.")] = None,
    json: JsonFlag = False,
) -> None:
    """Train XGBoost on the training split, test it on the test split, and save the model."""
    import fusion

    settings = fusion.estimators.training_settings(
        preset,
        features=features,
        fusion=fusion_,
        tune=tune,
        booster=booster,
        n_estimators=rounds,
        max_depth=max_depth,
        eta=eta,
        seed=seed,
        n_jobs=threads,
    )
    here = nullcontext(fusion.estimators.LocalTrainer(external_memory=external_memory))
    place = here if scheduler is None else fusion.cluster.dask_trainer(scheduler)
    with progress_bar() as progress, place as trainer:
        result = fusion.train(
            source,
            model,
            preset=settings,
            train_splits=tuple(train_split or ("train",)),
            test_splits=tuple(test_split or ("test",)),
            cv=cv,  # type: ignore[arg-type]
            trainer=trainer,
            progress=progress,
        )
    _print(result, json=json)


def evaluate(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    source: Annotated[Path, typer.Argument(help="Store or link table that the same encoders filled.")],
    *,
    split: Annotated[list[str] | None, typer.Option(help="Split to test on; the model's own when not given.")] = None,
    json: JsonFlag = False,
) -> None:
    """Test a model on the rows of a store or a link table."""
    import fusion

    with progress_bar() as progress:
        result = fusion.evaluate(model, source, splits=split or None, progress=progress)
    _print(result, json=json)


def print_training(result: TrainResult) -> None:
    """Print the accuracy, what it was measured on, and the figures of every class."""
    low, high = result.accuracy_interval
    facts = {
        "accuracy": f"{result.accuracy:.3f}  (95 % interval {low:.3f} to {high:.3f})",
        "macro F1": f"{result.macro_f1:.3f}",
        "trained on": f"{result.rows_train:,} rows, {result.columns:,} columns, {result.rounds} rounds",
        "tested on": f"{result.rows_test:,} rows",
        "time": f"{result.seconds:.1f} s",
    }
    if result.folds:
        facts["folds"] = ", ".join(f"{accuracy:.3f}" for accuracy in result.folds)
    if result.folder is not None:
        facts["model"] = str(result.folder)
    print_facts("XGBoost on functas", facts)
    if result.modalities:
        told = [
            (name, f"{m.accuracy:.3f}", f"{m.accuracy_without:.3f}", f"{m.contribution:.0%}")
            for name, m in result.modalities.items()
        ]
        print_table(f"Modalities, {result.fusion} fusion", ("modality", "alone", "fusion without it", "share"), told)
    columns = ("class", "precision", "recall", "F1", "rows")
    rows = [(c.label, f"{c.precision:.3f}", f"{c.recall:.3f}", f"{c.f1:.3f}", c.support) for c in result.per_class]
    print_table("Each class on the test rows", columns, rows)
    if result.tuning is not None:
        tried = [(t.name, f"{t.accuracy:.3f}", f"{t.seconds:.1f}") for t in result.tuning.tried]
        print_table(f"Tried on training groups; chosen: {result.tuning.chosen.name}", ("what", "accuracy", "s"), tried)
    for warning in result.warnings:
        typer.echo(f"note: {warning}", err=True)


def _print(result: TrainResult, *, json: bool) -> None:
    if json:
        print_json(result.to_dict())
    else:
        print_training(result)
