"""Lines of Python with their indentation, and names for a plan's arrays in them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fusion.inr.cuda.tiling import FEW_OUTPUTS, TILE, UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fusion.inr.cuda.plan import Plan


class Writer:
    """Collects the lines of one kernel."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._lines: list[str] = []
        self._depth = 0

    def text(self) -> str:
        """Give the lines as one text."""
        return "\n".join(self._lines) + "\n"

    def line(self, text: str) -> None:
        """Write one line."""
        self._lines.append("    " * self._depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Indent what is written inside, below a line that ends in a colon."""
        self.line(head)
        self._depth += 1
        yield
        self._depth -= 1

    @contextmanager
    def only_if(self, condition: str | None) -> Iterator[None]:
        """Put what is written inside under a condition, where there is one."""
        if condition is None:
            yield
            return
        with self.block(f"if {condition}:"):
            yield

    def barrier(self) -> None:
        """Let all threads come to this line; what follows finds its indices from the thread's number again.

        A compiler that saw through the numbers would compute all addresses of a step beforehand and keep them, in
        registers that the sums need.
        """
        self.line("cuda.syncthreads()")
        self.line("t = opaque(t)")
        self.indices()

    def indices(self) -> None:
        """Write a thread's indices from its number `t`."""
        plan = self.plan
        self.line(f"i = t & {TILE - 1}")
        self.line(f"h = t >> {TILE.bit_length() - 1}")
        for groups in sorted({tile.groups for tile in plan.tiles} | {plan.first.groups}):
            self.line(f"ti{groups} = t & {groups - 1}")
            self.line(f"tq{groups} = t >> {groups.bit_length() - 1}")
        for across in sorted({tile.threads_out for tile in plan.outers}):
            self.line(f"tu{across} = t & {across - 1}")
            self.line(f"tk{across} = t >> {across.bit_length() - 1}")

    @contextmanager
    def spread(self, name: str, count: int, index: str = "t", step: int | None = None) -> Iterator[None]:
        """Go through `count` numbers by turns, a thread from its index on in steps of as many as there are threads."""
        step = step or self.plan.threads
        rounds = -(-count // step)
        with self.block(f"for turn in range({rounds}):"):
            self.line(f"{name} = turn * {step} + {index}")
            with self.only_if(None if rounds * step == count else f"{name} < {count}"):
                yield

    def at(self, name: str, index: str | int) -> str:
        """Array and index of an entry of a plan's array, as two arguments."""
        place = self.plan.places[name]
        base = f"{place.offset} + " if place.space == "sh" else f"wb + {place.offset} + "
        return f"{place.space}, {base}{index}"

    def get(self, name: str, index: str | int) -> str:
        """Write the load of a float."""
        return f"get({self.at(name, index)})"

    def put(self, name: str, index: str | int, value: str) -> None:
        """Write the store of a float."""
        self.line(f"put({self.at(name, index)}, {value})")

    def sums(self) -> dict[str, str]:
        """Names that a thread adds up in over a whole step, for gradients of kernels and biases, and their zeros."""
        plan = self.plan
        names: dict[str, str] = {}
        for layer, outer in enumerate(plan.outers, 2):
            if f"g{layer}" in plan.in_registers:
                names |= {f"g{layer}_{row}": f"spread_{outer.columns}(ZERO)" for row in range(outer.rows)}
        floats = []
        for layer, tile in enumerate(plan.tiles[1:], 2):
            if tile.passes == 1:
                floats += [f"gb{layer}_{unit}" for unit in range(UNITS)]
        d_in, d_out = plan.architecture.d_in, plan.architecture.d_out
        if plan.first.passes == 1:
            floats += [f"gf{d}_{unit}" for d in range(d_in + 1) for unit in range(plan.first.units)]
        vector = f"({', '.join(['ZERO'] * d_out)},)"
        names |= {"go": vector} if plan.gradient_parts else {}
        names |= {"gbo": vector if d_out <= FEW_OUTPUTS else "ZERO"}
        return names | dict.fromkeys(floats, "ZERO")
