"""Whether what a functa gives back looks like its sample, channel by channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

REPRODUCING = (
    "--initialisation random --initialiser siren --omegas 30,10 --steps 1000 --learning-rate 0.01 --schedule cosine"
)
"""Settings that reproduce, of docs/own-files.md."""
_HALF = 0.5


@dataclass(frozen=True)
class Likeness:
    """How near a reconstruction is to its sample, measured by what the sample itself does.

    Parameters
    ----------
    psnr : dict of str to float or None
        By channel, in dB, against the channel's own range in the sample, which may be far smaller than in the training;
        None where the channel is constant.
    unlike : tuple of str
        Channels whose error is more than half of their variance.
    """

    psnr: dict[str, float | None]
    unlike: tuple[str, ...]

    @classmethod
    def of(cls, original: NDArray[Any], decoded: NDArray[Any], names: Sequence[str]) -> Likeness:
        """Compare two arrays of shape (..., channels)."""
        truth, found = (np.asarray(array, np.float64).reshape(-1, len(names)) for array in (original, decoded))
        error, spread, variance = np.square(truth - found).mean(0), np.ptp(truth, axis=0), truth.var(0)
        with np.errstate(divide="ignore", invalid="ignore"):
            decibels = 10 * np.log10(np.square(spread) / error)
        known = spread > 0
        return cls(
            {name: float(value) if there else None for name, value, there in zip(names, decibels, known, strict=True)},
            tuple(np.array(names, dtype=object)[known & (error > _HALF * variance)].tolist()),
        )

    @property
    def note(self) -> str | None:
        """Say that the picture does not resemble the data, and what would; None where it does."""
        varying = [name for name, value in self.psnr.items() if value is not None]
        if not varying or 2 * len(self.unlike) < len(varying):
            return None
        return (
            f"the reconstruction does not resemble the data in {', '.join(self.unlike)}: the PSNR of the whole is told "
            "against the range of the training. Few steps classify best and reproduce little; to reproduce, encode "
            f"with {REPRODUCING}"
        )

    def titles(self) -> list[str]:
        """Give each channel's name with its PSNR."""
        return [f"{name}, {'constant' if value is None else f'{value:.1f} dB'}" for name, value in self.psnr.items()]
