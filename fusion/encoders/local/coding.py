"""From windows to pooled codes in one compiled pass: cut, whiten, compare with every centre, code and pool.

Windows pass in blocks. A block's distances to all centres stay in a core's cache, where they become triangle codes and
are added to their cells; no matrix of windows by centres is ever in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fusion.inr import tiles
from fusion.inr.compiling import kept, part
from fusion.inr.tiles import LANES, product

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]
    Floats = NDArray[np.float32]
    Integers = NDArray[np.int64]

_F = np.float32
_BLOCK = 32
# Sums may be reordered, infinities and NaN stay.
_SUMS = {"nsz", "contract", "arcp", "reassoc"}
AS_IT_IS, CENTRED, CONTRAST = 0, 1, 2


class Reader(NamedTuple):
    """How windows become whitened vectors.

    Parameters
    ----------
    mode : int
        `AS_IT_IS`, `CENTRED` (without each channel's mean) or `CONTRAST` (mean 0 and deviation 1).
    channels : int
    floor : float32
        Added to a window's variance where contrast is taken off.
    mean : shape=(v,)
    projection : shape=(v, d), d a multiple of `LANES`
    lengths : shape=(d, d)
        Upper triangle U such that ``|z @ U|`` is the length of what z keeps of the window.
    """

    mode: int
    channels: int
    floor: np.float32
    mean: Floats
    projection: Matrix
    lengths: Matrix


class Book(NamedTuple):
    """A dictionary as compiled code reads it: centres in columns, padded to whole vectors.

    Parameters
    ----------
    words : int
        Centres without the padding.
    columns : shape=(d, padded)
    squares : shape=(padded,)
        Squared length of each centre.
    """

    words: int
    columns: Matrix
    squares: Floats


def compiled_reader(mode: int, channels: int, floor: float, mean: NDArray[Any], projection: NDArray[Any]) -> Reader:
    """Prepare what was learned of windows for the kernel."""
    padded = np.zeros((projection.shape[0], _padded(projection.shape[1])), np.float32)
    padded[:, : projection.shape[1]] = projection
    lengths = np.zeros((padded.shape[1], padded.shape[1]), np.float32)
    d = projection.shape[1]
    lengths[:d, :d] = _lengths(projection)
    return Reader(mode, channels, _F(floor), np.array(mean, np.float32), padded, lengths)


def compiled_book(centres: NDArray[Any]) -> Book:
    """Prepare a dictionary of shape (k, d) for the kernel."""
    count, d = centres.shape
    columns = np.zeros((_padded(d), _padded(count)), np.float32)
    columns[:d, :count] = centres.T
    return Book(count, columns, np.sum(np.square(columns), axis=0, dtype=np.float32))


def _lengths(projection: NDArray[Any]) -> NDArray[np.float64]:
    """Give U with U U' the inverse of P' P: the nearest window with whitened vector z is ``|z U|`` long."""
    gram = projection.astype(np.float64).T @ projection.astype(np.float64)
    values, vectors = np.linalg.eigh(gram)
    kept = values > values[-1] * 1e-10
    return np.asarray(vectors * np.where(kept, 1.0 / np.sqrt(np.where(kept, values, 1.0)), 0.0))


def _padded(count: int) -> int:
    return -(-count // LANES) * LANES


@part(_SUMS)
def _condition(window: Floats, mode: int, channels: int, floor: np.float32) -> np.float32:
    """Take off means, or contrast, in place; give the variance that one unit stands for afterwards."""
    if mode == 0:
        return _F(1.0)
    if mode == 1:
        points = window.size // channels
        for c in range(channels):
            total = _F(0.0)
            for i in range(points):
                total += window[i * channels + c]
            middle = total / _F(points)
            for i in range(points):
                window[i * channels + c] -= middle
        return _F(1.0)
    total, squares = _F(0.0), _F(0.0)
    for i in range(window.size):
        total += window[i]
    middle = total / _F(window.size)
    for i in range(window.size):
        window[i] -= middle
        squares += window[i] * window[i]
    variance = squares / _F(window.size) + floor
    scale = _F(1.0) / np.sqrt(variance)
    for i in range(window.size):
        window[i] *= scale
    return variance


@kept(_SUMS, tiles)
def whitened(values: Floats, origins: Integers, offsets: Integers, how: Reader) -> tuple[Matrix, float]:
    """Cut windows out of a sample's values and whiten their one-step networks.

    Parameters
    ----------
    values : shape=(n * channels,)
    origins : shape=(w,)
    offsets : shape=(v,)
    how : Reader

    Returns
    -------
    z : shape=(w, d)
    error : float
        Mean over windows and values of the squared difference between a window and the nearest to the mean that has
        the same whitened vector.
    """
    size, d = offsets.size, how.projection.shape[1]
    z = np.empty((origins.size, d), np.float32)
    cut = np.empty((_BLOCK, size), np.float32)
    back = np.empty((_BLOCK, d), np.float32)
    energy = np.empty(_BLOCK, np.float32)
    unit = np.empty(_BLOCK, np.float32)
    total = 0.0
    for begin in range(0, origins.size, _BLOCK):
        n = min(_BLOCK, origins.size - begin)
        for row in range(n):
            window, origin = cut[row], origins[begin + row]
            for i in range(size):
                window[i] = values[origin + offsets[i]]
            unit[row] = _condition(window, how.mode, how.channels, how.floor)
            squares = _F(0.0)
            for i in range(size):
                window[i] -= how.mean[i]
                squares += window[i] * window[i]
            energy[row] = squares
        part = z[begin : begin + n]
        product(cut[:n], how.projection, part)
        product(part, how.lengths, back[:n])
        for row in range(n):
            kept = _F(0.0)
            for i in range(d):
                kept += back[row, i] * back[row, i]
            total += max(energy[row] - kept, _F(0.0)) * unit[row]
    return z, total / (origins.size * size)


@kept(_SUMS, tiles)
def pooled(
    z: Matrix, members: Integers, counts: Integers, book: Book, mean: Matrix, largest: Matrix, deviation: Matrix
) -> None:
    """Code whitened windows (w, d) with a dictionary and pool the codes over cells.

    Parameters
    ----------
    z : shape=(w, d)
    members : shape=(w, levels)
    counts : shape=(cells,)
    book : Book
    mean, largest, deviation : shape=(cells, padded)
        Written; what is not wanted has shape (0, 0). An empty cell gives 0.

    Notes
    -----
    Coates, Lee and Ng 2011, Section 3.2.1: ``max(0, mean distance - distance)``.
    """
    padded, count = book.squares.size, book.words
    spread = deviation.size > 0
    sums = np.zeros((counts.size, padded), np.float32)
    tops = np.zeros((counts.size, padded), np.float32)
    squares = np.zeros(deviation.shape, np.float32)
    distances = np.empty((_BLOCK, padded), np.float32)
    for begin in range(0, len(z), _BLOCK):
        n = min(_BLOCK, len(z) - begin)
        product(z[begin : begin + n], book.columns, distances[:n])
        for row in range(n):
            line, window = distances[row], z[begin + row]
            length, total = _F(0.0), _F(0.0)
            for i in range(window.size):
                length += window[i] * window[i]
            for k in range(count):
                square = length + book.squares[k] - _F(2.0) * line[k]
                line[k] = np.sqrt(max(square, _F(0.0)))
                total += line[k]
            middle = total / _F(count)
            for k in range(count):
                line[k] = max(middle - line[k], _F(0.0))
            for level in range(members.shape[1]):
                cell = members[begin + row, level]
                add, top = sums[cell], tops[cell]
                for k in range(count):
                    add[k] += line[k]
                    top[k] = max(top[k], line[k])
                if spread:
                    square_sums = squares[cell]
                    for k in range(count):
                        square_sums[k] += line[k] * line[k]
    for cell in range(counts.size):
        share = _F(1.0) / _F(max(counts[cell], 1))
        if mean.size:
            mean[cell] = sums[cell] * share
        if largest.size:
            largest[cell] = tops[cell]
        if spread:
            for k in range(count):
                average = sums[cell, k] * share
                deviation[cell, k] = np.sqrt(max(squares[cell, k] * share - average * average, _F(0.0)))
