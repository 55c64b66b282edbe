"""What one modality of an item says for a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from fusion.modalities import Modality

_AXES = {
    ("sensor", 1): ("reading",),
    ("audio", 1): ("reading",),
    ("audio", 2): ("frame of sound", "band"),
    ("image", 2): ("row", "column"),
    ("video", 3): ("frame", "row", "column"),
}


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

    def place(self, window: Mapping[str, Any]) -> str:
        """Say where one of the strongest windows is: in seconds where an axis is time and its rate is known."""
        names = _AXES.get((self.modality.name, self.modality.d_in)) or [f"axis {i}" for i in range(self.modality.d_in)]
        rate = self._rate()
        spans = []
        for name, start, size in zip(names, window["start"], window["size"], strict=True):
            if name in ("reading", "frame of sound") and rate is not None:
                spans.append(f"{start / rate:.2f} to {(start + size) / rate:.2f} s")
            else:
                spans.append(f"{name} {start}-{start + size - 1}")
        return ", ".join(spans)

    def _rate(self) -> float | None:
        """Points of the first axis per second, where that is known."""
        seconds = getattr(self.modality, "seconds", None)
        if self.modality.name == "audio" and seconds:
            return float(self.modality.grid[0] / seconds)
        rate = getattr(self.modality, "rate", None)
        return None if rate is None else float(rate)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, without arrays."""
        return {"total": self.total, "parts": self.parts, "strongest": list(self.strongest)}
