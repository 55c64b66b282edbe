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
such groups, over folds in a cross-validation. Seconds are of encoding and training together. First the rows that the
paper claims something of; then each table whole.
"""

_SUMMARY = "summary"
_SECTION = re.compile(r"<!-- (?P<name>[a-z0-9-]+) -->\n(?P<content>## .*?)<!-- end (?P=name) -->\n", re.DOTALL)
_CELLS = re.compile(r"(?<!\\) \| ?")
_NUMBER = re.compile(r"\d\.\d+")
_COLUMNS = 8


def write_section(page: Path, table: Table) -> None:
    """Put a table on the page, in the place of an earlier one of the same name, and its claimed rows in the summary."""
    text = page.read_text(encoding="utf-8") if page.exists() else f"{_HEAD}\n{_marked(_SUMMARY, '')}"
    text = _replaced(text, table.name, section_of(table))
    text = _replaced(text, _SUMMARY, _summary(text), only=True)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")


def _replaced(text: str, name: str, content: str, *, only: bool = False) -> str:
    """Replace what stands between the marks of a name; without them append it, unless it should only replace."""
    found = _between(name).search(text)
    if found:
        return text[: found.start()] + _marked(name, content) + text[found.end() :]
    return text if only else f"{text}\n{_marked(name, content)}"


def _between(name: str) -> re.Pattern[str]:
    return re.compile(rf"<!-- {re.escape(name)} -->\n.*?<!-- end {re.escape(name)} -->\n", re.DOTALL)


def _marked(name: str, content: str) -> str:
    return f"<!-- {name} -->\n{content}\n<!-- end {name} -->\n"


def _summary(text: str) -> str:
    """Give the rows of every table on the page that the paper claims something of."""
    lines = ["| table | model | paper | measured | 95 % interval |", "| --- | --- | --- | --- | --- |"]
    for section in _SECTION.finditer(text):
        title, _, rest = section["content"].partition("\n")
        rows = [_CELLS.split(line.strip("| ")) for line in rest.splitlines() if line.startswith("| ")]
        if "(paper" in title:
            lines += [
                f"| {title.strip('# ')} | {row[0]} | {row[3]} | {row[1]} | {row[2]} |"
                for row in rows
                if len(row) == _COLUMNS and _NUMBER.fullmatch(row[3])
            ]
    return "\n".join(lines) + "\n"


def section_of(table: Table) -> str:
    """Give a table as Markdown: rows, audit, pictures and the command that made it."""
    lines = [
        f"## {_text(table.title)}",
        "",
        *_ahead(table),
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


def _ahead(table: Table) -> list[str]:
    """Say first of all where a control wins."""
    if table.ahead is None:
        return []
    control, functa = table.ahead
    found = f"{control.measured:.3f}, the best row of functas ({_text(functa.model)}) {functa.measured:.3f}"
    return [f"**A control is ahead: {_text(control.model)} reaches {found}.**", ""]


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
