"""What a kernel's text calls: memory, sines, and one weight's step, on a device or in Numba's simulator.

The rounding of sines follows `fusion.inr.kernel`: an angle is reduced to half a turn by whole numbers of pi in three
parts; the device's own sine is exact to about 4e-7 there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fusion.inr.settings import BETA_1, BETA_2, EPSILON

_F = np.float32
_ROUND, _INVERSE_PI = _F(12582912.0), _F(0.31830988618379067)
_PI_1, _PI_2, _PI_3 = _F(3.140625), _F(9.67502593994140625e-4), _F(1.509957990978376432e-7)
_ZERO, _ONE = _F(0.0), _F(1.0)
_B1, _B2, _1_B1, _1_B2, _EPS = _F(BETA_1), _F(BETA_2), _F(1.0 - BETA_1), _F(1.0 - BETA_2), _F(EPSILON)


def simulated_names() -> dict[str, Any]:
    """Give the names a kernel's text uses, for Numba's simulator."""
    from numba import cuda, float32

    def four(array: Any, at: int) -> tuple[Any, ...]:
        return array[at], array[at + 1], array[at + 2], array[at + 3]

    def put_four(array: Any, at: int, *values: Any) -> None:
        for index, value in enumerate(values):
            put(array, at + index, value)

    def put(array: Any, at: int, value: Any) -> None:
        if not isinstance(value, np.float32):
            raise TypeError(f"{type(value).__name__} {value!r} is no float32")
        array[at] = value

    def put_int(array: Any, at: int, value: int) -> None:
        array[at] = value

    def adam(m: Any, at: int, v: Any, also: int, theta: Any, slope: Any, rate: Any) -> Any:
        m[at] = _B1 * m[at] + _1_B1 * slope
        v[also] = _B2 * v[also] + _1_B2 * (slope * slope)
        return theta - rate * m[at] / (np.sqrt(v[also]) + _EPS)

    return {
        "cuda": cuda, "float32": float32, "F": _F, "F64": np.float64, "ZERO": _ZERO, "ONE": _ONE,
        "ld4": four, "st4": put_four, "get": lambda array, at: array[at], "put": put,
        "get_int": lambda array, at: int(array[at]), "put_int": put_int,
        "sine": np.sin, "cosine": np.cos, "sine_and_cosine": lambda x: (np.sin(x), np.cos(x)),
        "exp": np.exp, "adam": adam, "opaque": int,
    }  # fmt: skip


def device_names() -> dict[str, Any]:
    """Give the names a kernel's text uses, for numba-cuda's compiler.

    All of it is written as instructions: a compiled device function would want a device at hand, and Numba's own
    indexing moves single floats and looks whether an index is negative.
    """
    from numba import cuda, float32, float64

    return _memory_names() | _arithmetic_names() | {
        "cuda": cuda, "float32": float32, "F": float32, "F64": float64, "ZERO": _ZERO, "ONE": _ONE, "exp": math.exp,
    }  # fmt: skip


class _Code:
    """Writes float32 instructions into a function that Numba compiles."""

    def __init__(self, builder: Any) -> None:
        from llvmlite import ir

        self.ir, self.builder = ir, builder
        self.float, self.integer = ir.FloatType(), ir.IntType(32)

    def number(self, value: np.float32) -> Any:
        return self.ir.Constant(self.float, float(value))

    def times(self, a: Any, b: Any) -> Any:
        return self.builder.fmul(a, b)

    def plus(self, a: Any, b: Any) -> Any:
        return self.builder.fadd(a, b)

    def minus(self, a: Any, b: Any) -> Any:
        return self.builder.fsub(a, b)

    def call(self, name: str, value: Any) -> Any:
        from numba.core import cgutils

        kind = self.ir.FunctionType(self.float, [self.float])
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), [value])

    def reduced(self, angle: Any) -> tuple[Any, Any]:
        """Give the angle within half a turn, and the bit that turns its sine and cosine round."""
        shifted = self.plus(self.times(angle, self.number(_INVERSE_PI)), self.number(_ROUND))
        turns = self.minus(shifted, self.number(_ROUND))
        for part in (_PI_1, _PI_2, _PI_3):
            angle = self.minus(angle, self.times(turns, self.number(part)))
        bits = self.builder.bitcast(shifted, self.integer)
        return angle, self.builder.shl(bits, self.ir.Constant(self.integer, 31))

    def turned(self, value: Any, sign: Any) -> Any:
        bits = self.builder.xor(self.builder.bitcast(value, self.integer), sign)
        return self.builder.bitcast(bits, self.float)


_SINE, _COSINE, _ROOT = "llvm.nvvm.sin.approx.f", "llvm.nvvm.cos.approx.f", "llvm.nvvm.sqrt.rn.f"


def _arithmetic_names() -> dict[str, Any]:
    from llvmlite import ir
    from numba import types
    from numba.cuda.extending import intrinsic

    def turning(*names: str) -> Any:
        @intrinsic
        def function(typing: Any, angle: Any) -> Any:  # noqa: ARG001
            def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                code = _Code(builder)
                angle, sign = code.reduced(arguments[0])
                results = [code.turned(code.call(name, angle), sign) for name in names]
                return results[0] if len(names) == 1 else context.make_tuple(builder, signature.return_type, results)

            result = types.float32 if len(names) == 1 else types.UniTuple(types.float32, len(names))
            return result(types.float32), generate

        return function

    @intrinsic
    def adam(typing: Any, ws: Any, at_m: Any, also: Any, at_v: Any, theta: Any, slope: Any, rate: Any) -> Any:  # noqa: ARG001
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            code, kinds = _Code(builder), signature.args
            at_m, at_v = (
                _address(context, builder, kinds[first], arguments[first], kinds[first + 1], arguments[first + 1])
                for first in (0, 2)
            )
            theta, slope, rate = arguments[4:]
            squared = code.times(slope, slope)
            means = [
                code.plus(
                    code.times(code.number(keep), builder.load(place, align=4)), code.times(code.number(take), new)
                )
                for place, keep, take, new in ((at_m, _B1, _1_B1, slope), (at_v, _B2, _1_B2, squared))
            ]
            for place, mean in zip((at_m, at_v), means, strict=True):
                builder.store(mean, place, align=4)
            root = code.plus(code.call(_ROOT, means[1]), code.number(_EPS))
            return code.minus(theta, builder.fdiv(code.times(rate, means[0]), root))

        floats = (types.float32,) * 3
        return types.float32(ws, at_m, also, at_v, *floats), generate

    @intrinsic
    def opaque(typing: Any, number: Any) -> Any:  # noqa: ARG001
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            integer = ir.IntType(32)
            narrow = context.cast(builder, arguments[0], signature.args[0], types.int32)
            moved = builder.asm(ir.FunctionType(integer, [integer]), "mov.b32 $0, $1;", "=r,r", [narrow], True)  # noqa: FBT003
            return builder.zext(moved, ir.IntType(64))

        return types.int64(number), generate

    return {
        "opaque": opaque, "sine": turning(_SINE), "cosine": turning(_COSINE), "sine_and_cosine": turning(_SINE, _COSINE), "adam": adam
    }  # fmt: skip


def _address(context: Any, builder: Any, kind: Any, array: Any, index_kind: Any, index: Any) -> Any:
    from numba import types

    data = array if isinstance(kind, types.CPointer) else context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [context.cast(builder, index, index_kind, types.int64)])


def _memory_names() -> dict[str, Any]:
    from llvmlite import ir
    from numba import types
    from numba.cuda.extending import intrinsic

    four_floats = ir.VectorType(ir.FloatType(), 4)

    def vector(builder: Any, pointer: Any) -> Any:
        return builder.bitcast(pointer, four_floats.as_pointer(pointer.type.addrspace))

    @intrinsic
    def ld4(typing: Any, array: Any, index: Any) -> Any:  # noqa: ARG001
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = _address(context, builder, array, arguments[0], index, arguments[1])
            loaded = builder.load(vector(builder, pointer), align=16)
            parts = [builder.extract_element(loaded, ir.Constant(ir.IntType(32), part)) for part in range(4)]
            return context.make_tuple(builder, signature.return_type, parts)

        return types.UniTuple(types.float32, 4)(array, index), generate

    @intrinsic
    def st4(typing: Any, array: Any, index: Any, a: Any, b: Any, c: Any, d: Any) -> Any:  # noqa: ARG001
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
            stored = ir.Constant(four_floats, ir.Undefined)
            for part in range(4):
                stored = builder.insert_element(stored, arguments[2 + part], ir.Constant(ir.IntType(32), part))
            pointer = _address(context, builder, array, arguments[0], index, arguments[1])
            builder.store(stored, vector(builder, pointer), align=16)
            return context.get_dummy_value()

        return types.void(array, index, *[types.float32] * 4), generate

    def getter(kind: Any) -> Any:
        @intrinsic
        def get(typing: Any, array: Any, index: Any) -> Any:  # noqa: ARG001
            def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
                return builder.load(_address(context, builder, array, arguments[0], index, arguments[1]), align=4)

            return kind(array, index), generate

        return get

    def putter(kind: Any) -> Any:
        @intrinsic
        def put(typing: Any, array: Any, index: Any, value: Any) -> Any:  # noqa: ARG001
            def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
                pointer = _address(context, builder, array, arguments[0], index, arguments[1])
                builder.store(arguments[2], pointer, align=4)
                return context.get_dummy_value()

            return types.void(array, index, kind), generate

        return put

    return {
        "ld4": ld4, "st4": st4, "get": getter(types.float32), "put": putter(types.float32),
        "get_int": getter(types.int32), "put_int": putter(types.int32),
    }  # fmt: skip
