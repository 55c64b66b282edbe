"""How one network is laid out over the threads, the registers and the memories of a block."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from fusion.inr.cuda.tiling import (
    FEW_OUTPUTS,
    PAD,
    TILE,
    UNITS,
    FirstTile,
    HiddenTile,
    OuterTile,
    first_tile,
    hidden_tile,
    outer_tile,
    padded,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fusion.inr.architecture import Architecture

MAX_HIDDEN_LAYERS = 8
MAX_INPUTS = 3
MAX_OUTPUTS = 64

_THREADS = (64, 128, 256)
_REGISTERS = 128
_REGISTER_FILE = 1 << 16
_MOST_REGISTERS = 255


@dataclass(frozen=True)
class Kind:
    """What a kernel does besides fitting by Adam over all coordinates.

    Parameters
    ----------
    job : {"adam", "plain", "decode"}
        Steps by Adam, plain steps with a rate for each weight, or no steps and the outputs written out.
    subsets : bool
        Whether each step looks at coordinates of its own.
    """

    job: Literal["adam", "plain", "decode"] = "adam"
    subsets: bool = False


@dataclass(frozen=True)
class Place:
    """Where an array lies: ``sh`` (shared memory) or ``ws`` (a block's part of global memory), from which float on."""

    space: Literal["sh", "ws"]
    offset: int


@dataclass(frozen=True)
class Plan:
    """A network's layout for one block of threads.

    Parameters
    ----------
    architecture : Architecture
    kind : Kind
    threads : int
        Threads of a block.
    hidden : tuple of int
        Widths of the hidden layers, padded.
    tiles : tuple of HiddenTile
        One for each hidden layer.
    outers : tuple of OuterTile
        One for each kernel between hidden layers.
    first : FirstTile
    in_registers : frozenset of str
        Which of ``g2``, ``g3``, ... (gradients of kernels) and ``s2``, ... (slopes of layers) stay in registers.
    lengths : dict of str to int
        Floats of each array in memory.
    places : dict of str to Place
    shared, workspace : int
        Bytes of shared memory, and of global memory for each block.
    """

    architecture: Architecture
    kind: Kind
    threads: int
    hidden: tuple[int, ...]
    tiles: tuple[HiddenTile, ...]
    outers: tuple[OuterTile, ...]
    first: FirstTile
    in_registers: frozenset[str]
    lengths: dict[str, int] = field(hash=False)
    places: dict[str, Place] = field(hash=False)
    shared: int
    workspace: int

    @property
    def layers(self) -> int:
        """Number of hidden layers."""
        return len(self.hidden)

    @property
    def blocks(self) -> int:
        """Blocks on a multiprocessor that the registers are shared among."""
        return max(1, _REGISTER_FILE // ((_MOST_REGISTERS + 1) * self.threads))

    @property
    def output_parts(self) -> int:
        """Groups of threads that share the units of an output's sum."""
        parts = self.threads // TILE
        return parts if self.architecture.d_out <= FEW_OUTPUTS else min(2, parts)

    @property
    def gradient_parts(self) -> int:
        """Groups of threads that share the coordinates of the output kernel's gradient; 0: it is summed in memory."""
        d_out, last = self.architecture.d_out, self.hidden[-1]
        if d_out > FEW_OUTPUTS or last > self.threads:
            return 0
        parts = 1
        room = TILE + PAD - (self.tiles[-1].groups if self.layers > 1 else self.first_rows)
        if d_out > room:
            return 0
        while 2 * parts * last <= self.threads and 2 * parts * UNITS <= TILE and 2 * parts * d_out <= room:
            parts *= 2
        return parts

    @property
    def first_rows(self) -> int:
        """Rows of partial sums of the first layer's gradient."""
        return self.first.groups * (self.architecture.d_in + 1)


def unsupported(architecture: Architecture) -> str | None:
    """Say why no kernel is written for an architecture, or None."""
    limits = (
        ("hidden layers", len(architecture.hidden), MAX_HIDDEN_LAYERS),
        ("inputs", architecture.d_in, MAX_INPUTS),
        ("outputs", architecture.d_out, MAX_OUTPUTS),
    )
    for name, got, most in limits:
        if got > most:
            return f"{got} {name}, and the CUDA kernel has up to {most}"
    return None


def plan(architecture: Architecture, kind: Kind, shared_limit: int) -> Plan:
    """Lay a network out.

    Parameters
    ----------
    architecture : Architecture
    kind : Kind
    shared_limit : int
        Bytes of shared memory that a block may have. What does not fit goes to global memory, what is used least
        first.

    Returns
    -------
    Plan
    """
    hidden = tuple(padded(width) for width in architecture.hidden)
    threads = _threads(hidden)
    tiles = tuple(hidden_tile(width, threads) for width in hidden)
    outers = tuple(outer_tile(a, b, threads) for a, b in pairwise(hidden))
    first = first_tile(hidden[0], threads)
    registers = frozenset(_in_registers(tiles, outers))
    draft = Plan(architecture, kind, threads, hidden, tiles, outers, first, registers, {}, {}, 0, 0)
    lengths = _arrays(draft)
    places, shared, workspace = _placed(lengths, shared_limit // 4)
    return replace(draft, lengths=lengths, places=places, shared=4 * shared, workspace=4 * workspace)


def _threads(hidden: tuple[int, ...]) -> int:
    for threads in _THREADS:
        tiles = [hidden_tile(width, threads) for width in hidden]
        outers = [outer_tile(a, b, threads) for a, b in pairwise(hidden)]
        passes = [tile.passes for tile in tiles[1:]] + [tile.passes for tile in outers]
        whole = max([*passes, first_tile(hidden[0], threads).passes]) == 1
        if whole and sum(_wanted(tiles, outers).values()) <= _REGISTERS:
            return threads
    return _THREADS[-1]


def _wanted(tiles: list[HiddenTile], outers: list[OuterTile]) -> dict[str, int]:
    """Count a thread's registers for each thing that could stay in registers, by name."""
    slopes = {f"s{layer}": UNITS * tile.columns for layer, tile in enumerate(tiles[1:], 2) if tile.passes == 1}
    return slopes | {f"g{layer}": tile.entries for layer, tile in enumerate(outers, 2) if tile.passes == 1}


def _in_registers(tiles: tuple[HiddenTile, ...], outers: tuple[OuterTile, ...]) -> Iterator[str]:
    left = _REGISTERS
    for name, registers in _wanted(list(tiles), list(outers)).items():
        if registers <= left:
            left -= registers
            yield name


def _arrays(draft: Plan) -> dict[str, int]:
    """Floats of each array, what is used most first."""
    d_in, d_out = draft.architecture.d_in, draft.architecture.d_out
    hidden, last = draft.hidden, draft.layers
    arrays = {
        "x": d_in * TILE,
        "d": d_out * TILE * max(1, draft.output_parts - 1),
        "w1": (d_in + 1) * hidden[0],
        "wo": d_out * hidden[-1],
        "bo": padded(d_out),
    }
    arrays |= {f"b{layer}": hidden[layer - 1] for layer in range(2, last + 1)}
    arrays |= {f"a{layer}": hidden[layer - 1] * (TILE + PAD) for layer in range(1, last + 1)}
    arrays |= {f"w{layer}": hidden[layer - 2] * (hidden[layer - 1] + PAD) for layer in range(2, last + 1)}
    if draft.kind.job == "decode":
        return arrays
    for layer, tile in enumerate(draft.tiles, 1):
        if layer > 1 and f"s{layer}" not in draft.in_registers:
            arrays[f"s{layer}"] = tile.passes * UNITS * tile.columns * draft.threads
        if layer > 1 and tile.passes > 1:
            arrays[f"p{layer}"] = tile.groups * tile.units
    if draft.first.passes > 1:
        arrays["p1"] = draft.first_rows * hidden[0]
    if not draft.gradient_parts:
        arrays["go"] = d_out * hidden[-1]
    return arrays | _private(draft)


def _private(draft: Plan) -> dict[str, int]:
    """Arrays that only one thread touches an entry of, each with the floats it has."""
    kernels = {f"{layer}": tile.passes * tile.entries * draft.threads for layer, tile in enumerate(draft.outers, 2)}
    arrays = {f"g{layer}": size for layer, size in kernels.items() if f"g{layer}" not in draft.in_registers}
    if draft.kind.job == "adam":
        hidden, d_in, d_out = draft.hidden, draft.architecture.d_in, draft.architecture.d_out
        small = {"first": (d_in + 1) * hidden[0], "out": d_out * hidden[-1], "bout": padded(d_out)}
        small |= {f"bias{layer}": hidden[layer - 1] for layer in range(2, draft.layers + 1)}
        for moment in "mv":
            arrays |= {f"{moment}_{name}": size for name, size in (kernels | small).items()}
    return arrays


_ALWAYS_GLOBAL = ("m_", "v_", "g")


def _placed(arrays: dict[str, int], limit: int) -> tuple[dict[str, Place], int, int]:
    shared, workspace = 0, 0
    places: dict[str, Place] = {}
    for name, floats in arrays.items():
        size = padded(floats)
        if shared + size <= limit and not name.startswith(_ALWAYS_GLOBAL):
            places[name], shared = Place("sh", shared), shared + size
        else:
            places[name], workspace = Place("ws", workspace), workspace + size
    return places, shared, workspace
