"""What the columns of one row add to a class, and what a change of each would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.models.column_shares import Part, parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from fusion.estimators.tasks import Task
    from fusion.models.model import Model, ModelBranch

_SMALLEST = {"gblinear": 1e-4}
_SMALL = 0.25
"""Of a column, in deviations: nearer to its mean a tree's contribution says nothing of a slope."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """One branch's part in what a model says of one item.

    Parameters
    ----------
    contributions : NDArray of float64, shape=(k,)
        What each column of the row adds to the margin of the class, less what it adds to the classes on average; or to
        the log odds of a label, or to the number.
    slopes : NDArray of float64, shape=(k,)
        Change of that margin for a change of the column by one, between its mean over the training rows and its value.
    """

    contributions: NDArray[np.float64]
    slopes: NDArray[np.float64]


def attributions(model: Model, functas: Mapping[str, NDArray[Any]], label: str | None) -> dict[str, Attribution]:
    """Attribute what a model says of one item to its columns, for each modality that the item has.

    Parameters
    ----------
    model : Model
    functas : mapping of str to NDArray, shape=(1, k)
        By branch name.
    label : str or None
        Class or label to explain; None of a model of numbers.

    Notes
    -----
    SHAP values (Lundberg et al., "Consistent Individualized Feature Attribution for Tree Ensembles", 2018; of a linear
    booster weight times value), less their mean over the classes, on which no probability depends. In early fusion
    they are those of the common classifier, in late and stacked fusion of each modality's own.
    """
    matrix = model._matrix(functas)
    found: dict[str, Attribution] = {}
    for part in parts_of(model):
        given = [branch for branch in part.branches if branch.name in functas]
        if given:
            row = matrix[:, part.columns]
            added = _added(part, row, model.task, label)
            found |= {branch.name: _of_branch(part, branch, row[0], added) for branch in given}
    return found


def _added(part: Part, row: NDArray[np.float32], task: Task, label: str | None) -> NDArray[np.float64]:
    """Give what each column adds to the output that is explained."""
    values = task.compared(part.classifier.contributions(row)[0, :, :-1].astype(np.float64))
    if label is None:
        return np.asarray(values[0])
    names = [str(name) for name in part.classifier.classes_]
    return np.asarray(values[names.index(label)]) if label in names else np.zeros(values.shape[1])


def _of_branch(part: Part, branch: ModelBranch, row: NDArray[np.float32], added: NDArray[np.float64]) -> Attribution:
    before = sum(other.columns for other in part.branches[: part.branches.index(branch)])
    here = slice(before, before + branch.columns)
    keep = branch.features.keep_
    contributions, slopes = np.zeros(len(keep)), np.zeros(len(keep))
    contributions[keep] = added[here]
    smallest = _SMALLEST.get(part.classifier.booster, _SMALL)
    z = np.nan_to_num(row[here].astype(np.float64))
    # A column that stands at its mean has no contribution, and no slope can be told.
    slope = added[here] * z / np.maximum(z**2, smallest**2)
    slopes[keep] = slope / branch.features.scale_ if branch.features.normalise else slope
    return Attribution(contributions, slopes)
