"""Text of a step's end: gradients summed over threads, and every weight moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusion.inr.cuda.backward import (
    first_place,
    outer_column,
    outer_passes,
    outer_place,
    outer_row,
    write_output_indices,
)
from fusion.inr.cuda.tiling import FEW_OUTPUTS, PAD, TILE, UNITS

if TYPE_CHECKING:
    from fusion.inr.cuda.tiling import OuterTile
    from fusion.inr.cuda.writer import Writer


def write_update(writer: Writer) -> None:
    """Write the update; sums of single threads meet where the activations were."""
    plan = writer.plan
    writer.line("rate = get(rates, step)")
    _write_partial_sums(writer)
    for layer in range(2, plan.layers + 1):
        _write_kernel(writer, layer)
    writer.barrier()
    _write_first(writer)
    for layer in range(2, plan.layers + 1):
        _write_bias(writer, layer)
    _write_output(writer)
    _write_output_bias(writer)
    writer.barrier()


def _write_partial_sums(writer: Writer) -> None:
    plan = writer.plan
    d_in, d_out, first = plan.architecture.d_in, plan.architecture.d_out, plan.first
    if first.passes == 1:
        for unit in range(first.units):
            index = f"tq{first.groups} + {first.threads_in * unit}"
            with writer.only_if(None if first.reach <= plan.hidden[0] else f"{index} < {plan.hidden[0]}"):
                for d in range(d_in + 1):
                    writer.put("a1", first_place(writer, d, index), f"gf{d}_{unit}")
    for layer, tile in enumerate(plan.tiles[1:], 2):
        if tile.passes > 1:
            continue
        with writer.only_if(None if tile.pieces == plan.threads else f"t < {tile.pieces}"):
            for unit in range(UNITS):
                index = f"{unit} + ti{tile.groups} * {tile.units} + 4 * tq{tile.groups}"
                writer.put(f"a{layer}", index, f"gb{layer}_{unit}")
    if plan.gradient_parts:
        write_output_indices(writer)
        with writer.only_if(
            None if plan.gradient_parts * plan.hidden[-1] == plan.threads else f"hu < {plan.gradient_parts}"
        ):
            index = f"{_output_scratch(writer)} + hu * {d_out * plan.hidden[-1]} + iu"
            writer.line(f"scatter({writer.at(f'a{plan.layers}', index)}, {plan.hidden[-1]}, go)")
    if d_out <= FEW_OUTPUTS:
        with writer.block("if h == 0:"):
            writer.line(f"scatter({writer.at('d', 'i')}, {TILE}, gbo)")


def _output_scratch(writer: Writer) -> int:
    """Where partial sums of the output kernel's gradient begin, behind those of the last layer's bias."""
    plan = writer.plan
    rows = plan.tiles[-1].groups if plan.layers > 1 else plan.first_rows
    return rows * plan.hidden[-1]


def _write_move(writer: Writer, array: str, place: str, moments: tuple[str, str], weight: str, gradient: str) -> None:
    """Move one weight: `weight` is its index in the weight vector, for plain steps."""
    if writer.plan.kind.job == "plain":
        writer.line(f"theta = {writer.get(array, place)} - rate * get(sizes, {weight}) * ({gradient})")
    else:
        name, index = moments
        m, v = writer.at(f"m_{name}", index), writer.at(f"v_{name}", index)
        writer.line(f"theta = adam({m}, {v}, {writer.get(array, place)}, {gradient}, rate)")
    writer.put(array, place, "theta")


def _write_kernel(writer: Writer, layer: int) -> None:
    outer = writer.plan.outers[layer - 2]
    with outer_passes(writer, outer):
        _write_kernel_pass(writer, layer, outer)


def _write_kernel_pass(writer: Writer, layer: int, outer: OuterTile) -> None:
    plan = writer.plan
    fan_in, fan_out = plan.architecture.layers[layer - 1]
    offset, width = plan.architecture.layout[2 * layer - 2][2], plan.hidden[layer - 1] + PAD
    # Padding has no gradient, so it may be moved too; but it has no rate of its own, and lies outside past the last.
    limit_in, limit_out = (fan_in, fan_out) if plan.kind.job == "plain" else (outer.fan_in, outer.fan_out)
    writer.line(f"at = ({outer_row(outer)}) * {width} + {outer_column(outer)}")
    writer.line(f"weight = {offset} + ({outer_row(outer)}) * {fan_out} + {outer_column(outer)}")
    for row in range(outer.rows):
        down, place = outer.threads_in * row, outer_place(writer, outer, row)
        slopes = f"g{layer}_{row}"
        with writer.only_if(f"{outer_row(outer)} + {down} < {limit_in}" if limit_in < outer.reach_in else None):
            if slopes not in writer.sums():
                writer.line(f"{slopes} = gather_{outer.columns}({writer.at(f'g{layer}', place)}, {plan.threads})")
            if plan.kind.job == "adam" and limit_out >= outer.reach_out:
                moments = f"{writer.at(f'm_{layer}', place)}, {writer.at(f'v_{layer}', place)}, {plan.threads}"
                weights = f"{writer.at(f'w{layer}', f'at + {down * width}')}, {outer.threads_out}"
                writer.line(f"adams({moments}, {weights}, {slopes}, rate)")
                continue
            for column in range(outer.columns):
                across = outer.threads_out * column
                condition = f"{outer_column(outer)} + {across} < {limit_out}"
                with writer.only_if(condition if limit_out < outer.reach_out else None):
                    _write_move(
                        writer,
                        f"w{layer}",
                        f"at + {down * width + across}",
                        (str(layer), f"{place} + {column * plan.threads}"),
                        f"weight + {down * fan_out + across}",
                        f"{slopes}[{column}]",
                    )


def _write_first(writer: Writer) -> None:
    plan = writer.plan
    d_in, units, width = plan.architecture.d_in, plan.hidden[0], plan.architecture.hidden[0]
    source = "a1" if plan.first.passes == 1 else "p1"
    with writer.spread("q", (d_in + 1) * units):
        writer.line("sum = ZERO")
        with writer.block(f"for r in range({plan.first.groups}):"):
            writer.line(f"sum += {writer.get(source, f'r * {(d_in + 1) * units} + q')}")
        weight = f"q // {units} * {width} + q % {units}"
        with writer.only_if(f"q % {units} < {width}" if units > width and plan.kind.job == "plain" else None):
            _write_move(writer, "w1", "q", ("first", "q"), weight, "sum * om1")


def _write_bias(writer: Writer, layer: int) -> None:
    plan, tile = writer.plan, writer.plan.tiles[layer - 1]
    source = f"a{layer}" if tile.passes == 1 else f"p{layer}"
    offset, width = plan.architecture.layout[2 * layer - 1][2], plan.architecture.hidden[layer - 1]
    with writer.spread("q", tile.units):
        writer.line("sum = ZERO")
        with writer.block(f"for r in range({tile.groups}):"):
            writer.line(f"sum += {writer.get(source, f'r * {tile.units} + q')}")
        with writer.only_if(f"q < {width}" if tile.units > width and plan.kind.job == "plain" else None):
            _write_move(writer, f"b{layer}", "q", (f"bias{layer}", "q"), f"{offset} + q", "sum")


def _write_output(writer: Writer) -> None:
    plan = writer.plan
    d_out, last, width = plan.architecture.d_out, plan.hidden[-1], plan.architecture.hidden[-1]
    offset = plan.architecture.layout[-2][2]
    with writer.spread("q", d_out * last):
        if plan.gradient_parts:
            scratch = _output_scratch(writer)
            terms = [
                writer.get(f"a{plan.layers}", f"{scratch + part * d_out * last} + q")
                for part in range(plan.gradient_parts)
            ]
            writer.line(f"sum = {' + '.join(terms)}")
        else:
            writer.line(f"sum = {writer.get('go', 'q')}")
        weight = f"{offset} + q % {last} * {d_out} + q // {last}"
        with writer.only_if(f"q % {last} < {width}" if last > width and plan.kind.job == "plain" else None):
            _write_move(writer, "wo", "q", ("out", "q"), weight, "sum")


def _write_output_bias(writer: Writer) -> None:
    plan = writer.plan
    d_out, offset = plan.architecture.d_out, plan.architecture.layout[-1][2]
    with writer.block(f"if t < {d_out}:"):
        if d_out <= FEW_OUTPUTS:
            writer.line("z = spread_4(ZERO)")
            with writer.block(f"for r in range(0, {TILE}, 4):"):
                writer.line(f"z = fma(z, load_4({writer.at('d', f't * {TILE} + r')}), ONE)")
            writer.line("slope = total(z)")
        else:
            writer.line("slope = gbo")
        _write_move(writer, "bo", "t", ("bout", "t"), f"{offset} + t", "slope")
