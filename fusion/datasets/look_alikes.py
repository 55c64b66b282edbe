"""Names that differ in nothing that one sees: an accent in two Unicode forms, capitals, blanks, 1 and 1.0."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict


class LookAlikes:
    """Gathers classes and groups, and names those that may be meant to be one."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, set[str]]] = {"classes": defaultdict(set), "groups": defaultdict(set)}

    def add(self, label: str | None, group: str | None) -> None:
        """Note the class and the group of a sample."""
        for what, name in (("classes", label), ("groups", group)):
            if name is not None:
                self._seen[what][_plain(name)].add(name)

    def notes(self) -> tuple[str, ...]:
        """Name up to three of each."""
        said = []
        for what, alike in self._seen.items():
            twins = [sorted(names) for names in alike.values() if len(names) > 1]
            if twins:
                shown = "; ".join(" and ".join(map(ascii_shown, names)) for names in twins[:3])
                said.append(f"{what} that look alike are kept apart: {shown}")
        return tuple(said)


def ascii_shown(name: str) -> str:
    """Quote a name; one that is not in the usual Unicode form with its accents written out."""
    return repr(name) if unicodedata.is_normalized("NFC", name) else ascii(name)


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFC", name).casefold()
    return re.sub(r"^(\d+)\.0+$", r"\1", re.sub(r"[\s_-]+", " ", folded).strip())
