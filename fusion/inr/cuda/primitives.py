"""What a kernel's text calls: memory, sines, sums of vectors, and steps, for numba-cuda's compiler.

A vector is a tuple of float32, 4 or 8 of them or one for each output, which the compiler keeps in as many registers.
All of it is written as instructions: a function compiled for a device would want one at hand, and Numba's own indexing
moves single floats and looks whether an index is negative. `fusion.inr.cuda.simulated` says the same in Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import cuda, float32, float64, types
from numba.core import cgutils
from numba.cuda.extending import intrinsic

from fusion.inr.cuda.instructions import COSINE, FOUR, INDEX, INTEGER, SINE, Code, floats, written

_F = np.float32
_HALF_TILE = 32

# Memory: an array and an index, which the plan gives together.


@intrinsic
def get(_: Any, array: Any, at: Any) -> Any:
    """Load a float."""
    return types.float32(array, at), written(lambda code: code.load(code.address(0)))


@intrinsic
def get_int(_: Any, array: Any, at: Any) -> Any:
    """Load a whole number of 32 bits."""
    return types.int32(array, at), written(lambda code: code.load(code.address(0)))


@intrinsic
def put(_: Any, array: Any, at: Any, value: Any) -> Any:  # noqa: ARG001
    """Store a float."""
    return types.void(array, at, types.float32), written(lambda code: code.store(code.arguments[2], code.address(0)))


@intrinsic
def put_int(_: Any, array: Any, at: Any, value: Any) -> Any:  # noqa: ARG001
    """Store a whole number of 32 bits."""
    return types.void(array, at, types.int32), written(lambda code: code.store(code.arguments[2], code.address(0)))


def _load_quads(code: Code, count: int) -> Any:
    places = [code.address(0, ir.Constant(INDEX, _HALF_TILE * number)) for number in range(count)]
    return code.vector([part for place in places for part in code.four(place)])


@intrinsic
def load_4(_: Any, array: Any, at: Any) -> Any:
    """Load four neighbours."""
    return floats(4)(array, at), written(lambda code: _load_quads(code, 1))


@intrinsic
def load_8(_: Any, array: Any, at: Any) -> Any:
    """Load four neighbours, and the four half a tile on."""
    return floats(8)(array, at), written(lambda code: _load_quads(code, 2))


@intrinsic
def store(_: Any, array: Any, at: Any, vector: Any) -> Any:
    """Store what `load_4` or `load_8` would load."""

    def write(code: Code) -> None:
        parts = code.parts(2)
        for number in range(len(parts) // 4):
            four = ir.Constant(FOUR, ir.Undefined)
            for lane in range(4):
                four = code.builder.insert_element(four, parts[4 * number + lane], ir.Constant(INTEGER, lane))
            place = code.address(0, ir.Constant(INDEX, _HALF_TILE * number))
            code.builder.store(four, code.quad(place), align=16)

    return types.void(array, at, vector), written(write)


@intrinsic
def gather_4(_: Any, array: Any, at: Any, stride: Any) -> Any:
    """Load four floats that lie a stride apart."""
    return floats(4)(array, at, stride), written(lambda code: _gathered(code, 4))


@intrinsic
def gather_8(_: Any, array: Any, at: Any, stride: Any) -> Any:
    """Load eight floats that lie a stride apart."""
    return floats(8)(array, at, stride), written(lambda code: _gathered(code, 8))


def _gathered(code: Code, count: int) -> Any:
    return code.vector([code.load(place) for place in code.strided(0, 2, count)])


@intrinsic
def gather(_: Any, array: Any, at: Any, stride: Any, like: Any) -> Any:
    """Load as many floats as another vector has, a stride apart."""
    return like(array, at, stride, like), written(lambda code: _gathered(code, like.count))


@intrinsic
def quads(_: Any, array: Any, at: Any, stride: Any, like: Any) -> Any:
    """Load as many vectors of four neighbours as another vector has floats, a stride apart."""

    def write(code: Code) -> Any:
        vectors = [code.four(place) for place in code.strided(0, 2, like.count)]
        return code.context.make_tuple(code.builder, found, [code.vector(parts) for parts in vectors])

    found = types.UniTuple(floats(4), like.count)
    return found(array, at, stride, like), written(write)


@intrinsic
def scatter(_: Any, array: Any, at: Any, stride: Any, vector: Any) -> Any:
    """Store a vector's floats a stride apart."""

    def write(code: Code) -> None:
        parts = code.parts(3)
        for value, place in zip(parts, code.strided(0, 2, len(parts)), strict=True):
            code.store(value, place)

    return types.void(array, at, stride, vector), written(write)


# Vectors.


@intrinsic
def spread_4(_: Any, value: Any) -> Any:
    """Repeat a float four times."""
    return floats(4)(value), written(lambda code: code.vector([code.arguments[0]] * 4))


@intrinsic
def spread_8(_: Any, value: Any) -> Any:
    """Repeat a float eight times."""
    return floats(8)(value), written(lambda code: code.vector([code.arguments[0]] * 8))


@intrinsic
def fma(_: Any, sums: Any, vector: Any, factor: Any) -> Any:
    """Add a vector times a float to sums."""

    def write(code: Code) -> Any:
        added = [code.times(part, code.arguments[2]) for part in code.parts(1)]
        return code.vector([code.plus(total, part) for total, part in zip(code.parts(0), added, strict=True)])

    return sums(sums, vector, factor), written(write)


@intrinsic
def dots(_: Any, sums: Any, row: Any, columns: Any) -> Any:
    """Add the products of a vector with each of some vectors to sums."""

    def write(code: Code) -> Any:
        totals, row = code.parts(0), code.parts(1)
        columns = [
            cgutils.unpack_tuple(code.builder, column, len(row))
            for column in cgutils.unpack_tuple(code.builder, code.arguments[2], len(totals))
        ]
        for lane, left in enumerate(row):
            totals = [
                code.plus(total, code.times(left, column[lane])) for total, column in zip(totals, columns, strict=True)
            ]
        return code.vector(totals)

    return sums(sums, row, columns), written(write)


@intrinsic
def dot(_: Any, total: Any, a: Any, b: Any) -> Any:  # noqa: ARG001
    """Add the product of two vectors to a float."""

    def write(code: Code) -> Any:
        total = code.arguments[0]
        for left, right in zip(code.parts(1), code.parts(2), strict=True):
            total = code.plus(total, code.times(left, right))
        return total

    return types.float32(types.float32, a, b), written(write)


@intrinsic
def total(_: Any, vector: Any) -> Any:
    """Add up a vector."""

    def write(code: Code) -> Any:
        first, *others = code.parts(0)
        for part in others:
            first = code.plus(first, part)
        return first

    return types.float32(vector), written(write)


@intrinsic
def times(_: Any, a: Any, b: Any) -> Any:
    """Multiply two vectors, entry by entry."""

    def write(code: Code) -> Any:
        return code.vector([code.times(left, right) for left, right in zip(code.parts(0), code.parts(1), strict=True)])

    return a(a, b), written(write)


@intrinsic
def plus(_: Any, a: Any, b: Any) -> Any:
    """Add two vectors."""

    def write(code: Code) -> Any:
        return code.vector([code.plus(left, right) for left, right in zip(code.parts(0), code.parts(1), strict=True)])

    return a(a, b), written(write)


@intrinsic
def minus(_: Any, a: Any, b: Any) -> Any:
    """Subtract two vectors."""

    def write(code: Code) -> Any:
        return code.vector([code.minus(left, right) for left, right in zip(code.parts(0), code.parts(1), strict=True)])

    return a(a, b), written(write)


@intrinsic
def logistic(_: Any, vector: Any) -> Any:
    """``1 / (1 + exp(-z))`` of a vector, with relative errors of about 2e-7; NaN stays NaN."""
    return vector(vector), written(lambda code: code.vector([code.logistic(part) for part in code.parts(0)]))


@intrinsic
def logistic_slope(_: Any, vector: Any) -> Any:
    """Slope of the logistic function, ``p * (1 - p)``, from its values."""

    def write(code: Code) -> Any:
        return code.vector([code.times(part, code.minus(code.number(1.0), part)) for part in code.parts(0)])

    return vector(vector), written(write)


@intrinsic
def scaled(_: Any, vector: Any, factor: Any) -> Any:
    """Multiply a vector with a float."""
    return vector(vector, factor), written(
        lambda code: code.vector([code.times(part, code.arguments[1]) for part in code.parts(0)])
    )


def _turned(code: Code, *names: str) -> list[Any]:
    angles = [code.times(part, code.arguments[1]) for part in code.parts(0)]
    turned = [code.turning(names, angle) for angle in angles]
    return [code.vector([one[position] for one in turned]) for position in range(len(names))]


@intrinsic
def sines(_: Any, vector: Any, omega: Any) -> Any:
    """Sines of a vector times a frequency."""
    return vector(vector, omega), written(lambda code: _turned(code, SINE)[0])


@intrinsic
def cosines(_: Any, vector: Any, omega: Any) -> Any:
    """Cosines of a vector times a frequency."""
    return vector(vector, omega), written(lambda code: _turned(code, COSINE)[0])


@intrinsic
def sines_and_cosines(_: Any, vector: Any, omega: Any) -> Any:
    """Sines and cosines of a vector times a frequency."""
    pair = types.UniTuple(vector, 2)
    return pair(vector, omega), written(
        lambda code: code.context.make_tuple(code.builder, pair, _turned(code, SINE, COSINE))
    )


# Steps.


@intrinsic
def adam(_: Any, m: Any, at_m: Any, v: Any, at_v: Any, theta: Any, slope: Any, rate: Any) -> Any:
    """Give a weight after a step of Adam, and move its moments."""
    return types.float32(m, at_m, v, at_v, theta, slope, rate), written(
        lambda code: code.adam(code.address(0), code.address(2), *code.arguments[4:])
    )


@intrinsic
def adams(
    _: Any, m: Any, at_m: Any, v: Any, at_v: Any, apart: Any, array: Any, at: Any, stride: Any, slopes: Any, rate: Any
) -> Any:
    """Move weights that lie a stride apart, and their moments, which lie `apart`, by a step of Adam."""

    def write(code: Code) -> None:
        slopes = code.parts(8)
        strided = [code.strided(first, step, len(slopes)) for first, step in ((0, 4), (2, 4), (5, 7))]
        for at_m, at_v, place, slope in zip(*strided, slopes, strict=True):
            code.store(code.adam(at_m, at_v, code.load(place), slope, code.arguments[9]), place)

    return types.void(m, at_m, v, at_v, apart, array, at, stride, slopes, rate), written(write)


@intrinsic
def opaque(_: Any, number: Any) -> Any:
    """Give a number that is not below 0 back, without the compiler's knowing where it is from."""

    def write(code: Code) -> Any:
        narrow = code.context.cast(code.builder, code.arguments[0], code.kinds[0], types.int32)
        kind = ir.FunctionType(INTEGER, [INTEGER])
        moved = code.builder.asm(kind, "mov.b32 $0, $1;", "=r,r", [narrow], side_effect=True)
        return code.builder.zext(moved, INDEX)

    return types.int64(number), written(write)


NAMES = {
    "cuda": cuda, "float32": float32, "F": float32, "F64": float64, "ZERO": _F(0.0), "ONE": _F(1.0),
} | {
    function.__name__: function
    for function in (
        get, get_int, put, put_int, load_4, load_8, store, gather_4, gather_8, gather, quads, scatter, spread_4,
        spread_8,
        fma, dots, dot, total, times, plus, minus, scaled, logistic, logistic_slope, sines, cosines, sines_and_cosines,
        adam, adams, opaque,
    )
}  # fmt: skip
"""What a kernel's text may call."""
