"""From windows to pooled codes, many samples at once, with any module that has NumPy's functions: CuPy's for a device.

The same codes as `fusion.encoders.local.coding` gives. Matrices of windows by centres are in memory here, and their
large products keep a device busy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.encoders.local.coding import CENTRED, CONTRAST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fusion.encoders.local.coding import Book, Reader
    from fusion.encoders.local.windows import Windows

_BLOCK_BYTES = 1 << 29


class BlockCoder:
    """One scale, ready to code blocks of samples.

    Parameters
    ----------
    xp : module
        NumPy or CuPy; the arrays of a scale are put into its memory once.
    windows : Windows
    reader : Reader
    book : Book
    """

    def __init__(self, xp: Any, windows: Windows, reader: Reader, book: Book) -> None:
        self.xp = xp
        self.size = len(windows.offsets)
        self._mode, self._channels, self._floor = reader.mode, reader.channels, np.float32(reader.floor)
        self._places = xp.asarray(windows.origins[:, None] + windows.offsets)
        self._mean, self._projection, self._lengths = map(xp.asarray, (reader.mean, reader.projection, reader.lengths))
        self._columns = xp.asarray(np.ascontiguousarray(book.columns[:, : book.words]))
        self._squares = xp.asarray(book.squares[: book.words])
        self._cells = [
            xp.asarray(np.flatnonzero((windows.members == cell).any(axis=1))) for cell in range(windows.cells)
        ]
        self.block = max(1, _BLOCK_BYTES // (4 * len(windows.origins) * max(book.words, self.size)))

    def coded(self, values: NDArray[np.float32], pools: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Pool the codes of the windows of values (b, n * channels), block by block.

        Returns
        -------
        rows : shape=(b, pools * cells * words)
            One pool after the other, in NumPy's memory.
        errors : shape=(b,)
            As of `fusion.encoders.local.coding.whitened`.
        """
        rows = np.empty((len(values), len(pools) * len(self._cells) * len(self._squares)), np.float32)
        errors = np.empty(len(values), np.float32)
        # A product of another height may be summed in another order: all blocks are of one, so that a row does not
        # depend on how many others come with it.
        some = np.zeros((self.block, values.shape[1]), np.float32)
        for begin in range(0, len(values), self.block):
            count = min(self.block, len(values) - begin)
            some[:count] = values[begin : begin + count]
            z, lost = self._whitened(self.xp.asarray(some))
            codes = self._codes(z).reshape(self.block, -1, len(self._squares))[:count]
            parts = [self._pooled(codes, pool).reshape(count, -1) for pool in pools]
            rows[begin : begin + count] = self._here(self.xp.concatenate(parts, axis=1))
            errors[begin : begin + count] = self._here(lost[:count])
        return rows, errors

    def _here(self, array: Any) -> NDArray[np.float32]:
        found: NDArray[np.float32] = array if isinstance(array, np.ndarray) else array.get()
        return found

    def _whitened(self, values: Any) -> tuple[Any, Any]:
        xp = self.xp
        cut = values[:, self._places].reshape(-1, self.size)
        unit = self._conditioned(cut)
        cut -= self._mean
        energy = xp.square(cut).sum(axis=1)
        z = cut @ self._projection
        lost = xp.maximum(energy - xp.square(z @ self._lengths).sum(axis=1), 0) * unit
        return z, lost.reshape(len(values), -1).mean(axis=1) / self.size

    def _conditioned(self, cut: Any) -> Any:
        """Take off means, or contrast, in place; give the variance that one unit stands for afterwards."""
        if self._mode == CENTRED:
            channels = cut.reshape(len(cut), -1, self._channels)
            channels -= channels.mean(axis=1, keepdims=True)
        if self._mode != CONTRAST:
            return np.float32(1.0)
        cut -= cut.mean(axis=1, keepdims=True)
        variance = self.xp.square(cut).mean(axis=1) + self._floor
        cut /= self.xp.sqrt(variance)[:, None]
        return variance

    def _codes(self, z: Any) -> Any:
        xp = self.xp
        squares = xp.square(z).sum(axis=1)[:, None] + self._squares - 2 * (z @ self._columns)
        distances = xp.sqrt(xp.maximum(squares, 0))
        return xp.maximum(distances.mean(axis=1, keepdims=True) - distances, 0)

    def _pooled(self, codes: Any, pool: str) -> Any:
        out = self.xp.zeros((len(codes), len(self._cells), codes.shape[2]), np.float32)
        for cell, members in enumerate(self._cells):
            if len(members):
                out[:, cell] = getattr(codes[:, members], pool)(axis=1)
        return out
