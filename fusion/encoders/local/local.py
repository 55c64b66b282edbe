"""Local functas: the third kind of encoder. A row is the pooled code of all windows' networks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

import numpy as np

from fusion.encoders.encoder import Encoder
from fusion.encoders.local.blocks import BlockCoder
from fusion.encoders.local.coding import compiled_book, compiled_reader, pooled, whitened
from fusion.encoders.local.config import LocalConfig
from fusion.encoders.local.dictionary import ScaleState, conditioned, learn_scales, mode_of
from fusion.encoders.local.folding import stepped_deltas
from fusion.errors import DataError
from fusion.inr.engine import chosen_backend
from fusion.modalities import Scaling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from fusion.datasets import Sample
    from fusion.encoders.local.coding import Book, Reader
    from fusion.encoders.local.windows import Windows
    from fusion.encoders.pool import Mapper
    from fusion.encoders.rows import Fitted

_SLOW_BLOCK = 512


class ScaleCoder:
    """One scale, ready for the kernel."""

    def __init__(self, config: LocalConfig, state: ScaleState, windows: Windows) -> None:
        self.config = config
        self.state = state
        self.windows = windows
        self.mode = mode_of(config)
        self.reader: Reader = compiled_reader(
            self.mode, windows.width, float(state.floor[0]), state.mean, state.projection
        )
        self.book: Book = compiled_book(state.centres)

    def code(self, values: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
        """Pool the codes of a sample's windows; gives the part of the row, and the windows' mean squared error."""
        z, error = self.whitened(values)
        shape, none = (self.windows.cells, len(self.book.squares)), np.empty((0, 0), np.float32)
        out = {
            pool: np.empty(shape, np.float32) if pool in self.config.pools else none for pool in ("mean", "max", "std")
        }
        pooled(z, self.windows.members, self.windows.counts, self.book, out["mean"], out["max"], out["std"])
        parts = [out[pool][:, : self.book.words].ravel() for pool in self.config.pools]
        row = np.concatenate(parts)
        return np.sqrt(row) if self.config.root else row, error

    def blocks(self, xp: Any) -> BlockCoder:
        """Give the same coder for blocks of samples."""
        return BlockCoder(xp, self.windows, self.reader, self.book)

    def whitened(self, values: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
        """Give the whitened networks of all windows, shape (w, d), and their mean squared error."""
        if not self.config.folds:
            return self._stepped(values)
        z, error = whitened(values.reshape(-1), self.windows.origins, self.windows.offsets, self.reader)
        return z, error

    def _stepped(self, values: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
        config, state, network = self.config, self.state, self.config.network(self.windows.width)
        z = np.zeros((len(self.windows.origins), len(self.book.columns)), np.float32)
        errors = []
        for begin in range(0, len(z), _SLOW_BLOCK):
            chosen = np.arange(begin, min(begin + _SLOW_BLOCK, len(z)))
            cut = conditioned(self.windows.cut(values, chosen), self.mode, self.windows.width, float(state.floor[0]))
            size = float(state.step_size[0])
            deltas, mse = stepped_deltas(network, state.start, self.windows.size, cut, config.fit, size)
            z[chosen, : state.whitening.shape[1]] = (deltas - state.delta_mean) @ state.whitening
            errors.append(mse)
        return z, float(np.concatenate(errors).mean())


@dataclass(frozen=True, eq=False)
class LocalFunctas(Encoder):
    """Codes each sample by the networks of its windows.

    Parameters
    ----------
    config : LocalConfig
    scaling : Scaling
        Limits that map raw values to [0, 1].
    gains : NDArray of float32, shape=(channels,)
        Factor of each channel, differences included.
    scales : tuple of ScaleState
        Start, whitening and dictionary of each scale.
    """

    gains: NDArray[np.float32]
    scales: tuple[ScaleState, ...]

    config_class = LocalConfig
    learned: ClassVar[str] = "start, whitening and dictionary"
    has_dictionary: ClassVar[bool] = True

    @classmethod
    def learn(cls, config: LocalConfig, scaling: Scaling, training: Iterable[Sample], mapper: Mapper) -> Self:
        """Learn gains, whitening and dictionary of every scale from windows of training samples."""
        gains, scales = learn_scales(config, scaling, training, mapper)
        return cls(config, scaling, gains, tuple(scales))

    @classmethod
    def from_arrays(cls, config: LocalConfig, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `arrays` gave."""
        plain = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
        count = sum(name.startswith("centres_") for name in plain)
        names = [item.name for item in fields(ScaleState)]
        scales = [ScaleState(*(plain[f"{name}_{index}"] for name in names)) for index in range(count)]
        return cls(config, Scaling(plain["low"], plain["high"]), plain["gains"], tuple(scales))

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Give limits, gains, and the arrays of every scale under its number."""
        arrays = {"low": self.scaling.low, "high": self.scaling.high, "gains": self.gains}
        for index, scale in enumerate(self.scales):
            arrays |= {f"{item.name}_{index}": getattr(scale, item.name) for item in fields(scale)}
        return arrays

    @property
    def device(self) -> str:
        """Where windows are coded: on a CUDA device where CuPy is installed and a window takes one step."""
        where = chosen_backend()
        return where if where.startswith("cuda") and self.config.folds and find_spec("cupy") else "cpu"

    def fit(self, values: NDArray[np.float32]) -> Fitted:
        """Code samples of values (b, n, d_out), one after the other; gives rows (b, k), errors (b,) and steps (b,).

        The error is the mean over all windows of what the whitened vector does not keep of a window: how much of the
        windows the code is made from, before pooling. Where steps run through the engine it is the error of their fits.
        """
        scales = zip(self.scales, self.config.all_windows(), strict=True)
        coders = [ScaleCoder(self.config, scale, windows) for scale, windows in scales]
        if self.device != "cpu":
            cupy = import_module("cupy")
            with cupy.cuda.Device(int(self.device.removeprefix("cuda:"))):
                return self._fit_blocks(cupy, coders, values)
        rows = np.empty((len(values), self.config.k), np.float32)
        errors = np.empty(len(values), np.float32)
        for row, sample in enumerate(values):
            seen = self.config.seen(np.asarray(sample, np.float32)) * self.gains
            parts = [coder.code(np.ascontiguousarray(seen)) for coder in coders]
            rows[row] = np.concatenate([part for part, _ in parts])
            errors[row] = np.mean([error for _, error in parts])
        return rows, errors, np.full(len(values), self.config.fit.steps, np.int32)

    def _fit_blocks(self, xp: Any, coders: list[ScaleCoder], values: NDArray[np.float32]) -> Fitted:
        """Code blocks of samples with NumPy or CuPy."""
        seen = np.stack([self.config.seen(np.asarray(sample, np.float32)) for sample in values]) * self.gains
        flat = np.ascontiguousarray(seen.reshape(len(values), -1))
        scales = [coder.blocks(xp).coded(flat, self.config.pools) for coder in coders]
        rows = np.concatenate([part for part, _ in scales], axis=1)
        errors = np.mean([error for _, error in scales], axis=0)
        rows = np.sqrt(rows) if self.config.root else rows
        return rows, errors.astype(np.float32), np.full(len(values), self.config.fit.steps, np.int32)

    def weights(self, row: NDArray[np.float32]) -> NoReturn:  # noqa: ARG002
        """Refuse: the places of the windows are gone."""
        raise DataError(
            "a local functa is pooled over its windows and cannot be decoded; "
            "encode with --encoder functa or modulation for rows that can"
        )
