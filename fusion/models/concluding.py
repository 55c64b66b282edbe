"""From scored rows to the result that a run gives and the folder that it is kept in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fusion.models.advice import advice_on_choice, advice_on_silent_classes
from fusion.models.figures import Judge
from fusion.models.folder import Record, save_model
from fusion.models.modality_comparison import compared
from fusion.models.records import Run, data_of
from fusion.models.repeating import settings_told
from fusion.models.results import TrainResult, result_of, told_at_thresholds
from fusion.models.seeds import Repeats, SeedFigures
from fusion.models.seen_rows import seen_in, seen_told

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from fusion.estimators.presets import TrainingSettings
    from fusion.features.source import Source
    from fusion.models.fitting import TrainingRun
    from fusion.models.folder import Model


def told_of(source: Source, notes: tuple[str, ...], command: str | None) -> dict[str, Any]:
    """Tell what a report needs to know of the source."""
    told: dict[str, Any] = {
        "stores": source.places,
        "warnings": list(notes),
        "command": command,
        "data": data_of(source),
    }
    return told if source.link is None else told | {"link": source.link.to_dict()}


def concluded(
    model: Model,
    model_dir: str | Path | None,
    table: pd.DataFrame,
    told: dict[str, Any],
    begin: float,
    run: TrainingRun,
    others: tuple[SeedFigures, ...],
) -> TrainResult:
    """Judge the scored rows of `table`, and save the model with its figures if a folder is given.

    `told` is what `told_of` tells, with the run's "advice"; `others` are the figures of earlier seeds.
    """
    cv = model.training.cv is not None
    names = [branch.name for branch in model.branches]
    judge = Judge(model.task, None if cv else model.classes, cv)
    evaluation, modalities = judge.evaluate(table), judge.modalities(table, names)
    comparison = compared(table, names, judge, fusion=model.fusion)
    folds = tuple(judge.fold_scores(table)) if cv else ()
    shared, same, seen = seen_in(table, judge, evaluation)
    told["warnings"] = [*told["warnings"], *seen]
    own = SeedFigures.of(run.settings.classifier().seed, evaluation, folds)
    result = result_of(
        model,
        evaluation,
        begin,
        modalities=modalities,
        comparison=comparison,
        predictions=table,
        warnings=(*told["warnings"], *told.get("link", {}).get("warnings", ())),
        shared_groups=shared,
        same_data=same,
        at_thresholds=judge.at_thresholds(table),
    )
    tuning = run.tuned[-1] if run.tuned else None
    told["advice"] = [*told["advice"], *advice_on_choice(tuning), *advice_on_silent_classes(evaluation)]
    repeats, advice = Repeats((own, *others)), tuple(told["advice"])
    result = replace(result, folds=folds, repeats=repeats, tuning=tuning, advice=advice)
    told |= {} if run.sample is None else {"sample": run.sample}
    told |= seen_told(shared, same)
    return result if model_dir is None else _saved(result, model_dir, told, run.settings)


def _saved(result: TrainResult, model_dir: str | Path, told: dict[str, Any], settings: TrainingSettings) -> TrainResult:
    model = result.model
    metrics = {**told, **result.repeats.to_dict()}
    data = metrics.pop("data")
    if result.modalities:
        metrics |= {
            "fusion": model.fusion,
            "modalities": {name: each.to_dict() for name, each in result.modalities.items()},
            **result.comparison.to_dict(),
        }
    if result.folds:
        metrics["folds"] = list(result.folds)
    metrics |= told_at_thresholds(model.thresholds, result.at_thresholds)
    used = {name: getattr(model.training, name) for name in ("train_splits", "test_splits", "cv")}
    asked = {**settings_told(settings), "fusion": model.fusion, **used, "seeds": len(result.repeats.seeds)}
    asked |= {"sample": told.get("sample"), "shared_groups": result.shared_groups is not None}
    asked["chosen"] = None if result.tuning is None else result.tuning.chosen.name
    run = Run("train", asked, data, result.figures(), result.seconds, told["command"])
    path = save_model(model, model_dir, result.evaluation, Record(metrics, result.predictions, run))
    return replace(result, model=replace(model, path=path), folder=path)
