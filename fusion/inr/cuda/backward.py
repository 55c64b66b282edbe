"""Text of the way back over one tile of coordinates: gradients of the activations, and sums of those of the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusion.inr.cuda.forward import columns_of, pieces, slope_place
from fusion.inr.cuda.plan import FEW_OUTPUTS, PAD, TILE, UNITS
from fusion.inr.cuda.writer import clamped, outer_names

if TYPE_CHECKING:
    from fusion.inr.cuda.plan import OuterTile
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
        with writer.block(f"if t < {d_out}:"):
            with writer.block(f"for j in range(0, {TILE}, 4):"):
                writer.load(["r0", "r1", "r2", "r3"], "d", f"t * {TILE} + j")
                writer.line("gbo += (r0 + r1) + (r2 + r3)")
    if not parts:
        _write_output_gradient_in_memory(writer)
        return
    share = TILE // parts
    write_output_indices(writer)
    with writer.only_if(None if parts * last == plan.threads else f"hu < {parts}"):
        with writer.block(f"for j in range(0, {share}, 4):"):
            writer.load(["r0", "r1", "r2", "r3"], f"a{plan.layers}", f"iu * {_LENGTH} + hu * {share} + j")
            for o in range(d_out):
                writer.load(["w0", "w1", "w2", "w3"], "d", f"{o * TILE} + hu * {share} + j")
                writer.line(f"go_{o} += r0 * w0 + r1 * w1 + r2 * w2 + r3 * w3")


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
        writer.line("total = ZERO")
        with writer.block("if base > 0:"):
            writer.line(f"total = {writer.get('go', 'q')}")
        with writer.block(f"for j in range(0, {TILE}, 4):"):
            writer.load(["r0", "r1", "r2", "r3"], f"a{plan.layers}", f"u * {_LENGTH} + j")
            writer.load(["w0", "w1", "w2", "w3"], "d", f"o * {TILE} + j")
            writer.line("total += r0 * w0 + r1 * w1 + r2 * w2 + r3 * w3")
        writer.put("go", "q", "total")


def _write_layer_gradient(writer: Writer, layer: int) -> None:
    """Put the gradient of a layer's angles, without its frequency, where its activations are."""
    plan = writer.plan
    tile = plan.tiles[layer - 1]
    with pieces(writer, tile) as (group, units):
        names = [[f"c{unit}_{column}" for column in range(tile.columns)] for unit in range(UNITS)]
        for name in (name for row in names for name in row):
            writer.line(f"{name} = ZERO")
        if layer == plan.layers:
            _write_back_from_output(writer, names, columns_of(tile.columns, group), f"4 * {units}")
        else:
            width = plan.hidden[layer] + PAD
            rows = [f"{unit * width} + {units} * {UNITS * width}" for unit in range(UNITS)]
            _write_back_from_hidden(writer, layer + 1, names, columns_of(tile.columns, group), rows)
        for unit in range(UNITS):
            _write_times_slope(writer, layer, unit, group, units)


def _write_back_from_output(writer: Writer, names: list[list[str]], begins: list[str], units: str) -> None:
    last = writer.plan.hidden[-1]
    with writer.block(f"for o in range({writer.plan.architecture.d_out}):"):
        for quarter, begin in enumerate(begins):
            writer.load([f"r{4 * quarter + column}" for column in range(4)], "d", f"{begin} + o * {TILE}")
        writer.load([f"w{unit}" for unit in range(UNITS)], "wo", f"o * {last} + {units}")
        for unit, row in enumerate(names):
            for column, name in enumerate(row):
                writer.line(f"{name} += r{column} * w{unit}")


def _write_back_from_hidden(
    writer: Writer, layer: int, names: list[list[str]], begins: list[str], rows: list[str]
) -> None:
    """Multiply the gradient of `layer` with rows of its kernel."""
    with writer.block(f"for u in range(0, {writer.plan.hidden[layer - 1]}, {UNITS}):"):
        for depth in range(UNITS):
            for quarter, begin in enumerate(begins):
                loaded = [f"r{depth}_{4 * quarter + column}" for column in range(4)]
                writer.load(loaded, f"a{layer}", f"{depth * _LENGTH} + {begin} + u * {_LENGTH}")
        for row, sums in zip(rows, names, strict=True):
            writer.load([f"w{depth}" for depth in range(UNITS)], f"w{layer}", f"{row} + u")
            for depth in range(UNITS):
                for column, name in enumerate(sums):
                    writer.line(f"{name} += r{depth}_{column} * w{depth}")


def _write_times_slope(writer: Writer, layer: int, unit: int, group: str, units: str) -> None:
    plan, tile = writer.plan, writer.plan.tiles[layer - 1]
    for column in range(tile.columns):
        slope = f"s{layer}_{unit}_{column}"
        if f"s{layer}" not in plan.in_registers:
            slope = writer.get(f"s{layer}", slope_place(writer, layer, unit, column))
        writer.line(f"r{column} = c{unit}_{column} * {slope} * om{layer}")
    total = " + ".join(f"r{column}" for column in range(tile.columns))
    if tile.passes == 1:
        writer.line(f"gb{layer}_{unit} += {total}")
    else:
        index = f"{group} * {tile.units} + 4 * {units} + {unit}"
        writer.line(f"total = {total}")
        with writer.block("if base > 0:"):
            writer.line(f"total += {writer.get(f'p{layer}', index)}")
        writer.put(f"p{layer}", index, "total")
    for quarter, begin in enumerate(columns_of(tile.columns, group)):
        values = [f"r{4 * quarter + column}" for column in range(4)]
        writer.store(f"a{layer}", f"{unit * _LENGTH} + {begin} + {units} * {UNITS * _LENGTH}", values)


def _write_outer(writer: Writer, layer: int) -> None:
    """Add a kernel's gradient: activations of the layer before times the gradient of this one."""
    outer = writer.plan.outers[layer - 2]
    if outer.passes == 1:
        _write_outer_pass(writer, layer, outer)
        return
    with writer.block(f"for pass_in in range({outer.passes_in}):"):
        with writer.block(f"for pass_out in range({outer.passes_out}):"):
            _write_outer_pass(writer, layer, outer)


def outer_lines(index: str, count: int, step: int, reach: int, limit: int, length: int) -> list[str]:
    """Write where each of a thread's strided rows begins: one product and constants, unless some lie outside."""
    if reach <= limit:
        return [f"({index}) * {length} + {number * step * length}" for number in range(count)]
    return [f"{clamped(f'{index} + {number * step}', limit, reach)} * {length}" for number in range(count)]


def outer_row(outer: OuterTile) -> str:
    """First row of a kernel that a thread sums in a pass."""
    begin = "" if outer.passes_in == 1 else f" + pass_in * {outer.threads_in * outer.rows}"
    return f"tk{outer.threads_out}{begin}"


def outer_column(outer: OuterTile) -> str:
    """First column of a kernel that a thread sums in a pass."""
    begin = "" if outer.passes_out == 1 else f" + pass_out * {outer.threads_out * outer.columns}"
    return f"tu{outer.threads_out}{begin}"


def outer_place(writer: Writer, outer: OuterTile, entry: int) -> str:
    """Index of a thread's entry of a kernel's gradient, or of a moment, in memory."""
    begin = f"{entry * writer.plan.threads} + t"
    if outer.passes == 1:
        return begin
    return f"{begin} + (pass_in * {outer.passes_out} + pass_out) * {outer.entries * writer.plan.threads}"


def _write_outer_pass(writer: Writer, layer: int, outer: OuterTile) -> None:
    names = outer_names(layer, outer.rows, outer.columns)
    in_registers = f"g{layer}" in writer.plan.in_registers
    if not in_registers:
        for name in names:
            writer.line(f"{name} = ZERO")
        with writer.block("if base > 0:"):
            for entry, name in enumerate(names):
                writer.line(f"{name} = {writer.get(f'g{layer}', outer_place(writer, outer, entry))}")
    rows = outer_lines(outer_row(outer), outer.rows, outer.threads_in, outer.reach_in, outer.fan_in, _LENGTH)
    columns = outer_lines(
        outer_column(outer), outer.columns, outer.threads_out, outer.reach_out, outer.fan_out, _LENGTH
    )
    with writer.block(f"for j in range(0, {TILE}, 4):"):
        for column in range(outer.columns):
            writer.load([f"d{column}_{part}" for part in range(4)], f"a{layer}", f"{columns[column]} + j")
        for row in range(outer.rows):
            writer.load([f"r{part}" for part in range(4)], f"a{layer - 1}", f"{rows[row]} + j")
            for part in range(4):
                for column in range(outer.columns):
                    writer.line(f"{names[row * outer.columns + column]} += r{part} * d{column}_{part}")
    if not in_registers:
        for entry, name in enumerate(names):
            writer.put(f"g{layer}", outer_place(writer, outer, entry), name)


def _write_first_gradient(writer: Writer) -> None:
    """Sum the first layer's gradients; its angles are computed once more."""
    plan, first = writer.plan, writer.plan.first
    if first.passes == 1:
        _write_first_pass(writer, "")
        return
    with writer.block(f"for part in range({first.passes}):"):
        _write_first_pass(writer, f" + part * {first.threads_in * first.units}")


def _write_first_pass(writer: Writer, begin: str) -> None:
    plan, first = writer.plan, writer.plan.first
    d_in, reach = plan.architecture.d_in, first.passes * first.threads_in * first.units
    begins = columns_of(first.columns, f"ti{first.groups}")
    names = [[f"c{unit}_{column}" for column in range(first.columns)] for unit in range(first.units)]
    for name in (name for row in names for name in row):
        writer.line(f"{name} = ZERO")
    if plan.layers == 1:
        _write_first_from_output(writer, names, begins, _first_lines(writer, begin, 1))
    else:
        _write_back_from_hidden(writer, 2, names, begins, _first_lines(writer, begin, plan.hidden[1] + PAD))
    for d in range(d_in):
        for quarter, at in enumerate(begins):
            writer.load([f"x{d}_{4 * quarter + column}" for column in range(4)], "x", f"{d * TILE} + {at}")
    for unit in range(first.units):
        _write_first_unit(writer, unit, begin, reach)


def _first_lines(writer: Writer, begin: str, length: int) -> list[str]:
    first, units = writer.plan.first, writer.plan.hidden[0]
    reach = first.passes * first.threads_in * first.units
    return outer_lines(f"tq{first.groups}{begin}", first.units, first.threads_in, reach, units, length)


def _write_first_from_output(
    writer: Writer, names: list[list[str]], begins: list[str], units: list[str]
) -> None:
    with writer.block(f"for o in range({writer.plan.architecture.d_out}):"):
        for quarter, begin in enumerate(begins):
            writer.load([f"r{4 * quarter + column}" for column in range(4)], "d", f"{begin} + o * {TILE}")
        for row, unit in zip(names, units, strict=True):
            writer.line(f"w = {writer.get('wo', f'o * {writer.plan.hidden[-1]} + {unit}')}")
            for column, name in enumerate(row):
                writer.line(f"{name} += r{column} * w")


def _write_first_unit(writer: Writer, unit: int, begin: str, reach: int) -> None:
    plan, first, units = writer.plan, writer.plan.first, writer.plan.hidden[0]
    d_in, at = plan.architecture.d_in, _first_lines(writer, begin, 1)[unit]
    for d in range(d_in + 1):
        writer.line(f"w{d} = {writer.get('w1', f'{d * units} + {at}')}")
    sums = [f"gf{d}_{unit}" for d in range(d_in + 1)]
    if first.passes > 1:
        for name in sums:
            writer.line(f"{name} = ZERO")
    for column in range(first.columns):
        angle = " + ".join([f"w{d_in}", *(f"x{d}_{column} * w{d}" for d in range(d_in))])
        writer.line(f"e = c{unit}_{column} * cosine(om1 * ({angle}))")
        writer.line(f"{sums[d_in]} += e")
        for d in range(d_in):
            writer.line(f"{sums[d]} += e * x{d}_{column}")
    if first.passes == 1:
        return
    index = f"tq{first.groups} + {first.threads_in * unit}{begin}"
    with writer.only_if(None if reach <= units else f"{index} < {units}"):
        for d, name in enumerate(sums):
            place = first_place(writer, d, at)
            with writer.block("if base > 0:"):
                writer.line(f"{name} += {writer.get('p1', place)}")
            writer.put("p1", place, name)


def first_place(writer: Writer, d: int, unit: str) -> str:
    """Index of a partial sum of the first layer's gradient."""
    rows, units, groups = writer.plan.architecture.d_in + 1, writer.plan.hidden[0], writer.plan.first.groups
    return f"{d * units} + ti{groups} * {rows * units} + {unit}"
