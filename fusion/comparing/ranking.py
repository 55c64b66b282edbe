"""The table of a comparison: mean, deviation and interval of each combination, and a paired test against the best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fusion.comparing.cells import Outcome
from fusion.comparing.statistics import corrected_interval, corrected_t_test, mcnemar_test
from fusion.metrics import accuracy_interval
from fusion.metrics.intervals import preferred
from store.html import table_html

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from fusion.models.results import TrainResult

__all__ = ["Combination", "CompareResult", "Place", "ranked"]

Combination = tuple[str, str, str | None]
"""Encoder, preset and fusion."""
CORRECTED_T, MCNEMAR = "corrected resampled t", "McNemar"


@dataclass(frozen=True)
class Place:
    """One row of the table.

    Attributes
    ----------
    encoder, preset, fusion : str or None
    mean, sd : float
        Of the score (accuracy, that of weighted rows where classes have weights, R2 or micro F1) over folds and seeds;
        the deviation is NaN of one split.
    interval : tuple of two floats
        At 95 %; see `corrected_interval`. Of one split over its groups.
    seconds : float
        Of all folds and seeds.
    seeds : int
        How many are finished.
    difference, p : float
        To the best: mean difference of the score, and how often chance alone would do as much; NaN of the best.
    balanced_accuracy : float
        Mean recall of the classes over all tested rows; NaN of numbers and of sets of labels.
    """

    encoder: str
    preset: str
    fusion: str | None
    mean: float
    sd: float
    interval: tuple[float, float]
    seconds: float
    seeds: int
    difference: float = float("nan")
    p: float = float("nan")
    balanced_accuracy: float = float("nan")

    @property
    def name(self) -> str:
        """Such as "local, linear, early"."""
        return ", ".join(filter(None, (self.encoder, self.preset, self.fusion)))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**vars(self), "interval": list(self.interval)}


@dataclass(frozen=True, eq=False)
class CompareResult:
    """What a comparison found.

    Attributes
    ----------
    places : tuple of Place
        The best first.
    test : str
        How each was tested against the best.
    folds, rows, groups : int
        Of the cross-validation over training rows.
    measure : str
        What the score is: "accuracy", "r2" or "micro_f1".
    notes : tuple of str
        What a reader should know: what was left out, not started, or failed.
    folder : Path or None
        Where stores and finished cells are.
    winner : TrainResult or None
        The best, trained on all training rows and tested once, if that was asked for.
    """

    places: tuple[Place, ...]
    test: str
    folds: int
    rows: int
    groups: int
    measure: str = "accuracy"
    notes: tuple[str, ...] = ()
    folder: Path | None = None
    winner: Mapping[str, Any] | None = None
    trained: TrainResult | None = field(default=None, repr=False)

    @property
    def best(self) -> Place:
        """The first of `places`."""
        return self.places[0]

    @property
    def table(self) -> pd.DataFrame:
        """The places as a DataFrame, the best first."""
        import pandas as pd

        rows = [{**vars(place), "low": place.interval[0], "high": place.interval[1]} for place in self.places]
        return pd.DataFrame(rows).drop(columns="interval")

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the model as plain numbers, strings, lists and dictionaries."""
        named = ("encoder", "preset", "fusion")
        table = [place.to_dict() for place in self.places]
        paired = [{name: row[name] for name in (*named, "difference", "p")} for row in table[1:]]
        kept = (*named, "mean", "sd", "interval", "balanced_accuracy", "seconds", "seeds")
        return {
            "table": [{name: row[name] for name in kept} for row in table],
            "best": {name: table[0][name] for name in kept} | ({} if self.winner is None else {"test": self.winner}),
            "paired": {"test": self.test, "against": self.best.name, "rows": paired},
            "measure": self.measure,
            "folds": self.folds,
            "rows": self.rows,
            "groups": self.groups,
            "notes": list(self.notes),
            "folder": None if self.folder is None else str(self.folder),
        }

    def figures(self) -> dict[str, Any]:
        """Return what a list of runs has room for: the winner's."""
        return {name: value for name, value in self.to_dict()["best"].items() if name != "seconds"}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the mean of each place with its 95 % interval, the best on top, on axes of matplotlib.

        Parameters
        ----------
        ax : matplotlib axes, optional
            None makes a figure with pyplot.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots(layout="constrained")[1]
        for number, place in enumerate(self.places):
            ax.plot(place.interval, [number, number], color="0.6", linewidth=1.5)
            ax.plot(place.mean, number, "o", color="C1" if number == 0 else "C0")
        ax.set_yticks(range(len(self.places)), [place.name for place in self.places], parse_math=False)
        ax.set_xlabel(f"{self.measure} over {self.folds} folds")
        ax.invert_yaxis()
        return ax

    def _repr_html_(self) -> str:
        rows = [
            (
                place.name,
                place.mean,
                f"{place.interval[0]:.3f} to {place.interval[1]:.3f}",
                f"{place.seconds:.1f}",
                "best" if np.isnan(place.p) else place.p,
            )
            for place in self.places
        ]
        title = f"{self.folds} folds of {self.rows:,} training rows; p against the best by {self.test}"
        return table_html(title, ("", f"mean {self.measure}", "95 % interval", "seconds", "p"), rows, self.notes)

    def __str__(self) -> str:
        wide = max(len(place.name) for place in self.places)
        lines = [f"{'':<{wide}}   mean      sd   95 % interval   balanced   seconds       p"]
        for place in self.places:
            low, high = place.interval
            p = "best" if np.isnan(place.p) else f"{place.p:.3f}"
            means = f"{place.mean:.3f}  {place.sd:6.3f}  {low:.3f} to {high:.3f}  {place.balanced_accuracy:9.3f}"
            figures = f"{means}  {place.seconds:8.1f}  {p:>6}"
            lines.append(f"{place.name:<{wide}}  {figures}")
        lines.append(f"{self.folds} folds of {self.rows:,} training rows; p against the best by {self.test}")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def ranked(
    outcomes: Mapping[Combination, Mapping[int, Outcome]],
    groups: NDArray[np.object_],
    ratio: float,
    *,
    labels: Mapping[int, NDArray[np.object_]] | None = None,
    lowest: float = 0.0,
) -> tuple[list[Place], str]:
    """Sort combinations by their mean score and test each against the best.

    Parameters
    ----------
    outcomes : mapping
        Of each combination by seed; those of the same seed have the same folds.
    groups : NDArray of object
        Of the tested rows, in the order of `Outcome.right`; for the interval where there is one split.
    ratio : float
        Test rows over training rows of a fold.
    labels : mapping of int to NDArray of object
        Class of each tested row, by seed; None of other tasks.
    lowest : float
        What a score can be at least.

    Returns
    -------
    places : list of Place
        The best first.
    test : str
        By what they were tested.
    """
    order = sorted(outcomes, key=lambda name: -_mean(outcomes[name].values()))
    best = outcomes[order[0]]
    one_split = len(_scores(best.values())) == 1
    places = []
    for name in order:
        found = outcomes[name]
        scores = _scores(found.values())
        interval = _split_interval(found, groups) if len(scores) == 1 else corrected_interval(scores, ratio)
        difference, p = (float("nan"),) * 2 if found is best else _against(best, found, ratio)
        sd = float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan")
        seconds = sum(outcome.seconds for outcome in found.values())
        bounded = (max(interval[0], lowest), min(interval[1], 1.0))
        balanced = float(np.mean([_balanced(outcome, (labels or {}).get(seed)) for seed, outcome in found.items()]))
        mean = float(np.mean(scores))
        places.append(Place(*name, mean, sd, bounded, seconds, len(found), difference, p, balanced))
    return places, MCNEMAR if one_split else CORRECTED_T


def _scores(outcomes: Any) -> list[float]:
    return [score for outcome in outcomes for score in outcome.scores]


def _mean(outcomes: Any) -> float:
    return float(np.mean(_scores(outcomes)))


def _against(best: Mapping[int, Outcome], other: Mapping[int, Outcome], ratio: float) -> tuple[float, float]:
    seeds = [seed for seed in best if seed in other]
    if not seeds:
        return float("nan"), float("nan")
    first, second = (_scores(each[seed] for seed in seeds) for each in (best, other))
    difference = float(np.mean(second) - np.mean(first))
    if len(first) == 1:
        return difference, mcnemar_test(*(_right(each[seeds[0]]) for each in (best, other)))
    return difference, corrected_t_test(np.subtract(second, first), ratio)


def _split_interval(found: Mapping[int, Outcome], groups: NDArray[np.object_]) -> tuple[float, float]:
    (outcome,) = found.values()
    return preferred(accuracy_interval(_right(outcome), groups))


def _balanced(outcome: Outcome, labels: NDArray[np.object_] | None) -> float:
    if labels is None:
        return float("nan")
    right = _right(outcome)
    return float(np.mean([right[labels == name].mean() for name in set(labels)]))


def _right(outcome: Outcome) -> NDArray[np.bool_]:
    return np.array([one == "1" for one in outcome.right])
