"""A table of made-up results, as a reproduction gives it."""

from __future__ import annotations

from fusion.reproduction.study import Study
from fusion.reproduction.table import Check, Result, Table


def made_table(study: Study | None = None, *, name: str = "made", measured: float = 0.5) -> Table:
    rows = (
        Result("a | b <c>", measured, (0.25, 0.75), 0.6, 21.04, 3.2, 1200, 300, note="of | note"),
        Result("other", 0.1, None, None, None, 1.0, 10, 5),
    )
    checks = (Check("leak?", "none | found", True, {}), Check("shuffled", "above chance", False, {}))
    extra = {} if study is None else {"folder": str(study.folder)}
    return Table(name, "Title", "split", "Nothing but all", rows, checks, "functa reproduce made", {}, extra)
