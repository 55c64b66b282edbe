"""What a kernel's text calls, in Python, for Numba's simulator of a device; see `fusion.inr.cuda.primitives`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda, float32

from fusion.inr.settings import BETA_1, BETA_2, EPSILON

_F = np.float32
_B1, _B2, _1_B1, _1_B2, _EPS = _F(BETA_1), _F(BETA_2), _F(1.0 - BETA_1), _F(1.0 - BETA_2), _F(EPSILON)
_HALF_TILE = 32

Vector = tuple[Any, ...]


def get(array: Any, at: int) -> Any:
    return array[at]


def get_int(array: Any, at: int) -> int:
    return int(array[at])


def put(array: Any, at: int, value: Any) -> None:
    if not isinstance(value, np.float32):
        raise TypeError(f"{type(value).__name__} {value!r} is no float32")
    array[at] = value


def put_int(array: Any, at: int, value: int) -> None:
    array[at] = value


def load_4(array: Any, at: int) -> Vector:
    return tuple(array[at : at + 4])


def load_8(array: Any, at: int) -> Vector:
    return load_4(array, at) + load_4(array, at + _HALF_TILE)


def store(array: Any, at: int, vector: Vector) -> None:
    for number, value in enumerate(vector):
        put(array, at + number % 4 + number // 4 * _HALF_TILE, value)


def gather_4(array: Any, at: int, stride: int) -> Vector:
    return tuple(array[at + number * stride] for number in range(4))


def gather_8(array: Any, at: int, stride: int) -> Vector:
    return tuple(array[at + number * stride] for number in range(8))


def gather(array: Any, at: int, stride: int, like: Vector) -> Vector:
    return tuple(array[at + number * stride] for number in range(len(like)))


def quads(array: Any, at: int, stride: int, like: Vector) -> tuple[Vector, ...]:
    return tuple(load_4(array, at + number * stride) for number in range(len(like)))


def scatter(array: Any, at: int, stride: int, vector: Vector) -> None:
    for number, value in enumerate(vector):
        put(array, at + number * stride, value)


def spread_4(value: Any) -> Vector:
    return (value,) * 4


def spread_8(value: Any) -> Vector:
    return (value,) * 8


def fma(sums: Vector, vector: Vector, factor: Any) -> Vector:
    return tuple(total + part * factor for total, part in zip(sums, vector, strict=True))


def dots(sums: Vector, row: Vector, columns: tuple[Vector, ...]) -> Vector:
    return tuple(dot(total, row, column) for total, column in zip(sums, columns, strict=True))


def dot(total: Any, a: Vector, b: Vector) -> Any:
    for left, right in zip(a, b, strict=True):
        total = total + left * right
    return total


def total(vector: Vector) -> Any:
    return sum(vector[1:], vector[0])


def times(a: Vector, b: Vector) -> Vector:
    return tuple(left * right for left, right in zip(a, b, strict=True))


def plus(a: Vector, b: Vector) -> Vector:
    return tuple(left + right for left, right in zip(a, b, strict=True))


def minus(a: Vector, b: Vector) -> Vector:
    return tuple(left - right for left, right in zip(a, b, strict=True))


def logistic(vector: Vector) -> Vector:
    return tuple(_F(1.0) / (_F(1.0) + np.exp(-part)) for part in vector)


def logistic_slope(vector: Vector) -> Vector:
    return tuple(part * (_F(1.0) - part) for part in vector)


def scaled(vector: Vector, factor: Any) -> Vector:
    return tuple(part * factor for part in vector)


def sines(vector: Vector, omega: Any) -> Vector:
    return tuple(np.sin(part * omega) for part in vector)


def cosines(vector: Vector, omega: Any) -> Vector:
    return tuple(np.cos(part * omega) for part in vector)


def sines_and_cosines(vector: Vector, omega: Any) -> tuple[Vector, Vector]:
    return sines(vector, omega), cosines(vector, omega)


def adam(m: Any, at_m: int, v: Any, at_v: int, theta: Any, slope: Any, rate: Any) -> Any:
    m[at_m] = _B1 * m[at_m] + _1_B1 * slope
    v[at_v] = _B2 * v[at_v] + _1_B2 * (slope * slope)
    return theta - rate * m[at_m] / (np.sqrt(v[at_v]) + _EPS)


def adams(
    m: Any, at_m: int, v: Any, at_v: int, apart: int, array: Any, at: int, stride: int, slopes: Vector, rate: Any
) -> None:
    for number, slope in enumerate(slopes):
        place, step = at + number * stride, number * apart
        put(array, place, adam(m, at_m + step, v, at_v + step, array[place], slope, rate))


NAMES = {
    "cuda": cuda, "float32": float32, "F": _F, "F64": np.float64, "ZERO": _F(0.0), "ONE": _F(1.0),
    "opaque": int,
} | {
    function.__name__: function
    for function in (
        get, get_int, put, put_int, load_4, load_8, store, gather_4, gather_8, gather, quads, scatter, spread_4,
        spread_8,
        fma, dots, dot, total, times, plus, minus, scaled, logistic, logistic_slope, sines, cosines, sines_and_cosines,
        adam, adams,
    )
}  # fmt: skip
"""What a kernel's text may call."""
