"""The same training with several seeds: what each reached, their mean and their deviation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fusion.estimators.presets import TrainingSettings
from fusion.metrics import Figures
from fusion.settings import at_least, require

__all__ = ["Repeats", "SeedFigures", "require_repeats", "with_seeds"]

_TOLD = ("accuracy", "balanced_accuracy", "r2", "mae", "rmse", "micro_f1", "macro_f1", "map")


@dataclass(frozen=True)
class SeedFigures:
    """What the training with one seed reached: the score, all figures by name, and those of folds, if there are any."""

    seed: int
    score: float
    figures: Mapping[str, float]
    folds: tuple[float, ...] = ()

    @classmethod
    def of(cls, seed: int, evaluation: Figures, folds: Sequence[float] = ()) -> SeedFigures:
        """Take the figures of an evaluation: those that are one number."""
        told = evaluation.to_dict()
        figures = {name: told[name] for name in _TOLD if told.get(name) is not None}
        return cls(seed, evaluation.score, figures, tuple(folds))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"seed": self.seed, **self.figures, "folds": list(self.folds)}


@dataclass(frozen=True)
class Repeats:
    """What was repeated: folds with one seed, or the whole training with several.

    Attributes
    ----------
    seeds : tuple of SeedFigures
        In the order of the seeds; the first is the one whose figures and model are the result's. None of an evaluation.
    """

    seeds: tuple[SeedFigures, ...] = ()

    @property
    def scores(self) -> tuple[float, ...]:
        """Over seeds where there are several, else over folds."""
        return self.seeds[0].folds if len(self.seeds) == 1 else tuple(each.score for each in self.seeds)

    def to_dict(self) -> dict[str, Any]:
        """Return ``mean`` and ``sd`` (with one degree of freedom less), and ``seeds`` where there are several."""
        if len(self.scores) < 2:
            return {}
        found = {"mean": float(np.mean(self.scores)), "sd": float(np.std(self.scores, ddof=1))}
        return found | ({"seeds": [each.to_dict() for each in self.seeds]} if len(self.seeds) > 1 else {})


def with_seeds(settings: TrainingSettings, count: int) -> list[TrainingSettings]:
    """Give the settings with so many seeds one after the other, the first their own.

    Examples
    --------
    >>> [settings.classifier().seed for settings in with_seeds(TrainingSettings(), 3)]
    [42, 43, 44]
    """
    first = settings.classifier().seed
    return [replace(settings, parameters={**settings.parameters, "seed": seed}) for seed in range(first, first + count)]


def require_repeats(seeds: int) -> int:
    """Return how often to train; ConfigError for no seed at all, or what is no whole number."""
    require("seeds", seeds, at_least(1), "how often to train, 1 or more")
    return int(seeds)
