"""What one modality of an item says for a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fusion.modalities import Modality


@dataclass(frozen=True, eq=False)
class BranchEvidence:
    """What one modality of an item says for a class.

    Parameters
    ----------
    name : str
        Of the branch.
    modality : Modality
    total : float
        What all its columns add to the margin of the class, less the mean of the classes.
    parts : dict of str to float
        The same by entry of the row's layout: a plain column, a layer, or a scale and pool of windows.
    heat : NDArray of float64, shape=grid, or None
        Evidence at each point: how much of the margin is lost without the windows over it, each window's share spread
        over its points. None where rows have no places.
    values : NDArray of float32, shape=(*grid, d_out), or None
        The sample in [0, 1].
    strongest : tuple of dict
        The windows without which most is lost: ``scale``, ``start`` and ``size`` in points of the grid along each axis,
        ``evidence``.
    """

    name: str
    modality: Modality
    total: float
    parts: dict[str, float]
    heat: NDArray[np.float64] | None = None
    values: NDArray[np.float32] | None = None
    strongest: tuple[dict[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, without arrays."""
        return {"total": self.total, "parts": self.parts, "strongest": list(self.strongest)}
