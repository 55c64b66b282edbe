"""Pictures of a result on axes of matplotlib, to put into figures of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fusion.errors import DataError
from fusion.metrics import Evaluation, Figures, NumberEvaluation

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from fusion.models.figures import ModalityFigures

__all__ = ["ResultPlots"]


@dataclass(frozen=True, eq=False)
class ResultPlots:
    """What `TrainResult.plot` gives: each method draws on axes and returns them.

    Every method takes `ax`, matplotlib axes to draw on; None makes a figure with pyplot, as a notebook shows it.

    Parameters
    ----------
    task : str
        Name of the task.
    evaluation : Figures
    predictions : DataFrame, optional
        Of the test rows, with the columns ``label`` and ``predicted``.
    parts : mapping of str to ModalityFigures
        Modalities by name.
    fusion : str or None

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from fusion.metrics import evaluate_predictions
    >>> found = evaluate_predictions(np.array(["sit", "walk"]), np.array(["sit", "sit"]))
    >>> axes = ResultPlots("classification", found).confusion(ax=Figure().subplots())
    >>> axes.get_xlabel()
    'predicted'
    """

    task: str
    evaluation: Figures
    predictions: pd.DataFrame | None = None
    parts: Mapping[str, ModalityFigures] = field(default_factory=dict)
    fusion: str | None = None

    def confusion(self, ax: Axes | None = None) -> Axes:
        """Draw the confusion matrix: per cent of each true class, and counts.

        Raises
        ------
        DataError
            The task has no classes.
        """
        from fusion.models.plots import draw_confusion

        return draw_confusion(self._classified(), _on(ax))

    def per_class(self, ax: Axes | None = None) -> Axes:
        """Draw precision and recall of each class as bars.

        Raises
        ------
        DataError
            The task has no classes.
        """
        from fusion.models.plots import drawable

        axes, classes = _on(ax), self._classified().per_class
        places = np.arange(len(classes))
        for shift, name in ((-0.2, "precision"), (0.2, "recall")):
            axes.barh(places + shift, [getattr(one, name) for one in classes], height=0.4, label=name)
        axes.set_yticks(places, [drawable(one.label, 28) for one in classes], parse_math=False)
        axes.set(xlim=(0, 1))
        axes.invert_yaxis()
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
        return axes

    def modalities(self, ax: Axes | None = None) -> Axes:
        """Draw the score of each modality alone and of their fusion, with 95 % intervals.

        Raises
        ------
        DataError
            There is one modality.
        """
        from fusion.models.plots import drawable

        if not self.parts:
            raise DataError("a model of one modality fuses nothing; expected a result of a link table")
        axes = _on(ax)
        named = {name: found.alone for name, found in self.parts.items()}
        bars = [*named.items(), (str(self.fusion), self.evaluation)]
        for place, (_, found) in enumerate(bars):
            low, high = found.interval
            axes.barh(place, found.score, height=0.6, color="C1" if place == len(bars) - 1 else "C0")
            axes.plot([low, high], [place, place], color="0.2", linewidth=1.5)
        axes.set_yticks(range(len(bars)), [drawable(name, 28) for name, _ in bars], parse_math=False)
        axes.set_xlabel("score and its 95 % interval")
        axes.invert_yaxis()
        return axes

    def residuals(self, ax: Axes | None = None) -> Axes:
        """Draw predicted numbers against the true ones.

        Raises
        ------
        DataError
            The task does not predict numbers.
        """
        from fusion.models.plots import draw_predicted

        if not isinstance(self.evaluation, NumberEvaluation) or self.predictions is None:
            raise DataError(f"a model of task {self.task!r} has no residuals; expected regression")
        return draw_predicted(self.predictions, _on(ax))

    def _classified(self) -> Evaluation:
        if not isinstance(self.evaluation, Evaluation):
            raise DataError(f"a model of task {self.task!r} has no classes; expected classification")
        return self.evaluation


def _on(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    axes: Axes = plt.subplots(layout="constrained")[1]
    return axes
