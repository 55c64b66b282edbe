"""How the matrices of a network are cut into pieces, one or more a thread."""

from __future__ import annotations

from dataclasses import dataclass

TILE = 64
"""Coordinates that pass through the network at once."""
PAD = 4
"""Floats after each row, so that neighbouring rows begin in other banks of shared memory."""
UNITS = 4
"""Units whose weights a thread loads at once, and that widths are padded to."""
FEW_OUTPUTS = 16
"""Outputs up to which their sums stay in registers."""


@dataclass(frozen=True)
class HiddenTile:
    """A hidden layer's activations, cut into pieces of 4 units and 4 or 8 coordinates, one a thread.

    Parameters
    ----------
    units : int
        Padded width of the layer.
    columns : int
        Coordinates of a piece.
    passes : int
        Pieces of one thread; with more than one, slopes and sums go to memory.
    pieces : int
    """

    units: int
    columns: int
    passes: int
    pieces: int

    @property
    def groups(self) -> int:
        """Pieces beside each other along the coordinates."""
        return TILE // self.columns


@dataclass(frozen=True)
class OuterTile:
    """A kernel's gradient, cut into blocks of `rows` x `columns` strided entries a thread."""

    fan_in: int
    fan_out: int
    rows: int
    columns: int
    threads_in: int
    threads_out: int

    @property
    def passes_in(self) -> int:
        """Passes over the rows."""
        return -(-self.fan_in // (self.threads_in * self.rows))

    @property
    def passes_out(self) -> int:
        """Passes over the columns."""
        return -(-self.fan_out // (self.threads_out * self.columns))

    @property
    def passes(self) -> int:
        """Passes in all."""
        return self.passes_in * self.passes_out

    @property
    def reach_in(self) -> int:
        """Rows that all passes reach, those outside of the kernel included."""
        return self.passes_in * self.threads_in * self.rows

    @property
    def reach_out(self) -> int:
        """Columns that all passes reach."""
        return self.passes_out * self.threads_out * self.columns

    @property
    def entries(self) -> int:
        """Entries of one thread in one pass."""
        return self.rows * self.columns


@dataclass(frozen=True)
class FirstTile:
    """The first layer's angles on the way back: `units` strided units and `columns` coordinates a thread."""

    units: int
    columns: int
    threads_in: int
    passes: int

    @property
    def groups(self) -> int:
        """Threads beside each other along the coordinates."""
        return TILE // self.columns

    @property
    def reach(self) -> int:
        """Units that all passes reach, those outside of the layer included."""
        return self.passes * self.threads_in * self.units


def padded(width: int) -> int:
    """Round up to whole groups of units."""
    return -(-width // UNITS) * UNITS


def hidden_tile(units: int, threads: int) -> HiddenTile:
    """Cut a layer of padded width so that no thread is idle, if that can be."""
    columns = 8 if units // UNITS * (TILE // 8) >= threads else 4
    pieces = units // UNITS * (TILE // columns)
    return HiddenTile(units, columns, -(-pieces // threads), pieces)


def outer_tile(fan_in: int, fan_out: int, threads: int) -> OuterTile:
    """Cut a kernel's gradient: 64 entries a thread, or fewer where that leaves none idle."""
    share = fan_in * fan_out // threads
    rows, columns = (8, 8) if share >= 64 else (8, 4) if share >= 32 else (4, 4)
    across = 1
    while across * columns < fan_out and across < 32:
        across *= 2
    return OuterTile(fan_in, fan_out, rows, columns, threads // across, across)


def first_tile(units: int, threads: int) -> FirstTile:
    """Cut the first layer of padded width."""
    share = units * TILE // threads
    columns, rows = (8, 8) if share >= 64 else (8, 4) if share >= 32 else (4, 4)
    across = threads // (TILE // columns)
    return FirstTile(rows, columns, across, -(-units // (across * rows)))
