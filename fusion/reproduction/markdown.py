"""Tables as Markdown, and the results page that holds them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from fusion.encoders.pool import available_workers

if TYPE_CHECKING:
    from fusion.reproduction.table import Check, Result, Table

_HEAD = """# Results

Measured beside claimed, for every table of Malherbe, "Implicit Neural Representation as vectorizer for classification
task applied to diverse data structures". This page is written by `functa reproduce NAME --data DIR --page
docs/results.md`; no figure is typed. Intervals are at 95 %: over people, films or recordings where the test rows have
such groups, over folds in a cross-validation. Seconds are of encoding and training together.
"""


def write_section(page: Path, table: Table) -> None:
    """Put a table on the page, in the place of an earlier one of the same name."""
    text = page.read_text(encoding="utf-8") if page.exists() else _HEAD
    section = f"<!-- {table.name} -->\n{section_of(table)}\n<!-- end {table.name} -->\n"
    pattern = re.compile(rf"<!-- {re.escape(table.name)} -->\n.*?<!-- end {re.escape(table.name)} -->\n", re.DOTALL)
    found = pattern.search(text)
    text = text[: found.start()] + section + text[found.end() :] if found else f"{text}\n{section}"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")


def section_of(table: Table) -> str:
    """Give a table as Markdown: rows, audit, pictures and the command that made it."""
    lines = [
        f"## {_text(table.title)}",
        "",
        f"Protocol: {_text(table.protocol)}. {_text(table.differs)}" + ("" if table.differs.endswith(".") else "."),
        "",
        f"`{table.command}` ({_seconds(table.seconds)} on {available_workers()} cores)",
        "",
        "| model | accuracy | 95 % interval | paper | PSNR, dB | paper, dB | rows | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_row(result) for result in table.results),
    ]
    notes = [f"- {_text(result.model)}: {_text(result.note)}" for result in table.results if result.note]
    if notes:
        lines += ["", *notes]
    for caption, name in table.pictures.items():
        lines += ["", f"![{_text(caption)}](images/{name})"]
    if table.audit:
        lines += ["", "Could the labels have reached the figures by another way than the data?", ""]
        lines += ["| question | found | |", "| --- | --- | --- |", *(_check(check) for check in table.audit)]
    return "\n".join(lines) + "\n"


def _row(result: Result) -> str:
    interval = "" if result.interval is None else f"{result.interval[0]:.3f} to {result.interval[1]:.3f}"
    cells = [
        _text(result.model),
        f"{result.measured:.3f}",
        interval,
        _number(result.paper, 3),
        _number(result.psnr, 1),
        _number(result.paper_psnr, 1),
        f"{result.rows_train:,} / {result.rows_test:,}",
        f"{result.seconds:,.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def _check(check: Check) -> str:
    verdict = {True: "ok", False: "**failed**", None: ""}[check.passed]
    return f"| {_text(check.question)} | {_text(check.found)} | {verdict} |"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _text(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
