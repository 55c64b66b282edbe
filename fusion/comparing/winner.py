"""The winner of a comparison, trained on all training rows and tested once."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fusion.comparing.ranking import CompareResult
from fusion.encoders.options import Progress
from fusion.estimators.presets import TrainingSettings, training_settings
from fusion.features.source import SourceLike
from fusion.models.repeating import settings_told
from fusion.models.training import train
from fusion.settings import digest_of
from store.files import write_whole

__all__ = ["with_winner"]


def with_winner(
    result: CompareResult,
    source: SourceLike,
    settings: TrainingSettings,
    model_dir: str | Path,
    *,
    train_splits: Collection[str],
    test_splits: Collection[str],
    data: Mapping[str, Any],
    progress: Progress,
) -> CompareResult:
    """Train the best combination on all training rows, save it, and test it; give the result with its figures.

    In a folder that is kept, the same winner is not tested again as long as its model is there.
    """
    how = training_settings(settings, fusion=result.best.fusion)
    splits = [list(train_splits), list(test_splits)]
    digest = digest_of([settings_told(how), str(Path(model_dir).absolute()), splits, dict(data)])
    kept = None if result.folder is None else result.folder / f"winner-{digest}.json"
    if kept is not None and kept.exists() and (Path(model_dir) / "model.json").exists():
        return replace(result, winner=json.loads(kept.read_bytes()))
    trained = train(
        source, model_dir, preset=how, train_splits=train_splits, test_splits=test_splits, progress=progress
    )
    winner = {**trained.figures(), "model": str(trained.folder)}
    if kept is not None:
        write_whole(kept, json.dumps(winner, indent=1) + "\n")
    return replace(result, winner=winner, trained=trained)
