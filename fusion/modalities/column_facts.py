"""What stands in the columns of a table, and which of them are channels of readings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fusion.modalities.dialect import NAMELESS
from fusion.modalities.times import named_like_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fusion.modalities.tables import Part

_LIKE = {
    "label": "label class activity target gt gesture category",
    "group": "group subject subjectid user userid participant participantid person personid patient patientid",
    "id": "id recording recordingid trial trialid session sessionid file filename recordid",
    "split": "split fold partition",
}
_ROLE_OF_NAME = {name: role for role, names in _LIKE.items() for name in names.split()}
_INDEX = re.compile(rf"({re.escape(NAMELESS)}[\d.]+|__index_level_\d+__|)")
_UNITS = (
    "%|‰|°|°C|C|deg|rad|(deg|rad|°|m|mm|km)/s|dps|g|mg|kg|[mµu]?V|mA|A|[mµun]?T|[mk]?Hz|[hk]?Pa|N|m/s(2|²|\\^2)|[mck]?m|m?s|"
    "bpm|lux|lx|dB"
)
_MINUS, _QUOTE = chr(0x2212), chr(0x2019)
_DIGITS = rf"0x[0-9A-Fa-f]+|(\d{{1,3}}([ '{_QUOTE}.,]\d{{3}})+|\d+)([.,]\d*)?|[.,]\d+"
LIKE_NUMBER = rf"^[+{_MINUS}-]?({_DIGITS})\s*({_UNITS})?$"
"""Numbers in words, with a unit or with marks between thousands; for Python and for Arrow."""


@dataclass(eq=False)
class ColumnFacts:
    """What stands in a column that has no role, gathered part by part.

    Parameters
    ----------
    name : str
    """

    name: str
    numbers: int = 0
    words: int = 0
    low: float = np.inf
    high: float = -np.inf
    total: float = 0.0
    whole: bool = True
    pairs: int = 0
    ones: int = 0
    equal: int = 0
    rising: int = 0
    steps: float = 0.0
    squares: float = 0.0
    word: str = ""
    word_row: int | None = None
    alike: int = 0
    stride: float | None = None
    last: float = field(default=np.nan)

    def add(self, part: Part, together: NDArray[np.bool_]) -> None:
        """Count the next rows; `together` says which belong to the recording of the row before."""
        values, words = part.numbers(self.name)
        if words.any():
            self._add_words(part, words)
        there = values[np.isfinite(values)]
        if len(there):
            self.numbers += len(there)
            self.low, self.high = min(self.low, float(there.min())), max(self.high, float(there.max()))
            self.total += float(there.sum())
            self.whole = self.whole and bool((there == np.rint(there)).all())
        steps = np.diff(values, prepend=self.last)
        self.last = float(values[-1])
        self._count_steps(steps[together & np.isfinite(steps)])

    def _add_words(self, part: Part, words: NDArray[np.bool_]) -> None:
        row = int(np.argmax(words))
        if self.word_row is None:
            self.word_row, self.word = part.first + row, part.cell(self.name, row)
        self.words += int(words.sum())
        self.alike += int((words & part.matches(self.name, LIKE_NUMBER)).sum())

    def _count_steps(self, steps: NDArray[np.float64]) -> None:
        if self.stride is None and len(steps):
            found, counts = np.unique(steps, return_counts=True)
            self.stride = float(found[np.argmax(counts)])
        self.pairs += len(steps)
        self.ones += int((steps == self.stride).sum()) if self.stride else 0
        self.equal += int((steps == 0).sum())
        rising = steps[steps > 0]
        self.rising += len(rising)
        with np.errstate(over="ignore"):
            self.steps += float(rising.sum())
            self.squares += float(np.square(rising).sum())

    @property
    def is_numeric(self) -> bool:
        """Whether most of its cells that hold anything hold numbers."""
        return self.numbers > self.words

    @property
    def counts_rows(self) -> bool:
        """Whether it numbers the rows, of each recording or of the table, in any order, or goes on by even steps."""
        if not self.whole or self.numbers < 3 or self.words:
            return False
        every = self.high - self.low + 1 == self.numbers and self.total == self.numbers * (self.low + self.high) / 2
        return (every and not self.equal) or self.ones >= max(2, 0.9 * self.pairs)

    @property
    def is_constant(self) -> bool:
        """Whether all its numbers are one."""
        return self.numbers > 0 and self.low == self.high

    @property
    def names_recordings(self) -> bool:
        """Whether it is a number that stays the same all through each recording and class, and differs between them."""
        return self.pairs > 0 and self.equal == self.pairs and self.low < self.high

    @property
    def means_numbers(self) -> bool:
        """Whether most of its cells are written like numbers that are not read: with units, thousands, another mark."""
        return not self.is_numeric and 2 * self.alike > self.words + self.numbers

    @property
    def rises(self) -> bool:
        """Whether it rises from reading to reading."""
        return self.pairs > 0 and self.rising >= 0.98 * self.pairs

    @property
    def ticks(self) -> bool:
        """Whether it rises from reading to reading in nearly even steps, as a time does."""
        if self.rising < 8 or not self.rises:
            return False
        mean = self.steps / self.rising
        return self.squares / self.rising - mean**2 < (0.3 * mean) ** 2


def names_row(channels: Sequence[ColumnFacts]) -> int | None:
    """Give the row in which every channel holds its first word, as a line of names or units does; None without one."""
    rows = {fact.word_row for fact in channels}
    return rows.pop() if len(rows) == 1 else None


def is_nameless(name: str) -> bool:
    """Tell whether a name is what a column without one is called."""
    return _INDEX.fullmatch(name) is not None


def role_named_like(name: str) -> str | None:
    """Give the role that a column's name suggests: label, group, id or split."""
    return _ROLE_OF_NAME.get(re.sub(r"[^a-z]", "", name.lower()))


def why_no_channel(fact: ColumnFacts, *, timed: bool) -> str:
    """Say why a column is no channel; empty where it is one.

    Parameters
    ----------
    fact : ColumnFacts
    timed : bool
        Whether the table has a time already.
    """
    name = fact.name
    if not fact.numbers and not fact.words:
        return "empty"
    if is_nameless(name):
        return "it has no name, as a running number of rows"
    if timed and (named_like_time(name) or (named_like_time(name) is None and fact.rises)):
        return "another time"
    role = role_named_like(name)
    if role is not None:
        fractions = role == "label" and fact.is_numeric and not fact.whole
        number = f", or a number to predict with target={name}" if fractions else ""
        return f"named like {'an' if role == 'id' else 'a'} {role}; take it with --reader {role}={name}{number}"
    if fact.means_numbers:
        return ""  # a channel that cannot be read, and says so
    if not fact.is_numeric:
        return f"words, such as {fact.word!r}"
    if fact.counts_rows:
        return "it counts rows"
    if fact.names_recordings:
        return "one number all through each recording and class"
    return ""
