"""Which columns of a table tell what: recording, time, class, group, split, channels; which are left out, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fusion.errors import ConfigError, DataError
from fusion.modalities.column_facts import ColumnFacts, why_no_channel
from fusion.modalities.times import named_like_time

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path


ROLES = ("id", "time", "label", "group", "split")


@dataclass(frozen=True)
class Columns:
    """Which columns of a table tell what; None, or none, where there is none.

    Parameters
    ----------
    id : tuple of str
        Names of the recordings, joined where they are several.
    time, label, group, split, target : str or None
    channels : tuple of str
    """

    id: tuple[str, ...] = ()
    time: str | None = None
    label: str | None = None
    group: str | None = None
    split: str | None = None
    channels: tuple[str, ...] = ()
    target: str | None = None

    def taken(self) -> set[str]:
        """Names of the columns that have a role."""
        roles = (self.time, self.label, self.group, self.split, self.target)
        return {name for name in (*self.id, *roles) if name is not None}


def find_roles(source: Path, there: Sequence[str], given: Mapping[str, Any], channels: Sequence[str]) -> Columns:
    """Give the columns their roles by name.

    Parameters
    ----------
    source : Path
    there : sequence of str
        Columns of the table.
    given : mapping of str to str, tuple of str or None
        For each of `ROLES` the column that was asked for; None takes the one of that very name, if there is one. A
        target is taken only where it is asked for.
    channels : sequence of str
        As asked for.

    Raises
    ------
    DataError
        When a column is missing.
    ConfigError
        When a column is asked for twice.
    """
    target = given.get("target")
    named = [given[role] for role in ROLES[1:] if given[role]] + ([target] if target else [])
    asked = [*given["id"], *named, *channels]
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
    return Columns(id=given["id"] or ((own,) if own else ()), **found, channels=tuple(channels), target=target)


def _of_that_name(role: str, there: Sequence[str]) -> str | None:
    exact = [name for name in there if name == role] or [name for name in there if name.lower() == role]
    return exact[0] if exact else None


def time_candidates(there: Collection[str], taken: Collection[str]) -> list[str]:
    """Give the columns that are named like a time, those surely first."""
    free = [name for name in there if name not in taken]
    return [name for name in free if named_like_time(name)] or [name for name in free if named_like_time(name) is None]


def choose_channels(
    source: Path, columns: Columns, facts: Mapping[str, ColumnFacts]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Take the columns of numbers that are readings as channels, and say why the others are left out.

    Raises
    ------
    DataError
        When there is no channel.
    """
    reasons = {name: why_no_channel(fact, timed=columns.time is not None) for name, fact in facts.items()}
    if columns.channels:
        left = {name: why or "not asked for" for name, why in reasons.items() if name not in columns.channels}
        return columns.channels, left
    channels = tuple(name for name, why in reasons.items() if not why)
    unread = next((facts[name] for name in channels if facts[name].means_numbers), None)
    if unread is not None:
        others = ",".join(name for name in channels if not facts[name].means_numbers) or "a,b"
        raise DataError(
            f"{source}: column {unread.name!r} holds numbers that are not read as they stand, such as {unread.word!r}; "
            "expected plain ones, without units or marks between thousands. Write them so, say how they are written "
            f"with --reader decimal=, or separator=; or leave the column out with --reader channels={others}"
        )
    if not channels:
        listed = "; ".join(f"{name}: {why}" for name, why in list(reasons.items())[:8]) or "no other column"
        raise DataError(
            f"{source} has no column of numbers to take as a channel ({listed}); name them with --reader channels=a,b, "
            "or say how numbers are written with --reader decimal=, or --reader separator=;"
        )
    return channels, {name: why for name, why in reasons.items() if why}
