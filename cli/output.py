"""Print results: one JSON document or a table on stdout, progress on stderr."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.logs import record
from fusion.progress import progress_bar as progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INTEGRITY, FAILED_SAMPLES = 3, 4
"""Exit codes of a command that did its work and found damage, or samples that failed."""

DeviceOption = Annotated[
    str,
    typer.Option(help="auto, cpu, cuda, cuda:1.", metavar="NAME", rich_help_panel="Run"),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.", rich_help_panel="Run")]
SeedOption = Annotated[int, typer.Option(min=0, metavar="N", help="Of everything drawn and learned.")]


def say(message: str) -> None:
    """Write one line about what went wrong to stderr."""
    line = " ".join(message.split())
    sys.stderr.write(f"functa: {line}\n")
    record(line)


def print_json(document: Mapping[str, Any]) -> None:
    """Write one JSON document to stdout; NaN and infinity, which JSON lacks, become null."""
    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(json.dumps(_finite(document), indent=2, ensure_ascii=plain) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table to stdout; all but the first column are aligned right."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=any(columns))
    for index, column in enumerate(columns):
        table.add_column(Text(column), justify="left" if index == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(cell)) for cell in row))
    _print_titled(title, table)


def shortened(text: str, most: int) -> str:
    """Cut the middle out of a long text: of a path begin and end tell which it is."""
    if len(text) <= most:
        return text
    end = (most - 3) * 2 // 3
    return f"{text[: most - 3 - end]}...{text[-end:]}"


def print_facts(title: str, facts: Mapping[str, object]) -> None:
    """Write names and values as a table of two columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False)
    for name, value in facts.items():
        table.add_row(Text(name), Text(_cell(value)))
    _print_titled(title, table)


def _print_titled(title: str, table: object) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    console.print(Text(title, style="bold"))
    console.print(table)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "" if value is None else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
