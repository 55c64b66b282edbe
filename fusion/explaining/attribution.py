"""What the columns of one row add to a class, and what a change of each would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.models.column_shares import Part, parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

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
        What each column of the row adds to the margin of the class, less what it adds to the classes on average.
    slopes : NDArray of float64, shape=(k,)
        Change of that margin for a change of the column by one, between its mean over the training rows and its value.
    """

    contributions: NDArray[np.float64]
    slopes: NDArray[np.float64]

    def parts(self, header: Mapping[str, Any]) -> dict[str, float]:
        """Add the contributions up over each entry of the layout: a layer of a network, or a plain column."""
        entries = ((str(name), int(np.prod(shape)), int(offset)) for name, shape, offset in header["layout"])
        return {name: float(self.contributions[at : at + size].sum()) for name, size, at in entries}


def attributions(model: Model, functas: Mapping[str, NDArray[Any]], label: str) -> dict[str, Attribution]:
    """Attribute what a model says of one item's class to its columns, for each modality that the item has.

    Parameters
    ----------
    model : Model
    functas : mapping of str to NDArray, shape=(1, k)
        By branch name.
    label : str
        Class to explain.

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
            added = _centred(part, row, label)
            found |= {branch.name: _of_branch(part, branch, row[0], added) for branch in given}
    return found


def _centred(part: Part, row: NDArray[np.float32], label: str) -> NDArray[np.float64]:
    values = part.classifier.contributions(row)[0, :, :-1].astype(np.float64)
    names = [str(name) for name in part.classifier.classes_]
    if label not in names:
        return np.zeros(values.shape[1])
    return np.asarray(values[names.index(label)] - values.mean(axis=0))


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
