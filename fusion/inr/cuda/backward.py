"""Text of the way back over one tile of coordinates: gradients of the activations, and sums of those of the weights."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fusion.inr.cuda.forward import activation_place, pieces, slope_place
from fusion.inr.cuda.tiling import FEW_OUTPUTS, PAD, TILE, UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fusion.inr.cuda.tiling import OuterTile
    from fusion.inr.cuda.writer import Writer

_LENGTH = TILE + PAD


def write_backward(writer: Writer) -> None:
    """Write the pass from ``d`` back to the first layer; a layer's gradient takes the place of its activations."""
    plan = writer.plan
    _write_output_gradient(writer)
    if plan.layers > 1:
        writer.barrier()
        _write_layer_gradient(writer, plan.layers)
        writer.barrier()
    for layer in range(plan.layers, 1, -1):
        _write_outer(writer, layer)
        if layer > 2:
            writer.barrier()
            _write_layer_gradient(writer, layer - 1)
            writer.barrier()
    _write_first_gradient(writer)


def _write_output_gradient(writer: Writer) -> None:
    plan = writer.plan
    d_out, last, parts = plan.architecture.d_out, plan.hidden[-1], plan.gradient_parts
    if d_out > FEW_OUTPUTS:
        with writer.block(f"if t < {d_out}:"), writer.block(f"for j in range(0, {TILE}, 4):"):
            writer.line(f"gbo += total(load_4({writer.at('d', f't * {TILE} + j')}))")
    if not parts:
        _write_output_gradient_in_memory(writer)
        return
    share = TILE // parts
    write_output_indices(writer)
    active = None if parts * last == plan.threads else f"hu < {parts}"
    with writer.only_if(active), writer.block(f"for j in range(0, {share}, 4):"):
        writer.line(f"r = load_4({writer.at(f'a{plan.layers}', f'iu * {_LENGTH} + hu * {share} + j')})")
        writer.line(f"go = dots(go, r, quads({writer.at('d', f'hu * {share} + j')}, {TILE}, go))")


def write_output_indices(writer: Writer) -> None:
    """Write a thread's unit and its part of the coordinates, for the gradient of the output's kernel."""
    last = writer.plan.hidden[-1]
    writer.line(f"hu = t // {last}")
    writer.line(f"iu = t - hu * {last}")


def _write_output_gradient_in_memory(writer: Writer) -> None:
    plan = writer.plan
    d_out, last = plan.architecture.d_out, plan.hidden[-1]
    with writer.spread("q", d_out * last):
        writer.line(f"u = q % {last}")
        writer.line(f"o = q // {last}")
        writer.line("sum = ZERO")
        with writer.block("if base > 0:"):
            writer.line(f"sum = {writer.get('go', 'q')}")
        with writer.block(f"for j in range(0, {TILE}, 4):"):
            writer.line(f"r = load_4({writer.at(f'a{plan.layers}', f'u * {_LENGTH} + j')})")
            writer.line(f"sum = dot(sum, r, load_4({writer.at('d', f'o * {TILE} + j')}))")
        writer.put("go", "q", "sum")


def _write_layer_gradient(writer: Writer, layer: int) -> None:
    """Put the gradient of a layer's angles where its activations are."""
    plan = writer.plan
    tile = plan.tiles[layer - 1]
    with pieces(writer, tile) as (group, units):
        sums = [f"c{unit}" for unit in range(UNITS)]
        for name in sums:
            writer.line(f"{name} = spread_{tile.columns}(ZERO)")
        if layer == plan.layers:
            with writer.block(f"for o in range({plan.architecture.d_out}):"):
                writer.line(f"r = load_{tile.columns}({writer.at('d', f'4 * {group} + o * {TILE}')})")
                writer.line(f"w = load_4({writer.at('wo', f'o * {plan.hidden[-1]} + 4 * {units}')})")
                for unit, name in enumerate(sums):
                    writer.line(f"{name} = fma({name}, r, w[{unit}])")
        else:
            width = plan.hidden[layer] + PAD
            rows = [f"{unit * width} + {units} * {UNITS * width}" for unit in range(UNITS)]
            _write_back(writer, layer + 1, sums, (tile.columns, group), rows)
        for unit in range(UNITS):
            _write_times_slope(writer, layer, unit, group, units)


def _write_back(writer: Writer, layer: int, sums: list[str], columns: tuple[int, str], rows: list[str]) -> None:
    """Multiply the gradient of `layer` with rows of its kernel."""
    count, group = columns
    with writer.block(f"for u in range(0, {writer.plan.hidden[layer - 1]}, {UNITS}):"):
        for depth in range(UNITS):
            row = f"{depth * _LENGTH} + 4 * {group} + u * {_LENGTH}"
            writer.line(f"r{depth} = load_{count}({writer.at(f'a{layer}', row)})")
        for row, name in zip(rows, sums, strict=True):
            writer.line(f"w = load_4({writer.at(f'w{layer}', f'{row} + u')})")
            for depth in range(UNITS):
                writer.line(f"{name} = fma({name}, r{depth}, w[{depth}])")


def _write_times_slope(writer: Writer, layer: int, unit: int, group: str, units: str) -> None:
    plan, tile = writer.plan, writer.plan.tiles[layer - 1]
    slopes = f"s{layer}_{unit}"
    if f"s{layer}" not in plan.in_registers:
        slopes = f"gather_{tile.columns}({slope_place(writer, layer, unit)})"
    writer.line(f"r = scaled(times(c{unit}, {slopes}), om{layer})")
    if tile.passes == 1:
        writer.line(f"gb{layer}_{unit} += total(r)")
    else:
        index = f"{group} * {tile.units} + 4 * {units} + {unit}"
        writer.line("sum = total(r)")
        with writer.block("if base > 0:"):
            writer.line(f"sum += {writer.get(f'p{layer}', index)}")
        writer.put(f"p{layer}", index, "sum")
    writer.line(f"store({activation_place(writer, layer, unit, group, units)}, r)")


def _write_outer(writer: Writer, layer: int) -> None:
    """Add a kernel's gradient: activations of the layer before times the gradient of this one."""
    outer = writer.plan.outers[layer - 2]
    with outer_passes(writer, outer):
        _write_outer_pass(writer, layer, outer)


@contextmanager
def outer_passes(writer: Writer, outer: OuterTile) -> Iterator[None]:
    """Go through the passes over a kernel, where there are several."""
    if outer.passes == 1:
        yield
        return
    rows, columns = f"for pass_in in range({outer.passes_in}):", f"for pass_out in range({outer.passes_out}):"
    with writer.block(rows), writer.block(columns):
        yield


def strided(index: str, count: int, step: int, reach: int, limit: int, length: int) -> list[str]:
    """Write where each of a thread's strided rows begins: one product and constants, unless some lie outside."""
    if reach <= limit:
        return [f"({index}) * {length} + {number * step * length}" for number in range(count)]
    return [f"min({index} + {number * step}, {limit - 1}) * {length}" for number in range(count)]


def outer_row(outer: OuterTile) -> str:
    """First row of a kernel that a thread sums in a pass."""
    begin = "" if outer.passes_in == 1 else f" + pass_in * {outer.threads_in * outer.rows}"
    return f"tk{outer.threads_out}{begin}"


def outer_column(outer: OuterTile) -> str:
    """First column of a kernel that a thread sums in a pass."""
    begin = "" if outer.passes_out == 1 else f" + pass_out * {outer.threads_out * outer.columns}"
    return f"tu{outer.threads_out}{begin}"


def outer_place(writer: Writer, outer: OuterTile, row: int) -> str:
    """Index of a thread's first entry of a row of a kernel's gradient, or of a moment, in memory."""
    begin = f"{row * outer.columns * writer.plan.threads} + t"
    if outer.passes == 1:
        return begin
    return f"{begin} + (pass_in * {outer.passes_out} + pass_out) * {outer.entries * writer.plan.threads}"


def _write_outer_pass(writer: Writer, layer: int, outer: OuterTile) -> None:
    threads = writer.plan.threads
    in_registers = f"g{layer}" in writer.plan.in_registers
    if not in_registers:
        for row in range(outer.rows):
            writer.line(f"g{layer}_{row} = spread_{outer.columns}(ZERO)")
        with writer.block("if base > 0:"):
            for row in range(outer.rows):
                place = writer.at(f"g{layer}", outer_place(writer, outer, row))
                writer.line(f"g{layer}_{row} = gather_{outer.columns}({place}, {threads})")
    rows = strided(outer_row(outer), outer.rows, outer.threads_in, outer.reach_in, outer.fan_in, _LENGTH)
    columns = strided(outer_column(outer), outer.columns, outer.threads_out, outer.reach_out, outer.fan_out, _LENGTH)
    with writer.block(f"for j in range(0, {TILE}, 4):"):
        loads = [f"load_4({writer.at(f'a{layer}', f'{begin} + j')})" for begin in columns]
        writer.line(f"d = ({', '.join(loads)})")
        for row, begin in enumerate(rows):
            loaded = f"load_4({writer.at(f'a{layer - 1}', f'{begin} + j')})"
            writer.line(f"g{layer}_{row} = dots(g{layer}_{row}, {loaded}, d)")
    if not in_registers:
        for row in range(outer.rows):
            place = writer.at(f"g{layer}", outer_place(writer, outer, row))
            writer.line(f"scatter({place}, {threads}, g{layer}_{row})")


def _write_first_gradient(writer: Writer) -> None:
    """Sum the first layer's gradients; its angles are computed once more."""
    first = writer.plan.first
    if first.passes == 1:
        _write_first_pass(writer, "")
        return
    with writer.block(f"for part in range({first.passes}):"):
        _write_first_pass(writer, f" + part * {first.threads_in * first.units}")


def _write_first_pass(writer: Writer, begin: str) -> None:
    plan, first = writer.plan, writer.plan.first
    sums, group = [f"c{unit}" for unit in range(first.units)], f"ti{first.groups}"
    for name in sums:
        writer.line(f"{name} = spread_{first.columns}(ZERO)")
    if plan.layers == 1:
        with writer.block(f"for o in range({plan.architecture.d_out}):"):
            writer.line(f"r = load_{first.columns}({writer.at('d', f'4 * {group} + o * {TILE}')})")
            for name, unit in zip(sums, _first_units(writer, begin, 1), strict=True):
                writer.line(f"{name} = fma({name}, r, {writer.get('wo', f'o * {plan.hidden[-1]} + {unit}')})")
    else:
        rows = _first_units(writer, begin, plan.hidden[1] + PAD)
        _write_back(writer, 2, sums, (first.columns, group), rows)
    for d in range(plan.architecture.d_in):
        writer.line(f"x{d}s = load_{first.columns}({writer.at('x', f'{d * TILE} + 4 * {group}')})")
    for number, at in enumerate(_first_units(writer, begin, 1)):
        _write_first_unit(writer, number, at, f"tq{first.groups} + {first.threads_in * number}{begin}")


def _first_units(writer: Writer, begin: str, length: int) -> list[str]:
    first, units = writer.plan.first, writer.plan.hidden[0]
    return strided(f"tq{first.groups}{begin}", first.units, first.threads_in, first.reach, units, length)


def _write_first_unit(writer: Writer, unit: int, at: str, unclamped: str) -> None:
    plan, first, units = writer.plan, writer.plan.first, writer.plan.hidden[0]
    d_in = plan.architecture.d_in
    writer.line(f"z = spread_{first.columns}({writer.get('w1', f'{d_in * units} + {at}')})")
    for d in range(d_in):
        writer.line(f"z = fma(z, x{d}s, {writer.get('w1', f'{d * units} + {at}')})")
    writer.line(f"e = times(c{unit}, cosines(z, om1))")
    added = [*(f"dot(ZERO, e, x{d}s)" for d in range(d_in)), "total(e)"]
    if first.passes == 1:
        for d, sum_of_tile in enumerate(added):
            writer.line(f"gf{d}_{unit} += {sum_of_tile}")
        return
    with writer.only_if(None if first.reach <= units else f"{unclamped} < {units}"):
        for d, sum_of_tile in enumerate(added):
            place = first_place(writer, d, at)
            writer.line(f"sum = {sum_of_tile}")
            with writer.block("if base > 0:"):
                writer.line(f"sum += {writer.get('p1', place)}")
            writer.put("p1", place, "sum")


def first_place(writer: Writer, d: int, unit: str) -> str:
    """Index of a partial sum of the first layer's gradient."""
    rows, units, groups = writer.plan.architecture.d_in + 1, writer.plan.hidden[0], writer.plan.first.groups
    return f"{d * units} + ti{groups} * {rows * units} + {unit}"
