"""Pictures of a result on axes of matplotlib, to put into figures of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fusion.errors import DataError
from fusion.metrics import Evaluation, NumberEvaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fusion.models.results import TrainResult

__all__ = ["ResultPlots"]


@dataclass(frozen=True, eq=False)
class ResultPlots:
    """What `TrainResult.plot` gives: each method draws on axes and returns them.

    Every method takes `ax`, matplotlib axes to draw on; None makes a figure with pyplot, as a notebook shows it.

    Parameters
    ----------
    result : TrainResult

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, (left, right) = plt.subplots(1, 2)
    >>> axes = result.plot.confusion(ax=left)
    >>> axes = result.plot.per_class(ax=right)
    """

    result: TrainResult

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
        axes.legend()
        return axes

    def modalities(self, ax: Axes | None = None) -> Axes:
        """Draw the score of each modality alone and of their fusion, with 95 % intervals.

        Raises
        ------
        DataError
            There is one modality.
        """
        from fusion.models.plots import drawable

        if not self.result.modalities:
            raise DataError("a model of one modality fuses nothing; expected a result of a link table")
        axes = _on(ax)
        named = {name: found.alone for name, found in self.result.modalities.items()}
        bars = [*named.items(), (str(self.result.fusion), self.result.evaluation)]
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

        if not isinstance(self.result.evaluation, NumberEvaluation):
            raise DataError(f"a model of task {self.result.model.task.name!r} has no residuals; expected regression")
        return draw_predicted(self.result.predictions, _on(ax))

    def _classified(self) -> Evaluation:
        found = self.result.evaluation
        if not isinstance(found, Evaluation):
            raise DataError(f"a model of task {self.result.model.task.name!r} has no classes; expected classification")
        return found


def _on(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    axes: Axes = plt.subplots(layout="constrained")[1]
    return axes
