"""Whether values lie where those of training rows do; mostly another unit is why they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from fusion.modalities import Scaling

_MOSTLY = 0.5
_CONSTANT = 1e-3
"""Room on both sides of a channel that is constant in all training rows, as a share of its value."""
_NARROW, _ENOUGH = 1 / 8, 32
_CHECK = "Check their unit"


@dataclass(frozen=True)
class Reach:
    """How far the values of some samples reach in the ranges that were learned from training rows.

    Parameters
    ----------
    samples, outside : int
        All, and those of which one channel lies mostly outside its range.
    first : str
        The first of these, in words.
    low, high : tuple of float
        What the values of each channel reach over all samples, 0 and 1 being the limits of its range; empty where
        there are no limits.
    """

    samples: int = 0
    outside: int = 0
    first: str = ""
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    @classmethod
    def of(cls, sample_id: str, prepared: NDArray[Any], limits: Scaling, names: Sequence[str]) -> Reach:
        """Measure one prepared sample of shape (..., channels); NaN counts as inside."""
        values, low, high = prepared.reshape(-1, prepared.shape[-1]), limits.low, limits.high
        room = np.where(high > low, 0, _CONSTANT * np.abs(low))
        share = np.mean((values < low - room) | (values > high + room), axis=0)
        worst = int(np.argmax(share))
        found = np.stack([np.fmin.reduce(values), np.fmax.reduce(values)])
        reached = ((found - low) / limits.span).tolist()
        if share[worst] <= _MOSTLY:
            return cls(1, 0, "", *map(tuple, reached))
        shown = " to ".join(dict.fromkeys(f"{value:.4g}" for value in found[:, worst]))
        told = f"{sample_id!r}: {names[worst]} {shown}, expected {low[worst]:.4g} to {high[worst]:.4g}"
        return cls(1, 1, told, *map(tuple, reached))

    def and_more(self, other: Reach) -> Reach:
        """Add up."""
        if not self.samples or not other.samples:
            return self if self.samples else other
        return Reach(
            self.samples + other.samples,
            self.outside + other.outside,
            self.first or other.first,
            tuple(map(min, self.low, other.low)),
            tuple(map(max, self.high, other.high)),
        )

    def told(self, which: str, what: str, *, share: float = 0.0) -> Iterator[str]:
        """Say what is worth knowing.

        Parameters
        ----------
        which : str
            Which samples, after "samples".
        what : str
            What is said of those outside.
        share : float
            Of the samples, that must be outside for it to be said.
        """
        if self.outside > share * self.samples:
            yield f"{self.outside:,} of {self.samples:,} samples{which} {what}, first {self.first}. {_CHECK}"
            return
        widest = max((high - low for low, high in zip(self.low, self.high, strict=True)), default=1.0)
        if self.samples >= _ENOUGH and widest < _NARROW:
            yield (
                f"the values of all {self.samples:,} samples{which} fill at most {widest:.1%} of the range that was "
                f"learned from training rows. {_CHECK}"
            )


def reach_together(parts: Iterable[Mapping[str, Reach]]) -> dict[str, Reach]:
    """Add up what was measured of each split."""
    found: dict[str, Reach] = {}
    for part in parts:
        for split, reach in part.items():
            found[split] = found.get(split, Reach()).and_more(reach)
    return found
