"""How local functas are made: windows, the network fitted to each, the dictionary and the cells pooled over."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from fusion.encoders.encoder import EncoderConfig, ModalityField
from fusion.encoders.local.checks import require_sound
from fusion.encoders.local.windows import (
    Pool,
    Scale,
    Turn,
    compressed,
    windows_of,
    with_differences,
    with_mirrored,
)
from fusion.errors import ConfigError
from fusion.inr.architecture import Architecture, LayoutEntry, sines
from fusion.inr.settings import FitSettings
from fusion.modalities import modality_from_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from fusion.datasets.base import Sample
    from fusion.encoders.local.windows import Windows
    from fusion.modalities import Modality

_WINDOWS_EACH = 2
_ONE_STEP = {"steps": 1, "learning_rate": 1.0}
_DEFAULTS: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {
    1: ((16,), (2,)),
    2: ((6, 6), (2, 2)),
    3: ((4, 8, 8), (2, 4, 4)),
}


@dataclass(frozen=True)
class LocalConfig(EncoderConfig):
    """How a sample becomes the pooled code of its windows' networks.

    Parameters
    ----------
    modality : Modality
        Its sizes may be open until resolved.
    windows : tuple of tuple of int
        Points of a window along each axis, one entry for each scale; empty takes one scale for the number of axes. No
        longer than the grid: what is longer is cut to it.
    strides : tuple of tuple of int
        Distance of neighbouring windows, for each scale.
    dilations : tuple of tuple of int
        Distance of a window's neighbouring points along each axis, for each scale: the same network, fitted to a
        coarser grid of coordinates, sees more at once. Empty for 1.
    cells : tuple of tuple of int
        Levels of a pyramid: parts along each axis that codes are pooled over, by the place of a window's middle. Empty
        pools over the whole sample.
    pools : tuple of {"mean", "max", "std"}
        What is kept of each centre's codes in a cell.
    root : bool
        Take the square root of what is pooled: of no effect on trees, worth half a point to a linear reader.
    centres : int >= 2
        Size of the dictionary of each scale.
    fewer_centres : bool
        Take fewer where the training samples do not have two windows for each, and fewer scales where samples are
        short, as presets do. It is settled before the dictionary is learned, so a store says how many there are.
    dimensions : int >= 1
        Most dimensions that whitening keeps.
    regularisation : float >= 0
        Added to the variances before whitening, as a part of their mean.
    contrast : bool
        Take the mean off every window and divide by its deviation, before the fit.
    centred : bool
        Take the mean of each channel off every window, before the fit.
    differences : tuple of int
        Lags along the first axis whose differences are fitted as further channels.
    compressed : float >= 0
        Unit of compression, as a part of each channel's range; 0 for none. Of every value of the sample its channel's
        mean is taken off, and ``arcsinh(what is left / unit)`` is fitted as a further channel: movement too small to
        count beside large movement counts there. Linear well below the unit, logarithmic above.
    compressed_apart : bool
        Give the compressed values windows and dictionaries of their own, behind those of the others, instead of windows
        that see both: where they are noise, the others' codes do not suffer. Says nothing where none are compressed.
    mirrored : tuple of int
        Axes that a sample is mirrored along: windows of the copies are coded and pooled with its own, so that a row is
        the same for a sample and its mirror image. For data whose class does not change by it, such as photographs from
        left to right (axis 1). Flow along a mirrored axis changes its sign.
    balanced : bool
        Divide every channel by its deviation over the training windows, before the fit.
    hidden : tuple of int
        Units of each hidden layer of the windows' network.
    omega : float > 0
        Frequency of its hidden layers.
    fit : FitSettings
        Plain gradient steps; a learning rate of 1 is a step of one by the largest curvature at the start, and anything
        below 2 is stable there.
    samples, patches : int >= 1
        Training samples, and windows of each scale from them, that whitening and dictionary are learned from.
    iterations : int >= 1
        Of k-means.
    raw : bool
        Whiten the windows' values themselves in place of their networks' weights, all else the same: the control that
        says what the network adds. Such rows are no functas.
    psnr_floor : float or None
        A row whose windows are kept below this many dB has status "below the PSNR floor".
    seed : int
        Of the start and of all that is drawn.

    Notes
    -----
    Coates, Lee and Ng 2011, "An analysis of single-layer networks in unsupervised feature learning", for whitening,
    k-means, the triangle code and pooling; what they take of pixels is taken here of networks' weights. Perronnin,
    Sanchez and Mensink 2010, "Improving the Fisher kernel for large-scale image classification", for the root.
    """

    modality: ModalityField
    windows: tuple[tuple[int, ...], ...] = ()
    strides: tuple[tuple[int, ...], ...] = ()
    dilations: tuple[tuple[int, ...], ...] = ()
    cells: tuple[tuple[int, ...], ...] = ()
    pools: tuple[Pool, ...] = ("mean", "max")
    root: bool = True
    centres: int = 600
    fewer_centres: bool = False
    dimensions: int = 96
    regularisation: float = 0.01
    contrast: bool = False
    centred: bool = False
    differences: tuple[int, ...] = ()
    compressed: float = 0.0
    compressed_apart: bool = False
    mirrored: tuple[int, ...] = ()
    balanced: bool = False
    hidden: tuple[int, ...] = (32, 16)
    omega: float = 6.0
    fit: FitSettings = field(default_factory=lambda: FitSettings(**_ONE_STEP))  # type: ignore[arg-type]
    samples: int = 4096
    patches: int = 100_000
    iterations: int = 12
    raw: bool = False
    psnr_floor: float | None = None
    seed: int = 42

    kind: ClassVar[str] = "local"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("windows", "strides", "dilations", "cells"):
            object.__setattr__(self, name, tuple(_whole(entry, name) for entry in getattr(self, name)))
        for name in ("hidden", "differences", "mirrored"):
            object.__setattr__(self, name, _whole(getattr(self, name), name))
        object.__setattr__(self, "pools", tuple(self.pools))
        object.__setattr__(self, "omega", float(self.omega))
        object.__setattr__(self, "compressed", float(self.compressed))
        require_sound(self)
        sines(1, 1, self.hidden, self.omega)  # refuses what no modality can have

    @property
    def scales(self) -> tuple[Scale, ...]:
        """Sizes and strides of the windows of each scale, for the modality's number of axes."""
        if not self.windows:
            return (Scale(*_default_windows(self.modality.d_in)),)
        apart = self.dilations or ((),) * len(self.windows)
        return tuple(Scale(*scale) for scale in zip(self.windows, self.strides, apart, strict=True))

    @property
    def channels(self) -> int:
        """Values at each point, differences and compressed values included."""
        return self.modality.d_out * (1 + len(self.differences) + (self.compressed > 0))

    @property
    def folds(self) -> bool:
        """Whether a fit is one step over the whole window, and so one matrix."""
        return self.fit.steps == 1 and self.fit.psnr_target is None and self.fit.coordinates_per_step is None

    @property
    def layout(self) -> tuple[LayoutEntry, ...]:
        """(name, shape, offset) of every array inside a row: cells by centres, for each scale and pool."""
        entries: list[LayoutEntry] = []
        offset = 0
        for index, grid in enumerate(self.all_windows()):
            for pool in self.pools:
                entries.append((f"scale_{index}/{pool}", (grid.cells, self.centres), offset))
                offset += grid.cells * self.centres
        return tuple(entries)

    def in_learning_steps(self, steps: int) -> LocalConfig:
        """Give the same configuration with so many iterations of the dictionary."""
        return replace(self, iterations=steps)

    def learning_steps(self) -> int:
        """Count the iterations of the dictionary."""
        return self.iterations

    @property
    def learning_samples(self) -> int:
        """How many samples windows are drawn from at most."""
        return self.samples

    def learning_share(self, samples: int, of: int) -> float:
        """Compare the windows that are drawn of the samples."""
        drawn = [
            sum(min(self.patches, min(count, self.samples) * len(windows.origins)) for windows in self.all_windows())
            for count in (samples, of)
        ]
        return drawn[0] / drawn[1]

    def all_windows(self) -> tuple[Windows, ...]:
        """Where the windows of each scale lie in the modality's grid, then those of compressed values kept apart."""
        views: list[tuple[int, int]] = [(0, self.channels)]
        if self.compressed_apart and self.compressed > 0:
            plain = self.channels - self.modality.d_out
            views = [(0, plain), (plain, self.channels)]
        grid, mirrored = self.modality.grid, self.mirrored
        return tuple(
            windows_of(scale, grid, self.channels, self.cells, mirrored, view)
            for view in views
            for scale in self.scales
        )

    def seen(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give all channels that windows are cut from, of values (n, d_out) in [0, 1].

        Returns
        -------
        NDArray of float32, shape=(n * copies, channels)
            Mirrored copies behind the sample itself.
        """
        seen = with_differences(values, self.modality.grid, self.differences)
        if self.compressed > 0:
            seen = np.hstack([seen, compressed(values, self.compressed)])
        return with_mirrored(seen, self.modality.grid, self.mirrored, [self._turned(axis) for axis in self.mirrored])

    def _turned(self, axis: int) -> Turn | None:
        """How the channels of a mirrored copy change: of flow, rest is one half, and no difference or deviation."""
        turned = list(self.modality.turned(axis))
        if not turned:
            return None
        signs, rest = np.ones(self.modality.d_out, np.float32), np.zeros(self.channels, np.float32)
        signs[turned], rest[turned] = -1.0, 1.0
        return Turn(np.tile(signs, self.channels // len(signs)), rest)

    def network(self, channels: int | None = None) -> Architecture:
        """Give the network that is fitted to a window of so many channels, or of the first scale's."""
        width = self.all_windows()[0].width if channels is None else channels
        return sines(self.modality.d_in, width, self.hidden, self.omega)

    def conventions(self) -> dict[str, Any]:
        """Say, for the store's header, what a row holds."""
        whitened = "window itself" if self.raw else "difference of the window's network from the start"
        return {
            "architecture": self.network().to_dict(),
            "local": "for each scale: z = (window - state/mean) @ state/projection is the whitened "
            f"{whitened}; its code is max(0, mean distance - distance) to state/centres, pooled "
            "over cells, with "
            "its root taken where the encoder says so; a row holds (cells, centres) for each scale and pool and cannot "
            "be decoded",
        }

    def with_modality(self, modality: Modality) -> LocalConfig:
        """Give the same configuration for a modality whose sizes are known; windows are cut to its grid.

        Along a single axis a preset's windows are cut to half of it, the first scale's to a quarter, and stand closer
        where there would be few; scales that are the same then become one.
        """
        chosen = super().with_modality(modality)
        scales = [scale._replace(size=scale.within(modality.grid)) for scale in chosen.scales]
        if chosen.fewer_centres:
            first, *others = scales
            short = [first.for_short(modality.grid, 4), *(scale.for_short(modality.grid, 2) for scale in others)]
            scales = list(dict.fromkeys(short))
        return replace(
            chosen,
            windows=tuple(scale.size for scale in scales),
            strides=tuple(scale.stride for scale in scales),
            dilations=tuple(scale.dilation for scale in scales) if chosen.dilations else (),
        )

    def for_training(self, training: Iterable[Sample]) -> Self:
        """Give the same configuration with as many centres as there are two training windows for."""
        if not self.fewer_centres:
            return self
        each = min(len(grid.origins) for grid in self.all_windows())
        needed = min(self.samples, -(-_WINDOWS_EACH * self.centres // each))
        found = each * sum(1 for _ in islice(training, needed))
        centres = min(self.centres, max(2, found // _WINDOWS_EACH))
        return replace(self, centres=centres, fewer_centres=False)

    def with_sizes_of(self, stored: Mapping[str, Any]) -> Self:
        """Give the same configuration with the centres and scales of another, where fewer are allowed."""
        centres = int(stored.get("centres", self.centres))
        if not self.fewer_centres or stored.get("kind") != self.kind or centres > self.centres:
            return self
        settled = self.with_modality(modality_from_dict(stored["modality"]))
        found = {name: getattr(settled, name) for name in ("windows", "strides", "dilations")}
        return replace(self, **found, centres=centres, fewer_centres=False)

    def reductions(self, asked: EncoderConfig) -> tuple[str, ...]:
        """Say that there are fewer centres or scales than the preset has."""
        if not isinstance(asked, LocalConfig):
            return ()
        said = []
        if asked.fewer_centres and self.windows != asked.windows:
            kept, wanted = (", ".join("x".join(map(str, size)) for size in config.windows) for config in (self, asked))
            said.append(f"windows of {kept} points, not the preset's {wanted}: samples are short")
        if self.centres < asked.centres:
            said.append(
                f"the dictionary has {self.centres} centres, not the preset's {asked.centres}: there are two training "
                "windows for each. More training samples, or smaller strides, give more"
            )
        return tuple(said)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, without what says nothing and older stores do not have."""
        values = super().to_dict()
        settled = {"fewer_centres": self.fewer_centres, "dilations": self.dilations, "mirrored": self.mirrored}
        settled |= {"compressed_apart": self.compressed_apart, "raw": self.raw}
        return {name: value for name, value in values.items() if settled.get(name, True)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, or a user's part of it; a fit is one step where nothing else is said."""
        return super().from_dict({**values, "fit": _ONE_STEP | dict(values.get("fit", {}))})


def _whole(numbers: Sequence[int], name: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in numbers)
    except (TypeError, ValueError):
        raise ConfigError(f"{name} {numbers!r}; expected whole numbers, one for each axis") from None


def _default_windows(axes: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if axes not in _DEFAULTS:
        raise ConfigError(f"no windows given for {axes} axes; expected `windows` and `strides` in the configuration")
    return _DEFAULTS[axes]
