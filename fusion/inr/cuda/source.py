"""The kernel of one architecture, as the text of a Python function that Numba compiles.

Everything a thread keeps is a name of its own in that text, so that it stays in a register: arrays of a thread do so
only where each loop over them is unrolled. Rows are units and columns are coordinates, in tiles of 64 columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusion.inr.cuda.backward import write_backward
from fusion.inr.cuda.forward import write_forward
from fusion.inr.cuda.tiling import PAD, TILE
from fusion.inr.cuda.update import write_update
from fusion.inr.cuda.writer import Writer

if TYPE_CHECKING:
    from fusion.inr.cuda.plan import Plan

NAME = "fit_networks"
POINTERS = ("weights", "mse", "taken", "outputs", "ws", "start", "grid", "values", "rates", "sizes", "rows")
INTEGERS = ("start_stride", "samples", "coordinates", "points", "steps")
"""Parameters of a kernel: pointers, then integers, then the PSNR target's error and the frequencies as float32."""


def kernel_source(plan: Plan) -> str:
    """Write the kernel.

    Its blocks take samples in turn, each from its start to its last step. Memory behind the pointers:
    ``weights`` (b, k), ``mse`` and ``taken`` (b,) and ``outputs`` (b, n, d_out) are written; ``ws`` is scratch;
    ``start`` (k,), or (b, k) with a stride of k; ``grid`` (n, d_in); ``values`` (b, n, d_out); ``rates`` (steps,);
    ``sizes`` (k,); ``rows`` (steps, points) int32.
    """
    writer = Writer(plan)
    omegas = [f"om{layer}" for layer in range(1, plan.layers + 1)]
    with writer.block(f"def {NAME}({', '.join([*POINTERS, *INTEGERS, 'target', *omegas])}):"):
        _write_indices(writer)
        with writer.block("while s < samples:"):
            _write_load(writer)
            if plan.kind.job == "decode":
                with writer.block(f"for base in range(0, coordinates, {TILE}):"):
                    write_forward(writer)
            else:
                _write_fit(writer)
                _write_store(writer)
            writer.barrier()
            writer.line("s += cuda.gridDim.x")
    return writer.text()


def _write_indices(writer: Writer) -> None:
    plan = writer.plan
    writer.line("sh = cuda.shared.array(0, float32)")
    writer.line("t = opaque(cuda.threadIdx.x)")
    writer.line(f"wb = cuda.blockIdx.x * {plan.workspace // 4}")
    writer.line("s = cuda.blockIdx.x + 0")
    writer.indices()


def _write_fit(writer: Writer) -> None:
    plan = writer.plan
    writer.line("step = 0")
    writer.line("learn = steps > 0")
    writer.line("running = True")
    with writer.block("while running:"):
        if plan.kind.subsets:
            writer.line("count = points if learn else coordinates")
        else:
            writer.line("count = coordinates")
        writer.line(f"scale = F(2.0) / F(count * {plan.architecture.d_out})")
        writer.line("squares = ZERO")
        for name, zero in writer.sums().items():
            writer.line(f"{name} = {zero}")
        with writer.block(f"for base in range(0, count, {TILE}):"):
            write_forward(writer)
            with writer.block("if learn:"):
                write_backward(writer)
            writer.barrier()
        with writer.block("if target >= ZERO or not learn:"):
            _write_error(writer)
        with writer.block("if not learn:"):
            writer.line("running = False")
        with writer.block("elif target >= ZERO and not error > target:"):
            # With subsets the error so far is not the one over all coordinates.
            writer.line("learn = False" if plan.kind.subsets else "running = False")
        with writer.block("else:"):
            write_update(writer)
            writer.line("step += 1")
            writer.line("learn = step < steps")


def _write_error(writer: Writer) -> None:
    with writer.block("if h == 0:"):
        writer.put("x", "i", "squares")
    writer.barrier()
    writer.line("sum = F64(0.0)")
    with writer.block(f"for q in range({TILE}):"):
        writer.line(f"sum += F64({writer.get('x', 'q')})")
    writer.line(f"error = F(sum / F64(count * {writer.plan.architecture.d_out}))")
    writer.barrier()


def _kernels(writer: Writer) -> list[tuple[str, int, int, int, int, int, str]]:
    """Name, offset, fan in and out, padded fan in and out, and where entry (row, column) lies, of each array."""
    architecture, hidden = writer.plan.architecture, writer.plan.hidden
    offsets = [offset for _, _, offset in architecture.layout]
    listed = []
    for layer, (fan_in, fan_out) in enumerate(architecture.layers, 1):
        kernel, bias = offsets[2 * layer - 2], offsets[2 * layer - 1]
        if layer == 1:
            listed.append(("w1", kernel, fan_in + 1, fan_out, fan_in + 1, hidden[0], f"row * {hidden[0]} + column"))
            continue
        before = hidden[layer - 2]
        if layer > writer.plan.layers:
            listed.append(("wo", kernel, fan_in, fan_out, before, fan_out, f"column * {before} + row"))
            listed.append(("bo", bias, 1, fan_out, 1, fan_out, "column"))
            continue
        after = hidden[layer - 1]
        listed.append((f"w{layer}", kernel, fan_in, fan_out, before, after, f"row * {after + PAD} + column"))
        listed.append((f"b{layer}", bias, 1, fan_out, 1, after, "column"))
    return listed


def _write_load(writer: Writer) -> None:
    plan = writer.plan
    for name, offset, rows, columns, padded_rows, padded_columns, at in _kernels(writer):
        with writer.spread("q", padded_rows * padded_columns):
            writer.line(f"row = q // {padded_columns}")
            writer.line(f"column = q % {padded_columns}")
            writer.line("value = ZERO")
            with writer.block(f"if row < {rows} and column < {columns}:"):
                writer.line(f"value = get(start, s * start_stride + {offset} + row * {columns} + column)")
            writer.put(name, at, "value")
    for name in plan.places:
        if name.startswith(("m_", "v_")):
            with writer.spread("q", plan.lengths[name]):
                writer.put(name, "q", "ZERO")
    writer.barrier()


def _write_store(writer: Writer) -> None:
    plan = writer.plan
    for name, offset, rows, columns, _, _, at in _kernels(writer):
        with writer.spread("q", rows * columns):
            writer.line(f"row = q // {columns}")
            writer.line(f"column = q % {columns}")
            writer.line(f"put(weights, s * {plan.architecture.size} + {offset} + q, {writer.get(name, at)})")
    with writer.block("if t == 0:"):
        writer.line("put(mse, s, error)")
        writer.line("put_int(taken, s, step)")
