"""What a kernel's text calls: memory, sines, sums of vectors, and steps, as instructions for numba-cuda's compiler.

A vector is a tuple of 4 or 8 float32, which the compiler keeps in as many registers. All of it is written as
instructions: a function compiled for a device would want one at hand, and Numba's own indexing moves single floats and
looks whether an index is negative. `fusion.inr.cuda.simulated` says the same in Python.

The rounding of sines follows `fusion.inr.kernel`: an angle is reduced to half a turn by whole numbers of pi in three
parts; the device's own sine is exact to about 4e-7 there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import cuda, float32, float64, types
from numba.core import cgutils
from numba.cuda.extending import intrinsic

from fusion.inr.settings import BETA_1, BETA_2, EPSILON

_F = np.float32
_ROUND, _INVERSE_PI = _F(12582912.0), _F(0.31830988618379067)
_PI = _F(3.140625), _F(9.67502593994140625e-4), _F(1.509957990978376432e-7)
_B1, _B2, _1_B1, _1_B2, _EPS = _F(BETA_1), _F(BETA_2), _F(1.0 - BETA_1), _F(1.0 - BETA_2), _F(EPSILON)
_LOG2_E, _LN2, _LIMIT = _F(1.4426950408889634), (_F(0.693359375), _F(-2.12194440e-4)), 87.0
_SINE, _COSINE, _POWER = "llvm.nvvm.sin.approx.f", "llvm.nvvm.cos.approx.f", "llvm.nvvm.ex2.approx.f"
_ROOT, _QUOTIENT = "llvm.nvvm.sqrt.approx.f", "llvm.nvvm.div.approx.f"

_FLOAT, _INTEGER, _INDEX = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_FOUR = ir.VectorType(_FLOAT, 4)
_HALF_TILE = 32


class _Code:
    """Writes the instructions of one call."""

    def __init__(self, context: Any, builder: Any, kinds: Any, arguments: Any) -> None:
        self.context, self.builder = context, builder
        self.kinds, self.arguments = kinds, arguments

    def number(self, value: float | np.float32) -> Any:
        return ir.Constant(_FLOAT, float(value))

    def times(self, a: Any, b: Any) -> Any:
        return self.builder.fmul(a, b)

    def plus(self, a: Any, b: Any) -> Any:
        return self.builder.fadd(a, b)

    def minus(self, a: Any, b: Any) -> Any:
        return self.builder.fsub(a, b)

    def parts(self, position: int) -> list[Any]:
        """Give the floats of an argument that is a vector."""
        return list(cgutils.unpack_tuple(self.builder, self.arguments[position], self.kinds[position].count))

    def vector(self, parts: list[Any]) -> Any:
        return self.context.make_tuple(self.builder, types.UniTuple(types.float32, len(parts)), parts)

    def index(self, position: int) -> Any:
        return self.context.cast(self.builder, self.arguments[position], self.kinds[position], types.int64)

    def address(self, position: int, offset: Any = None) -> Any:
        """Address that an array and an index, two arguments, stand for."""
        kind, array = self.kinds[position], self.arguments[position]
        if not isinstance(kind, types.CPointer):
            array = self.context.make_array(kind)(self.context, self.builder, array).data
        index = self.index(position + 1)
        return self.builder.gep(array, [index if offset is None else self.builder.add(index, offset)])

    def strided(self, position: int, stride: int, count: int) -> list[Any]:
        """Addresses of `count` floats from an array and an index on, as far apart as the argument `stride` says."""
        step = self.index(stride)
        return [self.address(position, self.builder.mul(step, ir.Constant(_INDEX, number))) for number in range(count)]

    def quad(self, pointer: Any) -> Any:
        return self.builder.bitcast(pointer, _FOUR.as_pointer(pointer.type.addrspace))

    def four(self, pointer: Any) -> list[Any]:
        """Load four neighbours at once."""
        loaded = self.builder.load(self.quad(pointer), align=16)
        return [self.builder.extract_element(loaded, ir.Constant(_INTEGER, lane)) for lane in range(4)]

    def load(self, pointer: Any) -> Any:
        return self.builder.load(pointer, align=4)

    def store(self, value: Any, pointer: Any) -> None:
        self.builder.store(value, pointer, align=4)

    def call(self, name: str, *values: Any) -> Any:
        kind = ir.FunctionType(_FLOAT, [_FLOAT] * len(values))
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), values)

    def turning(self, names: tuple[str, ...], angle: Any) -> list[Any]:
        """Give sine or cosine or both of an angle."""
        shifted = self.plus(self.times(angle, self.number(_INVERSE_PI)), self.number(_ROUND))
        turns = self.minus(shifted, self.number(_ROUND))
        for part in _PI:
            angle = self.minus(angle, self.times(turns, self.number(part)))
        sign = self.builder.shl(self.builder.bitcast(shifted, _INTEGER), ir.Constant(_INTEGER, 31))
        bits = [self.builder.bitcast(self.call(name, angle), _INTEGER) for name in names]
        return [self.builder.bitcast(self.builder.xor(one, sign), _FLOAT) for one in bits]

    def limited(self, value: Any, most: float) -> Any:
        """Keep a number between -most and most; NaN stays NaN."""
        for relation, limit in ((">", most), ("<", -most)):
            beyond = self.builder.fcmp_ordered(relation, value, self.number(limit))
            value = self.builder.select(beyond, self.number(limit), value)
        return value

    def logistic(self, z: Any) -> Any:
        """Give ``1 / (1 + exp(-z))``."""
        angle = self.limited(self.minus(self.number(0.0), z), _LIMIT)
        shifted = self.plus(self.times(angle, self.number(_LOG2_E)), self.number(_ROUND))
        whole = self.minus(shifted, self.number(_ROUND))
        for part in _LN2:
            angle = self.minus(angle, self.times(whole, self.number(part)))
        series = self.call(_POWER, self.times(angle, self.number(_LOG2_E)))
        bits = self.builder.shl(self.builder.bitcast(shifted, _INTEGER), ir.Constant(_INTEGER, 23))
        power = self.builder.bitcast(self.builder.add(bits, ir.Constant(_INTEGER, 0x3F800000)), _FLOAT)
        below = self.plus(self.number(1.0), self.times(power, series))
        return self.builder.fdiv(self.number(1.0), below)

    def adam(self, at_m: Any, at_v: Any, theta: Any, slope: Any, rate: Any) -> Any:
        """Move one weight, and its moments in memory."""
        means = []
        for place, keep, take, new in (
            (at_m, _B1, _1_B1, slope),
            (at_v, _B2, _1_B2, self.times(slope, slope)),
        ):
            kept = self.times(self.number(keep), self.load(place))
            means.append(self.plus(kept, self.times(self.number(take), new)))
            self.store(means[-1], place)
        root = self.plus(self.call(_ROOT, means[1]), self.number(_EPS))
        return self.minus(theta, self.call(_QUOTIENT, self.times(rate, means[0]), root))


def _written(write: Callable[[_Code], Any]) -> Callable[..., Any]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = write(_Code(context, builder, signature.args, arguments))
        return context.get_dummy_value() if value is None else value

    return generate


def _floats(count: int) -> Any:
    return types.UniTuple(types.float32, count)


# Memory: an array and an index, which the plan gives together.


@intrinsic
def get(_: Any, array: Any, at: Any) -> Any:
    """Load a float."""
    return types.float32(array, at), _written(lambda code: code.load(code.address(0)))


@intrinsic
def get_int(_: Any, array: Any, at: Any) -> Any:
    """Load a whole number of 32 bits."""
    return types.int32(array, at), _written(lambda code: code.load(code.address(0)))


@intrinsic
def put(_: Any, array: Any, at: Any, value: Any) -> Any:  # noqa: ARG001
    """Store a float."""
    return types.void(array, at, types.float32), _written(lambda code: code.store(code.arguments[2], code.address(0)))


@intrinsic
def put_int(_: Any, array: Any, at: Any, value: Any) -> Any:  # noqa: ARG001
    """Store a whole number of 32 bits."""
    return types.void(array, at, types.int32), _written(lambda code: code.store(code.arguments[2], code.address(0)))


def _load_quads(code: _Code, count: int) -> Any:
    places = [code.address(0, ir.Constant(_INDEX, _HALF_TILE * number)) for number in range(count)]
    return code.vector([part for place in places for part in code.four(place)])


@intrinsic
def load_4(_: Any, array: Any, at: Any) -> Any:
    """Load four neighbours."""
    return _floats(4)(array, at), _written(lambda code: _load_quads(code, 1))


@intrinsic
def load_8(_: Any, array: Any, at: Any) -> Any:
    """Load four neighbours, and the four half a tile on."""
    return _floats(8)(array, at), _written(lambda code: _load_quads(code, 2))


@intrinsic
def store(_: Any, array: Any, at: Any, vector: Any) -> Any:
    """Store what `load_4` or `load_8` would load."""

    def write(code: _Code) -> None:
        parts = code.parts(2)
        for number in range(len(parts) // 4):
            four = ir.Constant(_FOUR, ir.Undefined)
            for lane in range(4):
                four = code.builder.insert_element(four, parts[4 * number + lane], ir.Constant(_INTEGER, lane))
            place = code.address(0, ir.Constant(_INDEX, _HALF_TILE * number))
            code.builder.store(four, code.quad(place), align=16)

    return types.void(array, at, vector), _written(write)


@intrinsic
def gather_4(_: Any, array: Any, at: Any, stride: Any) -> Any:
    """Load four floats that lie a stride apart."""
    return _floats(4)(array, at, stride), _written(lambda code: _gathered(code, 4))


@intrinsic
def gather_8(_: Any, array: Any, at: Any, stride: Any) -> Any:
    """Load eight floats that lie a stride apart."""
    return _floats(8)(array, at, stride), _written(lambda code: _gathered(code, 8))


def _gathered(code: _Code, count: int) -> Any:
    return code.vector([code.load(place) for place in code.strided(0, 2, count)])


@intrinsic
def gather(_: Any, array: Any, at: Any, stride: Any, like: Any) -> Any:
    """Load as many floats as another vector has, a stride apart."""
    return like(array, at, stride, like), _written(lambda code: _gathered(code, like.count))


@intrinsic
def quads(_: Any, array: Any, at: Any, stride: Any, like: Any) -> Any:
    """Load as many vectors of four neighbours as another vector has floats, a stride apart."""

    def write(code: _Code) -> Any:
        vectors = [code.four(place) for place in code.strided(0, 2, like.count)]
        return code.context.make_tuple(code.builder, found, [code.vector(parts) for parts in vectors])

    found = types.UniTuple(_floats(4), like.count)
    return found(array, at, stride, like), _written(write)


@intrinsic
def scatter(_: Any, array: Any, at: Any, stride: Any, vector: Any) -> Any:
    """Store a vector's floats a stride apart."""

    def write(code: _Code) -> None:
        parts = code.parts(3)
        for value, place in zip(parts, code.strided(0, 2, len(parts)), strict=True):
            code.store(value, place)

    return types.void(array, at, stride, vector), _written(write)


# Vectors.


@intrinsic
def spread_4(_: Any, value: Any) -> Any:
    """Repeat a float four times."""
    return _floats(4)(value), _written(lambda code: code.vector([code.arguments[0]] * 4))


@intrinsic
def spread_8(_: Any, value: Any) -> Any:
    """Repeat a float eight times."""
    return _floats(8)(value), _written(lambda code: code.vector([code.arguments[0]] * 8))


@intrinsic
def fma(_: Any, sums: Any, vector: Any, factor: Any) -> Any:
    """Add a vector times a float to sums."""

    def write(code: _Code) -> Any:
        added = [code.times(part, code.arguments[2]) for part in code.parts(1)]
        return code.vector([code.plus(total, part) for total, part in zip(code.parts(0), added, strict=True)])

    return sums(sums, vector, factor), _written(write)


@intrinsic
def dots(_: Any, sums: Any, row: Any, columns: Any) -> Any:
    """Add the products of a vector with each of some vectors to sums."""

    def write(code: _Code) -> Any:
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

    return sums(sums, row, columns), _written(write)


@intrinsic
def dot(_: Any, total: Any, a: Any, b: Any) -> Any:  # noqa: ARG001
    """Add the product of two vectors to a float."""

    def write(code: _Code) -> Any:
        total = code.arguments[0]
        for left, right in zip(code.parts(1), code.parts(2), strict=True):
            total = code.plus(total, code.times(left, right))
        return total

    return types.float32(types.float32, a, b), _written(write)


@intrinsic
def total(_: Any, vector: Any) -> Any:
    """Add up a vector."""

    def write(code: _Code) -> Any:
        first, *others = code.parts(0)
        for part in others:
            first = code.plus(first, part)
        return first

    return types.float32(vector), _written(write)


@intrinsic
def times(_: Any, a: Any, b: Any) -> Any:
    """Multiply two vectors, entry by entry."""

    def write(code: _Code) -> Any:
        return code.vector([code.times(left, right) for left, right in zip(code.parts(0), code.parts(1), strict=True)])

    return a(a, b), _written(write)


@intrinsic
def plus(_: Any, a: Any, b: Any) -> Any:
    """Add two vectors."""

    def write(code: _Code) -> Any:
        return code.vector([code.plus(left, right) for left, right in zip(code.parts(0), code.parts(1), strict=True)])

    return a(a, b), _written(write)


@intrinsic
def minus(_: Any, a: Any, b: Any) -> Any:
    """Subtract two vectors."""

    def write(code: _Code) -> Any:
        return code.vector([code.minus(left, right) for left, right in zip(code.parts(0), code.parts(1), strict=True)])

    return a(a, b), _written(write)


@intrinsic
def logistic(_: Any, vector: Any) -> Any:
    """``1 / (1 + exp(-z))`` of a vector, with relative errors of about 2e-7; NaN stays NaN."""
    return vector(vector), _written(lambda code: code.vector([code.logistic(part) for part in code.parts(0)]))


@intrinsic
def logistic_slope(_: Any, vector: Any) -> Any:
    """Slope of the logistic function, ``p * (1 - p)``, from its values."""

    def write(code: _Code) -> Any:
        return code.vector([code.times(part, code.minus(code.number(1.0), part)) for part in code.parts(0)])

    return vector(vector), _written(write)


@intrinsic
def scaled(_: Any, vector: Any, factor: Any) -> Any:
    """Multiply a vector with a float."""
    return vector(vector, factor), _written(
        lambda code: code.vector([code.times(part, code.arguments[1]) for part in code.parts(0)])
    )


def _turned(code: _Code, *names: str) -> list[Any]:
    angles = [code.times(part, code.arguments[1]) for part in code.parts(0)]
    turned = [code.turning(names, angle) for angle in angles]
    return [code.vector([one[position] for one in turned]) for position in range(len(names))]


@intrinsic
def sines(_: Any, vector: Any, omega: Any) -> Any:
    """Sines of a vector times a frequency."""
    return vector(vector, omega), _written(lambda code: _turned(code, _SINE)[0])


@intrinsic
def cosines(_: Any, vector: Any, omega: Any) -> Any:
    """Cosines of a vector times a frequency."""
    return vector(vector, omega), _written(lambda code: _turned(code, _COSINE)[0])


@intrinsic
def sines_and_cosines(_: Any, vector: Any, omega: Any) -> Any:
    """Sines and cosines of a vector times a frequency."""
    pair = types.UniTuple(vector, 2)
    return pair(vector, omega), _written(
        lambda code: code.context.make_tuple(code.builder, pair, _turned(code, _SINE, _COSINE))
    )


# Steps.


@intrinsic
def adam(_: Any, m: Any, at_m: Any, v: Any, at_v: Any, theta: Any, slope: Any, rate: Any) -> Any:
    """Give a weight after a step of Adam, and move its moments."""
    return types.float32(m, at_m, v, at_v, theta, slope, rate), _written(
        lambda code: code.adam(code.address(0), code.address(2), *code.arguments[4:])
    )


@intrinsic
def adams(
    _: Any, m: Any, at_m: Any, v: Any, at_v: Any, apart: Any, array: Any, at: Any, stride: Any, slopes: Any, rate: Any
) -> Any:
    """Move weights that lie a stride apart, and their moments, which lie `apart`, by a step of Adam."""

    def write(code: _Code) -> None:
        slopes = code.parts(8)
        strided = [code.strided(first, step, len(slopes)) for first, step in ((0, 4), (2, 4), (5, 7))]
        for at_m, at_v, place, slope in zip(*strided, slopes, strict=True):
            code.store(code.adam(at_m, at_v, code.load(place), slope, code.arguments[9]), place)

    return types.void(m, at_m, v, at_v, apart, array, at, stride, slopes, rate), _written(write)


@intrinsic
def opaque(_: Any, number: Any) -> Any:
    """Give a number that is not below 0 back, without the compiler's knowing where it is from."""

    def write(code: _Code) -> Any:
        narrow = code.context.cast(code.builder, code.arguments[0], code.kinds[0], types.int32)
        kind = ir.FunctionType(_INTEGER, [_INTEGER])
        moved = code.builder.asm(kind, "mov.b32 $0, $1;", "=r,r", [narrow], side_effect=True)
        return code.builder.zext(moved, _INDEX)

    return types.int64(number), _written(write)


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
