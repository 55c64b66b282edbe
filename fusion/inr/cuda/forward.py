"""Text of the forward pass over one tile of coordinates: activations, slopes, and the error before the output."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fusion.inr.cuda.plan import FEW_OUTPUTS, PAD, TILE, UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fusion.inr.cuda.plan import HiddenTile
    from fusion.inr.cuda.writer import Writer

_DEPTH = 4
_LENGTH = TILE + PAD


def write_forward(writer: Writer) -> None:
    """Write the pass; afterwards the gradient before the output's activation lies in ``d``, or the outputs are out."""
    _write_inputs(writer)
    _write_first(writer)
    writer.barrier()
    for layer in range(2, writer.plan.layers + 1):
        _write_hidden(writer, layer)
        writer.barrier()
    _write_output(writer)


def _write_inputs(writer: Writer) -> None:
    plan = writer.plan
    total = "coordinates" if plan.kind.job == "decode" else "count"
    writer.line("n = base + i")
    writer.line(f"inside = n < {total}")
    writer.line(f"n = min(n, {total} - 1)")
    if plan.kind.subsets:
        with writer.block("if learn:"):
            writer.line("n = get_int(rows, step * points + n)")
    for d in range(plan.architecture.d_in):
        writer.line(f"x{d} = get(grid, n * {plan.architecture.d_in} + {d})")
    if plan.kind.job != "decode":
        with writer.block("if h == 0:"):
            for d in range(plan.architecture.d_in):
                writer.put("x", f"{d * TILE} + i", f"x{d}")


def _write_first(writer: Writer) -> None:
    plan, units = writer.plan, writer.plan.hidden[0]
    parts = plan.threads // TILE
    with writer.spread("k", units // UNITS, "h", parts):
        angles = [f"z{unit}" for unit in range(UNITS)]
        weights = [f"w{unit}" for unit in range(UNITS)]
        writer.load(angles, "w1", f"{plan.architecture.d_in * units} + {UNITS} * k")
        for d in range(plan.architecture.d_in):
            writer.load(weights, "w1", f"{d * units} + {UNITS} * k")
            for angle, weight in zip(angles, weights, strict=True):
                writer.line(f"{angle} += x{d} * {weight}")
        for unit, angle in enumerate(angles):
            writer.put("a1", f"{unit * _LENGTH} + k * {UNITS * _LENGTH} + i", f"sine(om1 * {angle})")


@contextmanager
def pieces(writer: Writer, tile: HiddenTile) -> Iterator[tuple[str, str]]:
    """Go through a thread's pieces of a layer, giving the names of its group of coordinates and of units."""
    groups = tile.groups
    if tile.passes == 1:
        with writer.only_if(None if tile.pieces == writer.plan.threads else f"t < {tile.pieces}"):
            yield f"ti{groups}", f"tq{groups}"
        return
    with writer.spread("piece", tile.pieces):
        writer.line(f"pi = piece & {groups - 1}")
        writer.line(f"pq = piece >> {groups.bit_length() - 1}")
        yield "pi", "pq"


def columns_of(tile_columns: int, group: str) -> list[str]:
    """Where a group's coordinates begin, four by four."""
    return [f"{4 * group_of * (TILE // tile_columns)} + 4 * {group}" for group_of in range(tile_columns // 4)]


def _write_hidden(writer: Writer, layer: int) -> None:
    plan = writer.plan
    tile, before = plan.tiles[layer - 1], plan.hidden[layer - 2]
    if plan.kind.job != "decode" and f"s{layer}" in plan.in_registers and tile.pieces < plan.threads:
        for name in slope_names(tile, layer):
            writer.line(f"{name} = ZERO")
    with pieces(writer, tile) as (group, units):
        biases = [f"w{unit}" for unit in range(UNITS)]
        writer.load(biases, f"b{layer}", f"4 * {units}")
        for unit in range(UNITS):
            for column in range(tile.columns):
                writer.line(f"c{unit}_{column} = w{unit}")
        with writer.block(f"for k in range(0, {before}, {_DEPTH}):"):
            for depth in range(_DEPTH):
                _write_term(writer, layer, depth, group, units)
        _write_activation(writer, layer, group, units)


def _write_term(writer: Writer, layer: int, depth: int, group: str, units: str) -> None:
    tile, width = writer.plan.tiles[layer - 1], writer.plan.hidden[layer - 1] + PAD
    for quarter, begin in enumerate(columns_of(tile.columns, group)):
        names = [f"r{4 * quarter + column}" for column in range(4)]
        writer.load(names, f"a{layer - 1}", f"{depth * _LENGTH} + {begin} + k * {_LENGTH}")
    writer.load([f"w{unit}" for unit in range(UNITS)], f"w{layer}", f"{depth * width} + k * {width} + 4 * {units}")
    for unit in range(UNITS):
        for column in range(tile.columns):
            writer.line(f"c{unit}_{column} += r{column} * w{unit}")


def slope_names(tile: HiddenTile, layer: int) -> list[str]:
    """Names of a thread's slopes of a layer."""
    return [f"s{layer}_{unit}_{column}" for unit in range(UNITS) for column in range(tile.columns)]


def slope_place(writer: Writer, layer: int, unit: int, column: int) -> str:
    """Index of a thread's slope in memory; `piece` counts on by the number of threads from pass to pass."""
    plan, tile = writer.plan, writer.plan.tiles[layer - 1]
    number = "t" if tile.passes == 1 else "piece"
    return f"{(unit * tile.columns + column) * plan.threads * tile.passes} + {number}"


def _write_activation(writer: Writer, layer: int, group: str, units: str) -> None:
    plan, tile = writer.plan, writer.plan.tiles[layer - 1]
    for unit in range(UNITS):
        for column in range(tile.columns):
            angle = f"om{layer} * c{unit}_{column}"
            if plan.kind.job == "decode":
                writer.line(f"r{column} = sine({angle})")
            elif f"s{layer}" in plan.in_registers:
                writer.line(f"r{column}, s{layer}_{unit}_{column} = sine_and_cosine({angle})")
            else:
                writer.line(f"r{column}, slope = sine_and_cosine({angle})")
                writer.put(f"s{layer}", slope_place(writer, layer, unit, column), "slope")
        for quarter, begin in enumerate(columns_of(tile.columns, group)):
            values = [f"r{4 * quarter + column}" for column in range(4)]
            writer.store(f"a{layer}", f"{unit * _LENGTH} + {begin} + {units} * {UNITS * _LENGTH}", values)


def _write_output(writer: Writer) -> None:
    plan = writer.plan
    d_out = plan.architecture.d_out
    chunks = [range(begin, min(begin + FEW_OUTPUTS, d_out)) for begin in range(0, d_out, FEW_OUTPUTS)]
    for outputs in chunks:
        if plan.kind.job != "decode":
            for o in outputs:
                writer.line(f"y{o} = get(values, (s * coordinates + n) * {d_out} + {o})")
        for o in outputs:
            writer.line(f"p{o} = ZERO")
        _write_products(writer, outputs)
    if plan.output_parts > 1:
        writer.barrier()
    with writer.block("if h == 0:"):
        for o in range(d_out):
            others = [writer.get("d", f"{(part * d_out + o) * TILE} + i") for part in range(plan.output_parts - 1)]
            writer.line(f"z = {' + '.join([f'p{o}', *others, writer.get('bo', o)])}")
            _write_finish(writer, o)
    if plan.kind.job != "decode":
        writer.barrier()


def _write_products(writer: Writer, outputs: range) -> None:
    plan, last = writer.plan, writer.plan.hidden[-1]
    share = -(-last // (UNITS * plan.output_parts)) * UNITS
    with writer.only_if(None if plan.output_parts == plan.threads // TILE else f"h < {plan.output_parts}"):
        with writer.block(f"for turn in range({share // UNITS}):"):
            writer.line(f"u = h * {share} + turn * {UNITS}")
            with writer.only_if(None if share * plan.output_parts == last else f"u < {last}"):
                for unit in range(UNITS):
                    writer.line(f"r{unit} = {writer.get(f'a{plan.layers}', f'{unit * _LENGTH} + u * {_LENGTH} + i')}")
                for o in outputs:
                    writer.load([f"w{unit}" for unit in range(UNITS)], "wo", f"{o * last} + u")
                    writer.line(f"p{o} += {' + '.join(f'r{unit} * w{unit}' for unit in range(UNITS))}")
        if plan.output_parts > 1:
            with writer.block("if h > 0:"):
                for o in outputs:
                    index = f"{o * TILE} + (h - 1) * {plan.architecture.d_out * TILE} + i"
                    writer.put("d", index, f"p{o}")


def _write_finish(writer: Writer, o: int) -> None:
    plan = writer.plan
    sigmoid = plan.architecture.output == "sigmoid"
    writer.line("p = ONE / (ONE + F(exp(-z)))" if sigmoid else "p = z")
    if plan.kind.job == "decode":
        with writer.block("if inside:"):
            writer.line(f"put(outputs, (s * coordinates + n) * {plan.architecture.d_out} + {o}, p)")
        return
    writer.line(f"e = p - y{o} if inside else ZERO")
    writer.line("squares += e * e")
    slope = " * (p * (ONE - p))" if sigmoid else ""
    writer.line(f"e = e{slope} * scale if inside else ZERO")
    if plan.architecture.d_out <= FEW_OUTPUTS:
        writer.line(f"gbo_{o} += e")
    writer.put("d", f"{o * TILE} + i", "e")
