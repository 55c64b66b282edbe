"""Instructions of float32 arithmetic and memory, written into functions that numba-cuda compiles.

The rounding of sines and exponentials follows `fusion.inr.kernel`: an angle is reduced to half a turn by whole numbers
of pi in three parts; the device's own sine is exact to about 4e-7 there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils

from fusion.inr.settings import BETA_1, BETA_2, EPSILON

if TYPE_CHECKING:
    from collections.abc import Callable

_F = np.float32
_ROUND, _INVERSE_PI = _F(12582912.0), _F(0.31830988618379067)
_PI = _F(3.140625), _F(9.67502593994140625e-4), _F(1.509957990978376432e-7)
_B1, _B2, _1_B1, _1_B2, _EPS = _F(BETA_1), _F(BETA_2), _F(1.0 - BETA_1), _F(1.0 - BETA_2), _F(EPSILON)
_LOG2_E, _LN2, _LIMIT = _F(1.4426950408889634), (_F(0.693359375), _F(-2.12194440e-4)), 87.0
SINE, COSINE, _POWER = "llvm.nvvm.sin.approx.f", "llvm.nvvm.cos.approx.f", "llvm.nvvm.ex2.approx.f"
_ROOT, _QUOTIENT = "llvm.nvvm.sqrt.approx.f", "llvm.nvvm.div.approx.f"

_FLOAT, INTEGER, INDEX = ir.FloatType(), ir.IntType(32), ir.IntType(64)
FOUR = ir.VectorType(_FLOAT, 4)


class Code:
    """Writes the instructions of one call."""

    def __init__(self, context: Any, builder: Any, kinds: Any, arguments: Any) -> None:
        self.context, self.builder = context, builder
        self.kinds, self.arguments = kinds, arguments

    def number(self, value: float | np.float32) -> Any:
        """Write a constant."""
        return ir.Constant(_FLOAT, float(value))

    def times(self, a: Any, b: Any) -> Any:
        """Multiply."""
        return self.builder.fmul(a, b)

    def plus(self, a: Any, b: Any) -> Any:
        """Add."""
        return self.builder.fadd(a, b)

    def minus(self, a: Any, b: Any) -> Any:
        """Subtract."""
        return self.builder.fsub(a, b)

    def parts(self, position: int) -> list[Any]:
        """Give the floats of an argument that is a vector."""
        return list(cgutils.unpack_tuple(self.builder, self.arguments[position], self.kinds[position].count))

    def vector(self, parts: list[Any]) -> Any:
        """Make a vector of floats."""
        return self.context.make_tuple(self.builder, types.UniTuple(types.float32, len(parts)), parts)

    def index(self, position: int) -> Any:
        """Give an argument that is an index, as 64 bits."""
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
        return [self.address(position, self.builder.mul(step, ir.Constant(INDEX, number))) for number in range(count)]

    def quad(self, pointer: Any) -> Any:
        """Give the address of four neighbours."""
        return self.builder.bitcast(pointer, FOUR.as_pointer(pointer.type.addrspace))

    def four(self, pointer: Any) -> list[Any]:
        """Load four neighbours at once."""
        loaded = self.builder.load(self.quad(pointer), align=16)
        return [self.builder.extract_element(loaded, ir.Constant(INTEGER, lane)) for lane in range(4)]

    def load(self, pointer: Any) -> Any:
        """Load a float."""
        return self.builder.load(pointer, align=4)

    def store(self, value: Any, pointer: Any) -> None:
        """Store a float."""
        self.builder.store(value, pointer, align=4)

    def call(self, name: str, *values: Any) -> Any:
        """Call a function of floats."""
        kind = ir.FunctionType(_FLOAT, [_FLOAT] * len(values))
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), values)

    def turning(self, names: tuple[str, ...], angle: Any) -> list[Any]:
        """Give sine or cosine or both of an angle."""
        shifted = self.plus(self.times(angle, self.number(_INVERSE_PI)), self.number(_ROUND))
        turns = self.minus(shifted, self.number(_ROUND))
        for part in _PI:
            angle = self.minus(angle, self.times(turns, self.number(part)))
        sign = self.builder.shl(self.builder.bitcast(shifted, INTEGER), ir.Constant(INTEGER, 31))
        bits = [self.builder.bitcast(self.call(name, angle), INTEGER) for name in names]
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
        bits = self.builder.shl(self.builder.bitcast(shifted, INTEGER), ir.Constant(INTEGER, 23))
        power = self.builder.bitcast(self.builder.add(bits, ir.Constant(INTEGER, 0x3F800000)), _FLOAT)
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


def written(write: Callable[[Code], Any]) -> Callable[..., Any]:
    """Make what Numba asks of an intrinsic out of a function that writes its instructions."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = write(Code(context, builder, signature.args, arguments))
        return context.get_dummy_value() if value is None else value

    return generate


def floats(count: int) -> Any:
    """Give the type of a vector."""
    return types.UniTuple(types.float32, count)
