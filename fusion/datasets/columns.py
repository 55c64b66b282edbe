"""Which columns of a table tell what: recording, time, class, group, split, channels; which are left out, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.times import named_like_time
from fusion.errors import ConfigError, DataError
from fusion.modalities.dialect import NAMELESS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fusion.modalities.tables import Part

ROLES = ("id", "time", "label", "group", "split")
_LIKE = {
    "label": "label class activity target gt gesture category",
    "group": "group subject subjectid user userid participant participantid person personid patient patientid",
    "id": "id recording recordingid trial trialid session sessionid file filename recordid",
    "split": "split fold partition",
}
_ROLE_OF_NAME = {name: role for role, names in _LIKE.items() for name in names.split()}
_INDEX = re.compile(rf"({re.escape(NAMELESS)}[\d.]+|__index_level_\d+__|)")


@dataclass(frozen=True)
class Columns:
    """Which columns of a table tell what; None, or none, where there is none.

    Parameters
    ----------
    id : tuple of str
        Names of the recordings, joined where they are several.
    time, label, group, split : str or None
    channels : tuple of str
    """

    id: tuple[str, ...] = ()
    time: str | None = None
    label: str | None = None
    group: str | None = None
    split: str | None = None
    channels: tuple[str, ...] = ()

    def taken(self) -> set[str]:
        """Names of the columns that have a role."""
        return {name for name in (*self.id, self.time, self.label, self.group, self.split) if name is not None}


def find_roles(source: Path, there: Sequence[str], given: Mapping[str, Any], channels: Sequence[str]) -> Columns:
    """Give the columns their roles by name.

    Parameters
    ----------
    source : Path
    there : sequence of str
        Columns of the table.
    given : mapping of str to str, tuple of str or None
        For each of `ROLES` the column that was asked for; None takes the one of that very name, if there is one.
    channels : sequence of str
        As asked for.

    Raises
    ------
    DataError
        When a column is missing.
    ConfigError
        When a column is asked for twice.
    """
    asked = [*given["id"], *(given[role] for role in ROLES[1:] if given[role]), *channels]
    missing = [name for name in asked if name not in there]
    if missing:
        raise DataError(f"{source} has no column {missing[0]!r}; got {', '.join(there[:12])}")
    both = sorted({name for name in channels if asked.count(name) > 1})
    if both:
        raise ConfigError(f"column {both[0]!r} is asked for as a channel and as something else; expected one of them")
    # What names a recording may be its class or its person too.
    free = [name for name in there if name not in asked or name in given["id"]]
    found = {role: given[role] or _of_that_name(role, free) for role in ROLES[1:]}
    own = _of_that_name("id", free)
    return Columns(id=given["id"] or ((own,) if own else ()), **found, channels=tuple(channels))


def _of_that_name(role: str, there: Sequence[str]) -> str | None:
    exact = [name for name in there if name == role] or [name for name in there if name.lower() == role]
    return exact[0] if exact else None


def time_candidates(there: Collection[str], taken: Collection[str]) -> list[str]:
    """Give the columns that are named like a time, those surely first."""
    free = [name for name in there if name not in taken]
    return [name for name in free if named_like_time(name)] or [name for name in free if named_like_time(name) is None]


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
    last: float = field(default=np.nan)

    def add(self, part: Part, together: NDArray[np.bool_]) -> None:
        """Count the next rows; `together` says which belong to the recording of the row before."""
        values, words = part.numbers(self.name)
        if words.any():
            self.words += int(words.sum())
            self.word = self.word or part.cell(self.name, int(np.argmax(words)))
        there = values[np.isfinite(values)]
        if len(there):
            self.numbers += len(there)
            self.low, self.high = min(self.low, float(there.min())), max(self.high, float(there.max()))
            self.total += float(there.sum())
            self.whole = self.whole and bool((there == np.rint(there)).all())
        steps = np.diff(values, prepend=self.last)
        self.last = float(values[-1])
        self._count_steps(steps[together & np.isfinite(steps)])

    def _count_steps(self, steps: NDArray[np.float64]) -> None:
        self.pairs += len(steps)
        self.ones += int((steps == 1).sum())
        self.equal += int((steps == 0).sum())
        rising = steps[steps > 0]
        self.rising += len(rising)
        self.steps += float(rising.sum())
        self.squares += float(np.square(rising).sum())

    @property
    def is_numeric(self) -> bool:
        """Whether most of its cells that hold anything hold numbers."""
        return self.numbers > self.words

    @property
    def counts_rows(self) -> bool:
        """Whether it numbers the rows, of each recording or of the table, in whatever order they stand."""
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
        """Whether it is a whole number that stays the same all through each recording, and differs between them."""
        return self.whole and self.pairs > 0 and self.equal == self.pairs and self.low < self.high

    @property
    def ticks(self) -> bool:
        """Whether it rises from reading to reading in nearly even steps, as a time does."""
        if self.rising < 8 or self.rising < 0.98 * self.pairs:
            return False
        mean = self.steps / self.rising
        return self.squares / self.rising - mean**2 < (0.3 * mean) ** 2


def choose_channels(
    source: Path, columns: Columns, facts: Mapping[str, ColumnFacts]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Take the columns of numbers that are readings as channels, and say why the others are left out.

    Raises
    ------
    DataError
        When there is no channel.
    """
    reasons = {name: _why_not(name, fact, columns) for name, fact in facts.items()}
    if columns.channels:
        left = {name: why or "not asked for" for name, why in reasons.items() if name not in columns.channels}
        return columns.channels, left
    channels = tuple(name for name, why in reasons.items() if not why)
    if not channels:
        listed = "; ".join(f"{name}: {why}" for name, why in list(reasons.items())[:8]) or "no other column"
        raise DataError(
            f"{source} has no column of numbers to take as a channel ({listed}); name them with --reader channels=a,b, "
            "or say how numbers are written with --reader decimal=, or --reader separator=;"
        )
    return channels, {name: why for name, why in reasons.items() if why}


def _why_not(name: str, fact: ColumnFacts, columns: Columns) -> str:
    if _INDEX.fullmatch(name):
        return "it has no name, as a running number of rows"
    if columns.time is not None and named_like_time(name):
        return "another time"
    role = _ROLE_OF_NAME.get(re.sub(r"[^a-z]", "", name.lower()))
    if role is not None:
        return f"named like {'an' if role == 'id' else 'a'} {role}; take it with --reader {role}={name}"
    if not fact.numbers and not fact.words:
        return "empty"
    if not fact.is_numeric:
        return f"words, such as {fact.word!r}"
    if fact.counts_rows:
        return "it counts rows"
    if fact.names_recordings:
        return "one whole number all through each recording"
    return ""
