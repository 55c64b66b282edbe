"""Small matrix products for Numba code, as register tiles of explicit vector instructions.

The products of one layer (some hundred rows, columns and terms) are small for a BLAS library, which copies its operands
first. Here a tile of 4 rows and a few vectors stays in registers while it sums up, and its operands come straight from
the caches. Nothing is allocated and no threads are started.

Matrices are float32 and any number of rows high; where vectors run along their rows, these are contiguous and a
multiple of `LANES` long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]


def _vectors() -> tuple[int, int]:
    """Floats in a vector register, and how many of them make a tile's row: what this processor has registers for."""
    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 16, 4
    if features.get("avx"):
        return 8, 2
    return 4, 4 if features.get("neon") else 2


LANES, _WIDE = _vectors()
_TALL = 4
_BLOCK = LANES * _WIDE

_FLOAT = ir.FloatType()
_INDEX = ir.IntType(32)


def _vector(lanes: int) -> Any:
    return ir.VectorType(_FLOAT, lanes)


class _Code:
    """Writes vector instructions into a function that Numba compiles."""

    def __init__(self, context: Any, builder: Any) -> None:
        self.context = context
        self.builder = builder
        kind = _vector(LANES)
        name = f"llvm.fmuladd.v{LANES}f32"
        self._fmuladd = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)

    def strides(self, kind: Any, matrix: Any) -> list[Any]:
        """Distance of rows and of columns, in floats."""
        array = self.context.make_array(kind)(self.context, self.builder, matrix)
        in_bytes = cgutils.unpack_tuple(self.builder, array.strides, 2)
        return [self.builder.ashr(stride, ir.Constant(stride.type, 2)) for stride in in_bytes]

    def pointer(self, kind: Any, matrix: Any, row: Any, column: Any) -> tuple[Any, Any]:
        """Address of an entry, given that columns are 1 apart or `column` is 0, and the distance of rows, in floats."""
        length, _ = self.strides(kind, matrix)
        data = self.context.make_array(kind)(self.context, self.builder, matrix).data
        return self.at(data, self.builder.add(self.builder.mul(row, length), column)), length

    def at(self, pointer: Any, offset: Any) -> Any:
        return self.builder.gep(pointer, [offset])

    def times(self, index: Any, factor: int) -> Any:
        return self.builder.mul(index, ir.Constant(index.type, factor))

    def load(self, pointer: Any, lanes: int = LANES) -> Any:
        return self.builder.load(self.builder.bitcast(pointer, _vector(lanes).as_pointer()), align=4)

    def store(self, value: Any, pointer: Any) -> None:
        self.builder.store(value, self.builder.bitcast(pointer, value.type.as_pointer()), align=4)

    def spread(self, pointer: Any) -> Any:
        undefined = ir.Constant(_vector(LANES), ir.Undefined)
        single = self.builder.insert_element(undefined, self.builder.load(pointer), ir.Constant(_INDEX, 0))
        return self.shuffle(single, undefined, [0] * LANES)

    def shuffle(self, a: Any, b: Any, lanes: list[int]) -> Any:
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INDEX, len(lanes)), lanes))

    def zeros(self, count: int) -> list[Any]:
        zero = ir.Constant(_vector(LANES), [0.0] * LANES)
        return [cgutils.alloca_once_value(self.builder, zero) for _ in range(count)]

    def accumulate(self, total: Any, a: Any, b: Any) -> None:
        self.builder.store(self.builder.call(self._fmuladd, [a, b, self.builder.load(total)]), total)

    def sums(self, vectors: list[Any]) -> Any:
        """Sum the lanes of each of 1, 2, 4, ... `LANES` vectors: one vector of so many lanes, in their order."""
        count, lanes = len(vectors), LANES
        while len(vectors) > 1:
            vectors = [self._halves(a, b, lanes) for a, b in zip(vectors[::2], vectors[1::2], strict=True)]
        total = vectors[0]
        while lanes > count:
            lanes //= 2
            total = self._halves(total, total, lanes)
        return total

    def _halves(self, a: Any, b: Any, lanes: int) -> Any:
        return self.builder.fadd(*(self.shuffle(a, b, [odd + 2 * lane for lane in range(lanes)]) for odd in (0, 1)))


def _product_tile(rows: int, vectors: int) -> Any:
    @intrinsic
    def tile(_typing: Any, a: Any, b: Any, depth: Any, out: Any, row: Any, at: Any) -> Any:  # noqa: ARG001
        # out[row : row + rows, at : at + vectors * LANES] = a[row : row + rows] @ b[:, at : at + vectors * LANES]
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            code = _Code(context, builder)
            kinds = signature.args
            a, b, depth, out, row, at = arguments
            zero = ir.Constant(row.type, 0)
            left, left_length = code.pointer(kinds[0], a, row, zero)
            _, step = code.strides(kinds[0], a)
            right, right_length = code.pointer(kinds[1], b, zero, at)
            target, target_length = code.pointer(kinds[3], out, row, at)
            totals = code.zeros(rows * vectors)
            with cgutils.for_range(builder, depth) as loop:
                line = code.at(right, builder.mul(loop.index, right_length))
                parts = [code.load(code.at(line, ir.Constant(row.type, LANES * c))) for c in range(vectors)]
                column = code.at(left, builder.mul(loop.index, step))
                for r in range(rows):
                    factor = code.spread(code.at(column, code.times(left_length, r)))
                    for c in range(vectors):
                        code.accumulate(totals[r * vectors + c], factor, parts[c])
            for r in range(rows):
                line = code.at(target, code.times(target_length, r))
                for c in range(vectors):
                    code.store(builder.load(totals[r * vectors + c]), code.at(line, ir.Constant(row.type, LANES * c)))
            return context.get_dummy_value()

        return types.void(a, b, types.intp, out, types.intp, types.intp), generate

    return tile


def _outer_tile(rows: int, columns: int) -> Any:
    @intrinsic
    def tile(_typing: Any, a: Any, b: Any, count: Any, out: Any, row: Any, column: Any) -> Any:  # noqa: ARG001
        # out[row : row + rows, column : column + columns] += a[row : row + rows] @ b[column : column + columns].T
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            code = _Code(context, builder)
            kinds = signature.args
            a, b, count, out, row, column = arguments
            zero = ir.Constant(row.type, 0)
            left, left_length = code.pointer(kinds[0], a, row, zero)
            right, right_length = code.pointer(kinds[1], b, column, zero)
            target, target_length = code.pointer(kinds[3], out, row, column)
            totals = code.zeros(rows * columns)
            with cgutils.for_range(builder, count) as loop:
                at = code.times(loop.index, LANES)
                tall = [code.load(code.at(left, builder.add(at, code.times(left_length, r)))) for r in range(rows)]
                wide = [code.load(code.at(right, builder.add(at, code.times(right_length, c)))) for c in range(columns)]
                for index, total in enumerate(totals):
                    code.accumulate(total, tall[index // columns], wide[index % columns])
            group = min(LANES, rows * columns)
            for begin in range(0, rows * columns, group):
                sums = code.sums([builder.load(total) for total in totals[begin : begin + group]])
                for part in range(0, group, columns):
                    place = code.at(target, code.times(target_length, (begin + part) // columns))
                    slopes = code.shuffle(sums, sums, list(range(part, part + columns)))
                    code.store(builder.fadd(code.load(place, columns), slopes), place)
            return context.get_dummy_value()

        return types.void(a, b, types.intp, out, types.intp, types.intp), generate

    return tile


_tile_4_wide = _product_tile(_TALL, _WIDE)
_tile_1_wide = _product_tile(1, _WIDE)
_tile_4 = _product_tile(_TALL, 1)
_tile_1 = _product_tile(1, 1)
_outer_4_wide = _outer_tile(_TALL, _WIDE)
_outer_1_wide = _outer_tile(1, _WIDE)
_outer_4 = _outer_tile(_TALL, 1)
_outer_1 = _outer_tile(1, 1)


@njit(nogil=True, forceinline=True)
def product(a: Matrix, b: Matrix, out: Matrix) -> None:
    """Write a @ b.

    Parameters
    ----------
    a : NDArray of float32, shape=(m, k)
        Of any memory order, so that a transposed view needs no copy.
    b : NDArray of float32, shape=(k, n)
    out : NDArray of float32, shape=(m, n)
        n is a multiple of `LANES`.
    """
    (rows, columns), depth = out.shape, b.shape[0]
    tall = rows - rows % _TALL
    wide = columns - columns % _BLOCK
    for at in range(0, wide, _BLOCK):
        for row in range(0, tall, _TALL):
            _tile_4_wide(a, b, depth, out, row, at)
        for row in range(tall, rows):
            _tile_1_wide(a, b, depth, out, row, at)
    for at in range(wide, columns, LANES):
        for row in range(0, tall, _TALL):
            _tile_4(a, b, depth, out, row, at)
        for row in range(tall, rows):
            _tile_1(a, b, depth, out, row, at)


@njit(nogil=True, forceinline=True)
def add_outer(a: Matrix, b: Matrix, out: Matrix) -> None:
    """Add a @ b.T to `out`.

    Parameters
    ----------
    a : NDArray of float32, shape=(m, n)
    b : NDArray of float32, shape=(k, n)
        n is a multiple of `LANES`.
    out : NDArray of float32, shape=(m, k)
    """
    (rows, columns), count = out.shape, a.shape[1] // LANES
    tall = rows - rows % _TALL
    wide = columns - columns % _WIDE
    for row in range(0, tall, _TALL):
        for column in range(0, wide, _WIDE):
            _outer_4_wide(a, b, count, out, row, column)
        for column in range(wide, columns):
            _outer_4(a, b, count, out, row, column)
    for row in range(tall, rows):
        for column in range(0, wide, _WIDE):
            _outer_1_wide(a, b, count, out, row, column)
        for column in range(wide, columns):
            _outer_1(a, b, count, out, row, column)
