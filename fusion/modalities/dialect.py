"""How a text file writes a table: what stands between its fields, its decimal mark, its line of names."""

from __future__ import annotations

import csv
import re
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from fusion.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""Between fields, with their names; the first of those that fit is taken."""

NAMELESS = "Unnamed: "
"""Begins the name that a column without one is given, followed by its place from 0."""

MISSING_NUMBERS = {
    *("#N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"),
    *("N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
}
"""What stands for a missing number; among names each of them is a name."""

_LINES, _MOST_COMMENTS, _MANY = 50, 1000, 3
_COMMENT = ("#", "%", "//")
_ROLES = {"id", "path", "label", "group", "split", "time"}
_EXCEL = re.compile(r"(?i)sep=.")
_WHOLE_NUMBER = re.compile(r"[+-]?\d+")
_NUMBERS = {mark: re.compile(rf"[+-]?\d*{re.escape(mark)}\d*(?:[eE][+-]?\d+)?") for mark in ".,"}
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")
_WIDE = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(frozen=True)
class Dialect:
    """How a text file writes a table.

    Parameters
    ----------
    separator : str
        One character.
    decimal : {".", ","}
    names : tuple of str
        Of the columns, without blanks around them; empty where the first line holds numbers only.
    begin : int
        Lines before the first row.
    comments : int
        Lines of comments above the line of names.
    """

    separator: str
    decimal: str
    names: tuple[str, ...]
    begin: int
    comments: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know."""
        lines = "lines" if self.comments > 1 else "line"
        return (f"{self.comments} {lines} above the names skipped, as comments",) if self.comments else ()


def told_dialect(path: Path, separator: str | None = None, decimal: str | None = None) -> Dialect:
    """Look at the first lines of a text file.

    Parameters
    ----------
    path : Path
        In UTF-8. Lines above the names that begin with ``#``, ``%``, ``//`` or ``sep=`` are comments, but for one that
        holds the names itself.
    separator, decimal : str, optional
        As the user says; told from the file when not given: a separator that stands as often in every one of the
        first lines, and a comma where more columns of numbers have it than have a point.

    Raises
    ------
    DataError
        When it is no text in UTF-8, or empty.
    """
    comments = _comments(path)
    separator = separator or next((line[-1] for line in comments if _EXCEL.fullmatch(line)), None)
    heads = {mark: _head(path, mark, len(comments)) for mark in ((separator,) if separator else SEPARATORS)}
    # Where no mark stands as often in every line, the line of names decides, and the others are named.
    separator = max(heads, key=lambda mark: (_columns(heads[mark]), len(heads[mark][0][1]) if heads[mark] else 0))
    rows = heads[separator]
    if not rows:
        raise DataError(f"{path} is empty; expected a line of names, and rows")
    begin, first = rows[0]
    if comments and (named := _names_in_comment(comments[-1], separator, first)):
        decimal = decimal or _told_decimal([row for _, row in rows])
        return Dialect(separator, decimal, _names(named), len(comments), len(comments) - 1)
    headless = _holds_numbers(first)
    decimal = decimal or _told_decimal([row for _, row in rows[0 if headless else 1 :]])
    names = () if headless else _names(first)
    return Dialect(separator, decimal, names, begin - 1 if headless else begin, len(comments))


def _comments(path: Path) -> list[str]:
    """Give the lines of comments at the top, and the blank lines among them."""
    with named_as_text(path), path.open(encoding="utf-8-sig") as file:
        found = [line.strip() for line in takewhile(_is_comment, islice(file, _MOST_COMMENTS))]
    while found and not found[-1]:
        found.pop()
    return found


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(_COMMENT) or not line.strip() or _EXCEL.fullmatch(line.strip()) is not None


def _names_in_comment(line: str, separator: str, first: Sequence[str]) -> list[str]:
    """Give the names in a line such as ``# time,x,y`` above a row of as many cells, as NumPy writes it; else none."""
    bare = line.lstrip("#/ ")
    bare = bare[1:].strip() if bare.startswith("% ") else bare
    row = next(csv.reader([bare], delimiter=separator, skipinitialspace=True))
    cells = [cell.strip() for cell in row]
    if len(cells) != len(first) or not all(cells[1:]) or any(map(is_number, cells)):
        return []
    cells[0] = cells[0] or line[0]
    told, known = (_ROLES.isdisjoint(map(str.lower, names)) for names in (first, cells))
    return cells if any(map(is_number, first)) or (told and not known) else []


def _names(cells: Sequence[str]) -> tuple[str, ...]:
    # A table that was saved with its running number twice has that name already.
    taken = {place: f"{NAMELESS}{place}" for place, name in enumerate(cells) if not name}
    return tuple(
        name or (f"{taken[place]}.1" if taken[place] in cells else taken[place]) for place, name in enumerate(cells)
    )


def _told_decimal(rows: Sequence[Sequence[str]]) -> str:
    """Tell the mark that more columns have in all their numbers that are not whole; a point where they are as many."""
    columns = [
        [cell for cell in column if cell and not _WHOLE_NUMBER.fullmatch(cell)] for column in zip(*rows, strict=False)
    ]
    # 1,234 may be a thousand or one and a bit: it tells nothing.
    told = [
        next((mark for mark, number in _NUMBERS.items() if all(map(number.fullmatch, cells))), "")
        for cells in columns
        if cells and not all(map(_THOUSANDS.fullmatch, cells))
    ]
    return "," if told.count(",") > told.count(".") else "."


def _holds_numbers(cells: Sequence[str]) -> bool:
    """Tell a row of numbers from a line of names; pandas names columns of an array 0, 1, 2, after its index or not."""
    counted = [str(place) for place in range(len(cells))]
    named = [["", *counted[:-1]], *([counted] if len(cells) >= _MANY else [])]
    return any(cells) and all(is_number(cell) or not cell for cell in cells) and list(cells) not in named


def text_rows(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Give number of the last line and cells, without blanks around them, of each row below the names.

    Empty lines are no rows.

    Raises
    ------
    DataError
        When it is no text in UTF-8, or a quote is never closed.
    """
    with named_as_text(path), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(
            islice(file, dialect.begin, None), delimiter=dialect.separator, skipinitialspace=True, strict=True
        )
        for cells in reader:
            if cells:
                yield dialect.begin + reader.line_num, [cell.strip() for cell in cells]


@contextmanager
def named_as_text(path: Path) -> Iterator[None]:
    """Name a file that is no text in UTF-8, or no table."""
    try:
        yield
    except UnicodeDecodeError as error:
        with path.open("rb") as file:
            begin = file.read(2)
        found = f"is {_WIDE[begin]}" if begin in _WIDE else f"is no text in UTF-8: {error}"
        raise DataError(f"{path} {found}; expected CSV in UTF-8. Save it as such.") from error
    except csv.Error as error:
        raise DataError(f"{path} is no CSV in UTF-8: {error}") from error


def ragged_row(path: Path, dialect: Dialect) -> str | None:
    """Say which row has more or fewer fields than there are names; None when none has."""
    for line, cells in text_rows(path, dialect):
        if len(cells) != len(dialect.names):
            mark = SEPARATORS.get(dialect.separator, "separator")
            advice = "Complete or delete it"
            if len(cells) > len(dialect.names):
                advice = f"Put quotes around what holds a {mark}, or delete what stands above the names"
            return (
                f"line {line} has {len(cells)} columns; expected {len(dialect.names)}, as the line of names has "
                f"({', '.join(dialect.names)[:40]!r}). {advice}"
            )
    return None


def repeated_header(path: Path, dialect: Dialect) -> str | None:
    """Say at which line the line of names stands again; None when it does not."""
    rows = enumerate(text_rows(path, dialect), start=1)
    again = [
        (line, row) for row, (line, cells) in rows if _names([cell.lstrip("\ufeff") for cell in cells]) == dialect.names
    ]
    if not again:
        return None
    more = f", and so do {len(again) - 1} more" if len(again) > 1 else ""
    line, row = again[0]
    return f"line {line} (row {row}) repeats the header{more}; delete such lines, which files written in parts hold"


def _head(path: Path, separator: str, above: int) -> list[tuple[int, list[str]]]:
    # A quote that is opened in the last of these lines may be closed below them.
    with named_as_text(path), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(islice(file, above, None), delimiter=separator, skipinitialspace=True)
        return [
            (above + reader.line_num, [cell.strip() for cell in cells]) for cells in islice(reader, _LINES) if cells
        ]


def _columns(rows: Sequence[tuple[int, list[str]]]) -> int:
    """Count the columns of rows that all have as many; 1 where they have not."""
    counts = {len(cells) for _, cells in rows}
    return counts.pop() if len(counts) == 1 else 1


def is_number(text: str) -> bool:
    """Tell whether a cell is a number, with either decimal mark."""
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
