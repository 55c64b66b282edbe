"""Text of the forward pass over one tile of coordinates: activations, slopes, and the error before the output."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fusion.inr.cuda.tiling import FEW_OUTPUTS, PAD, TILE, UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fusion.inr.cuda.tiling import HiddenTile
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
    with writer.spread("k", units // UNITS, "h", plan.threads // TILE):
        for d in range(plan.architecture.d_in, -1, -1):
            weights = f"load_4({writer.at('w1', f'{d * units} + {UNITS} * k')})"
            writer.line(f"z = {weights}" if d == plan.architecture.d_in else f"z = fma(z, {weights}, x{d})")
        writer.line(f"scatter({writer.at('a1', f'k * {UNITS * _LENGTH} + i')}, {_LENGTH}, sines(z, om1))")


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


def _write_hidden(writer: Writer, layer: int) -> None:
    plan = writer.plan
    tile, before, width = plan.tiles[layer - 1], plan.hidden[layer - 2], plan.hidden[layer - 1] + PAD
    load, spread = f"load_{tile.columns}", f"spread_{tile.columns}"
    if plan.kind.job != "decode" and f"s{layer}" in plan.in_registers and tile.pieces < plan.threads:
        for unit in range(UNITS):
            writer.line(f"s{layer}_{unit} = {spread}(ZERO)")
    with pieces(writer, tile) as (group, units):
        writer.line(f"w = load_4({writer.at(f'b{layer}', f'4 * {units}')})")
        for unit in range(UNITS):
            writer.line(f"c{unit} = {spread}(w[{unit}])")
        with writer.block(f"for k in range(0, {before}, {_DEPTH}):"):
            for depth in range(_DEPTH):
                row = f"{depth * _LENGTH} + 4 * {group} + k * {_LENGTH}"
                writer.line(f"r = {load}({writer.at(f'a{layer - 1}', row)})")
                weights = f"{depth * width} + k * {width} + 4 * {units}"
                writer.line(f"w = load_4({writer.at(f'w{layer}', weights)})")
                for unit in range(UNITS):
                    writer.line(f"c{unit} = fma(c{unit}, r, w[{unit}])")
        _write_activation(writer, layer, group, units)


def slope_place(writer: Writer, layer: int, unit: int) -> str:
    """Give array, index and stride of a thread's slopes of a unit in memory; `piece` counts on from pass to pass."""
    plan, tile = writer.plan, writer.plan.tiles[layer - 1]
    stride = plan.threads * tile.passes
    number = "t" if tile.passes == 1 else "piece"
    return f"{writer.at(f's{layer}', f'{unit * tile.columns * stride} + {number}')}, {stride}"


def activation_place(writer: Writer, layer: int, unit: int, group: str, units: str) -> str:
    """Give array and index of a thread's activations of a unit."""
    return writer.at(f"a{layer}", f"{unit * _LENGTH} + 4 * {group} + {units} * {UNITS * _LENGTH}")


def _write_activation(writer: Writer, layer: int, group: str, units: str) -> None:
    for unit in range(UNITS):
        if writer.plan.kind.job == "decode":
            writer.line(f"r = sines(c{unit}, om{layer})")
        elif f"s{layer}" in writer.plan.in_registers:
            writer.line(f"r, s{layer}_{unit} = sines_and_cosines(c{unit}, om{layer})")
        else:
            writer.line(f"r, slope = sines_and_cosines(c{unit}, om{layer})")
            writer.line(f"scatter({slope_place(writer, layer, unit)}, slope)")
        writer.line(f"store({activation_place(writer, layer, unit, group, units)}, r)")


def output_chunks(d_out: int) -> list[range]:
    """Cut the outputs into vectors."""
    return [range(begin, min(begin + FEW_OUTPUTS, d_out)) for begin in range(0, d_out, FEW_OUTPUTS)]


def zeros(outputs: range) -> str:
    """Write a vector of zeros, one for each output."""
    return f"({', '.join(['ZERO'] * len(outputs))},)"


def _write_output(writer: Writer) -> None:
    plan = writer.plan
    d_out, decode = plan.architecture.d_out, plan.kind.job == "decode"
    chunks = output_chunks(d_out)
    for outputs in chunks:
        vector = f"{outputs.start}"
        writer.line(f"p{vector} = {zeros(outputs)}")
        if not decode:
            writer.line(f"y{vector} = gather(values, (s * coordinates + n) * {d_out} + {vector}, 1, p{vector})")
        _write_products(writer, outputs)
    if plan.output_parts > 1:
        writer.barrier()
    with writer.block("if h == 0:"):
        if not decode:
            writer.line("counted = ONE if inside else ZERO")
        for outputs in chunks:
            _write_finish(writer, outputs)
    if not decode:
        writer.barrier()


def _write_products(writer: Writer, outputs: range) -> None:
    plan, last, vector = writer.plan, writer.plan.hidden[-1], outputs.start
    share = -(-last // (UNITS * plan.output_parts)) * UNITS
    with writer.only_if(None if plan.output_parts == plan.threads // TILE else f"h < {plan.output_parts}"):
        with writer.block(f"for turn in range({share // UNITS}):"):
            writer.line(f"u = h * {share} + turn * {UNITS}")
            with writer.only_if(None if share * plan.output_parts == last else f"u < {last}"):
                writer.line(f"r = gather_4({writer.at(f'a{plan.layers}', f'u * {_LENGTH} + i')}, {_LENGTH})")
                quads = f"quads({writer.at('wo', f'{vector * last} + u')}, {last}, p{vector})"
                writer.line(f"p{vector} = dots(p{vector}, r, {quads})")
        if plan.output_parts > 1:
            with writer.block("if h > 0:"):
                index = f"{vector * TILE} + (h - 1) * {plan.architecture.d_out * TILE} + i"
                writer.line(f"scatter({writer.at('d', index)}, {TILE}, p{vector})")


def _write_finish(writer: Writer, outputs: range) -> None:
    plan, vector = writer.plan, outputs.start
    d_out = plan.architecture.d_out
    writer.line(f"p = plus(p{vector}, gather({writer.at('bo', vector)}, 1, p{vector}))")
    for part in range(plan.output_parts - 1):
        place = writer.at("d", f"{(part * d_out + vector) * TILE} + i")
        writer.line(f"p = plus(p, gather({place}, {TILE}, p))")
    if plan.architecture.output == "sigmoid":
        writer.line("p = logistic(p)")
    if plan.kind.job == "decode":
        with writer.block("if inside:"):
            writer.line(f"scatter(outputs, (s * coordinates + n) * {d_out} + {vector}, 1, p)")
        return
    writer.line(f"e = scaled(minus(p, y{vector}), counted)")
    writer.line("squares = dot(squares, e, e)")
    if plan.architecture.output == "sigmoid":
        writer.line("e = times(e, logistic_slope(p))")
    writer.line("e = scaled(e, scale)")
    if d_out <= FEW_OUTPUTS:
        writer.line("gbo = plus(gbo, e)")
    writer.line(f"scatter({writer.at('d', f'{vector * TILE} + i')}, {TILE}, e)")
