"""The page of a comparison: all combinations by their score, the choice, and its one test."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from fusion.comparing.kept import COMPARISON_FILE, KeptComparison, read_result
from fusion.models.plots import drawable
from fusion.reporting.charts import BLUE, GREY, ORANGE, svg_image
from fusion.reporting.page import page_environment

if TYPE_CHECKING:
    from fusion.comparing import CompareResult

__all__ = ["is_comparison", "render_comparison"]

_MOST_BARS, _CLEAR = 40, 0.01
_MEASURES = {"accuracy": "accuracy", "r2": "R2", "micro_f1": "micro F1"}


def is_comparison(folder: str | Path) -> bool:
    """Tell whether a folder is one of `functa compare` and not a model's."""
    path = Path(folder)
    return not (path / "model.json").exists() and ((path / COMPARISON_FILE).exists() or (path / "cells").is_dir())


def render_comparison(folder: str | Path) -> str:
    """Give the HTML of a comparison's page.

    Raises
    ------
    DataError
        No comparison is finished in the folder, or its file is damaged.
    """
    kept = read_result(folder)
    result = kept.result()
    environment = page_environment()
    environment.filters |= {"figure": _figure}
    shown = result.places[:_MOST_BARS]
    page: str = environment.get_template("comparison.html").render(
        title=_title(result),
        kept=kept,
        result=result,
        best=result.best,
        measure=_MEASURES.get(result.measure, result.measure),
        tested=(result.winner or {}).get(f"{result.measure}_interval"),
        others=sum(place.p >= _CLEAR for place in result.places[1:]),
        balanced=not math.isnan(result.best.balanced_accuracy),
        chart=_chart(result),
        cut=0 if len(shown) == len(result.places) else len(shown),
        facts=_facts(kept),
    )
    return page


def _title(result: CompareResult) -> str:
    count = len(result.places)
    return f"What works best: {count} combination{'' if count == 1 else 's'} compared"


def _facts(kept: KeptComparison) -> dict[str, str]:
    names = {"train_splits": "training split", "test_splits": "test split"}
    told = {names.get(name, name): value for name, value in kept.settings.items() if value}
    return {name: ", ".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in told.items()}


def _chart(result: CompareResult) -> str:
    """Draw the mean of each combination with its interval, the best in blue, and the test of the winner."""
    places = result.places[:_MOST_BARS]
    figure = Figure(figsize=(7.2, 0.3 * len(places) + 1.0), layout="constrained")
    axes = figure.subplots()
    for height, place in zip(np.arange(len(places))[::-1], places, strict=True):
        colour = BLUE if place is result.best else GREY
        axes.plot(place.interval, [height, height], color=colour, linewidth=2)
        axes.plot(place.mean, height, marker="o", color=colour, linestyle="none")
    if result.winner is not None:
        tested = result.winner[result.measure]
        axes.plot(tested, len(places) - 1, marker="D", color=ORANGE, linestyle="none", label="its one test")
        axes.legend(fontsize=8, frameon=False, loc="lower right", bbox_to_anchor=(1, 1))
    axes.set_yticks(np.arange(len(places))[::-1], [drawable(place.name, 40) for place in places], parse_math=False)
    axes.set_xlim(left=max(axes.get_xlim()[0], -1.0))
    axes.set_xlabel(f"mean {_MEASURES.get(result.measure, result.measure)} on training groups left out, 95 % interval")
    axes.grid(axis="x", alpha=0.3)
    return svg_image(figure)


def _figure(value: Any) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.3f}"
