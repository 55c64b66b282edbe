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
        "sigmoid": lambda x: _ONE / (_ONE + np.exp(-x)), "adam": adam,
    }  # fmt: skip


def device_names() -> dict[str, Any]:
    """Give the names a kernel's text uses, for numba-cuda's compiler."""
    from numba import cuda, float32, float64
    from numba.cuda import libdevice

    memory = _memory_names()
    get, put = memory["get"], memory["put"]
    part = cuda.jit(device=True, forceinline=True)

    @part
    def reduced(x):  # type: ignore[no-untyped-def]
        shifted = x * _INVERSE_PI + _ROUND
        turns = shifted - _ROUND
        sign = libdevice.float_as_int(shifted) << 31
        return ((x - turns * _PI_1) - turns * _PI_2) - turns * _PI_3, np.int32(sign)

    @part
    def signed(x, sign):  # type: ignore[no-untyped-def]
        return libdevice.int_as_float(np.int32(libdevice.float_as_int(x) ^ sign))

    @part
    def sine(x):  # type: ignore[no-untyped-def]
        r, sign = reduced(x)
        return signed(libdevice.fast_sinf(r), sign)

    @part
    def cosine(x):  # type: ignore[no-untyped-def]
        r, sign = reduced(x)
        return signed(libdevice.fast_cosf(r), sign)

    @part
    def sine_and_cosine(x):  # type: ignore[no-untyped-def]
        r, sign = reduced(x)
        return signed(libdevice.fast_sinf(r), sign), signed(libdevice.fast_cosf(r), sign)

    @part
    def sigmoid(x):  # type: ignore[no-untyped-def]
        return _ONE / (_ONE + float32(math.exp(-x)))

    @part
    def adam(m, at, v, also, theta, slope, rate):  # type: ignore[no-untyped-def]
        mean = _B1 * get(m, at) + _1_B1 * slope
        square = _B2 * get(v, also) + _1_B2 * (slope * slope)
        put(m, at, mean)
        put(v, also, square)
        return theta - rate * mean / (math.sqrt(square) + _EPS)

    return memory | {
        "cuda": cuda, "float32": float32, "F": float32, "F64": float64, "ZERO": _ZERO, "ONE": _ONE,
        "sine": sine, "cosine": cosine, "sine_and_cosine": sine_and_cosine, "sigmoid": sigmoid, "adam": adam,
    }  # fmt: skip


def _memory_names() -> dict[str, Any]:
    # Numba's own indexing moves single floats, and looks whether an index is negative.
    from llvmlite import ir
    from numba import types
    from numba.cuda.extending import intrinsic

    four_floats = ir.VectorType(ir.FloatType(), 4)

    def address(context: Any, builder: Any, kind: Any, array: Any, index_kind: Any, index: Any) -> Any:
        data = array if isinstance(kind, types.CPointer) else context.make_array(kind)(context, builder, array).data
        return builder.gep(data, [context.cast(builder, index, index_kind, types.int64)])

    def vector(builder: Any, pointer: Any) -> Any:
        return builder.bitcast(pointer, four_floats.as_pointer(pointer.type.addrspace))

    @intrinsic
    def ld4(typing: Any, array: Any, index: Any) -> Any:  # noqa: ARG001
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = address(context, builder, array, arguments[0], index, arguments[1])
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
            pointer = address(context, builder, array, arguments[0], index, arguments[1])
            builder.store(stored, vector(builder, pointer), align=16)
            return context.get_dummy_value()

        return types.void(array, index, *[types.float32] * 4), generate

    def getter(kind: Any) -> Any:
        @intrinsic
        def get(typing: Any, array: Any, index: Any) -> Any:  # noqa: ARG001
            def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
                return builder.load(address(context, builder, array, arguments[0], index, arguments[1]), align=4)

            return kind(array, index), generate

        return get

    def putter(kind: Any) -> Any:
        @intrinsic
        def put(typing: Any, array: Any, index: Any, value: Any) -> Any:  # noqa: ARG001
            def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
                pointer = address(context, builder, array, arguments[0], index, arguments[1])
                builder.store(arguments[2], pointer, align=4)
                return context.get_dummy_value()

            return types.void(array, index, kind), generate

        return put

    return {
        "ld4": ld4, "st4": st4, "get": getter(types.float32), "put": putter(types.float32),
        "get_int": getter(types.int32), "put_int": putter(types.int32),
    }  # fmt: skip
