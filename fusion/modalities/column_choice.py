"""Which columns of a table are worth taking as plain columns, told from training rows."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from fusion.modalities.column_facts import LIKE_NUMBER, is_nameless, role_named_like

_FEW = 8


@dataclass(eq=False)
class CategoryFacts:
    """What stands in a column, gathered row by row.

    Parameters
    ----------
    name : str
    """

    name: str
    rows: int = 0
    numbers: int = 0
    words: int = 0
    levels: dict[str, int] = field(default_factory=dict)
    values: set[float] = field(default_factory=set)
    alike: int = 0
    rises: bool = True
    last: float = -math.inf

    def add(self, text: str | None, number: float, *, word: bool) -> None:
        """Count one cell: its text, its number or NaN, and whether it holds something else."""
        self.rows += 1
        self.words += word
        self.alike += word and re.match(LIKE_NUMBER, text or "") is not None
        if text is not None:
            self.levels[text] = self.levels.get(text, 0) + 1
        if not math.isnan(number):
            self.numbers += 1
            self.rises = self.rises and number > self.last
            self.last = number
            self.values.add(number)

    @property
    def is_numeric(self) -> bool:
        """Whether most of its cells that hold anything hold numbers."""
        return self.numbers > self.words

    @property
    def means_numbers(self) -> bool:
        """Whether most of its cells are written like numbers that are not read: with units, thousands, another mark."""
        return not self.is_numeric and 2 * self.alike > self.words + self.numbers

    @property
    def counts_rows(self) -> bool:
        """Whether it numbers the rows from 0 or 1: all of them in any order, or, of some, in the order they stand."""
        if self.numbers < _FEW or len(self.values) < self.rows or self.words:
            return False
        low, high = min(self.values), max(self.values)
        every = low in (0, 1) and high - low + 1 == self.rows
        some = self.rises and low < _FEW and high < 2 * self.rows
        return (every or some) and all(value.is_integer() for value in self.values)


def why_left_out(fact: CategoryFacts, *, number: bool, asked: bool, max_categories: int) -> str:
    """Say why a column is not taken; empty where it is.

    Parameters
    ----------
    fact : CategoryFacts
        Of training rows.
    number : bool
        Whether it is taken as numbers.
    asked : bool
        Whether it was asked for by name: then only what says nothing is left out.
    max_categories : int
    """
    if not fact.levels or (number and not fact.values):
        return "empty in all training rows"
    if len(fact.values if number else fact.levels) == 1:
        return f"constant: {next(iter(fact.levels))!r} in all training rows"
    if asked:
        return ""
    if is_nameless(fact.name):
        return "it has no name, as a running number of rows"
    role = role_named_like(fact.name)
    if role is not None:
        article = "an" if role == "id" else "a"
        return f"named like {article} {role}; take it with --reader {role}={fact.name}, or ask for it as a column"
    return _why_no_number(fact) if number else _why_no_category(fact, max_categories)


def _why_no_number(fact: CategoryFacts) -> str:
    return "it counts rows" if fact.counts_rows else ""


def _why_no_category(fact: CategoryFacts, most: int) -> str:
    count, filled = len(fact.levels), sum(fact.levels.values())
    if count == filled and filled > 2:
        return f"another text in every row, such as {next(iter(fact.levels))!r}, as an ID has"
    if count > most:
        return f"{count} categories in {fact.rows} training rows, more than {most}; see --reader max_categories"
    return ""
