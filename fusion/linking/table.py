"""The link table: one row per item, with the ID that each store keeps it under."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from fusion.datasets.targets import number_of
from fusion.errors import ConfigError, DataError
from fusion.linking.files import FORMAT, read_table, write_table
from fusion.linking.sides import RESERVED, TARGET
from fusion.linking.summary import LinkCounter, LinkedStore, LinkSummary, counted
from store.html import facts_html

__all__ = ["LinkSummary", "LinkTable", "LinkedStore", "read_link"]

FORMAT_VERSION = 1


@dataclass(frozen=True, eq=False)
class LinkTable:
    """Samples of several stores joined to items; `str` tells what was matched and what was not.

    Attributes
    ----------
    frame : DataFrame
        Sorted by ``link_id``, with the columns link_id, split, label, group, ``target`` where a store has targets, and
        one column of IDs for each store; None = missing. All are text; `targets` are the numbers.
    stores : mapping of str to LinkedStore
        By the name of their column.
    summary : LinkSummary
        What the join did.
    """

    frame: pd.DataFrame = field(repr=False)
    stores: Mapping[str, LinkedStore]
    summary: LinkSummary

    def __len__(self) -> int:
        return len(self.frame)

    def column(self, name: str) -> NDArray[np.object_]:
        """Return one column, object array of shape (n,), None where there is nothing."""
        found: NDArray[np.object_] = self.frame[name].to_numpy(dtype=object)
        return found

    @property
    def targets(self) -> NDArray[np.float64] | None:
        """Numbers to predict, shape (n,), NaN where there is none; None where no store has any."""
        if TARGET not in self.frame or TARGET in self.stores:  # a store was once allowed that name
            return None
        return np.array([np.nan if text is None else float(text) for text in self.column(TARGET)], dtype=np.float64)

    def counts(self, name: str) -> dict[str, int]:
        """Count the items of each label, split or group, sorted by name; "" stands for none."""
        return dict(sorted(counted(self.frame[name]).items()))

    def save(self, path: str | Path) -> Path:
        """Write ``.parquet``, or ``.csv`` with a ``.csv.json`` beside it that names the stores.

        Raises
        ------
        ConfigError
            Another suffix.
        DataError
            It cannot be written.
        """
        target = Path(path)
        write_table(target, self.frame, card_of(self.stores, self.summary, target.absolute().parent))
        return target

    def with_stores(self, places: Mapping[str, str | Path]) -> LinkTable:
        """Return the same table with stores that were moved at their new places, by the name of their column.

        Raises
        ------
        ConfigError
            A column that the table does not have.
        """
        unknown = sorted(set(places) - set(self.stores))
        if unknown:
            raise ConfigError(f"a store is given for {', '.join(unknown)}; the table has {', '.join(self.stores)}.")
        moved = {name: replace(self.stores[name], path=str(place)) for name, place in places.items()}
        return replace(self, stores={**self.stores, **moved})

    def resolved(self, folder: Path) -> LinkTable:
        """Return the same table with the stores' paths as seen from the working folder."""
        stores = {
            name: store if "://" in store.path else replace(store, path=os.path.normpath(folder / store.path))
            for name, store in self.stores.items()
        }
        return replace(self, stores=stores)

    def to_dict(self) -> dict[str, Any]:
        """Return what was matched and what was not as plain numbers, strings, lists and dictionaries."""
        return self.counter().to_dict(self.stores, self.summary)

    def facts(self) -> dict[str, str]:
        """Tell in words what was matched and what was not."""
        return self.counter().facts(self.stores, self.summary)

    def counter(self) -> LinkCounter:
        """Count the items."""
        found = LinkCounter(list(self.stores))
        found.add(self.frame)
        return found

    def _repr_html_(self) -> str:
        return facts_html("Link table", self.facts(), self.summary.warnings)

    def __str__(self) -> str:
        lines = [f"{name:<10} {text}" for name, text in self.facts().items()]
        return "\n".join([*lines, *(f"note: {warning}" for warning in self.summary.warnings)])


class _Card(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    format: str
    format_version: int
    stores: dict[str, LinkedStore]
    summary: LinkSummary


def card_of(stores: Mapping[str, LinkedStore], summary: LinkSummary, folder: Path) -> str:
    """Write what a file keeps beside the items as JSON, with the stores' paths as seen from its folder."""
    moved = {name: _moved(store, folder) for name, store in stores.items()}
    return _Card(format=FORMAT, format_version=FORMAT_VERSION, stores=moved, summary=summary).model_dump_json(indent=1)


def read_link(path: str | Path) -> LinkTable:
    """Read a link table that `LinkTable.save` wrote.

    Raises
    ------
    DataError
        There is none, it is damaged, or it does not name its stores.
    """
    source = Path(path)
    frame, text = read_table(source)
    card = _card(text, source)
    table = LinkTable(checked_frame(frame, list(card.stores), source), card.stores, card.summary)
    return table.resolved(source.parent)


def _card(text: str, path: Path) -> _Card:
    try:
        card = _Card.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataError(
            f"link table {path} does not name its stores ({first['msg']} at {place!r}); expected a file that "
            "`functa link` wrote. Link the stores again."
        ) from error
    if card.format != FORMAT or card.format_version > FORMAT_VERSION:
        raise DataError(
            f"link table {path} has format {card.format!r} {card.format_version}; this release reads {FORMAT!r} up to "
            f"{FORMAT_VERSION}. Upgrade functa-fusion, or link the stores again."
        )
    return card


def checked_frame(frame: pd.DataFrame, names: list[str], source: object) -> pd.DataFrame:
    """Bring a table that was read into the form of `LinkTable.frame`.

    Raises
    ------
    DataError
        A column is missing, an item has no ID or one that is there already.
    """
    told = TARGET in frame.columns and TARGET not in names
    wanted = [name for name in RESERVED if name != TARGET or told] + names
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise DataError(
            f"link table {source} lacks the columns {', '.join(map(repr, missing))}; expected {', '.join(wanted)}. "
            "Link the stores again."
        )
    made = pd.DataFrame({name: _texts(frame[name]) for name in wanted})
    ids = made["link_id"]
    wrong = [text for text in (made[TARGET] if told else ()) if text is not None and number_of(text) is None]
    if wrong:
        raise DataError(f"link table {source} has the target {wrong[0]!r}; expected a number, or nothing. Correct it.")
    if ids.isna().any() or ids.duplicated().any():
        raise DataError(f"link table {source} has items without an ID of their own; expected each link_id once.")
    return made.sort_values("link_id", kind="stable", ignore_index=True)


def _texts(column: pd.Series) -> pd.Series:
    values = column.to_numpy(dtype=object)
    present = np.asarray(pd.notna(values)) & (values != "")
    texts = np.full(len(values), None, dtype=object)
    texts[present] = [str(value) for value in values[present]]
    return pd.Series(texts, dtype=object)


def _moved(store: LinkedStore, folder: Path) -> LinkedStore:
    if "://" in store.path:
        return store
    try:
        return replace(store, path=Path(os.path.relpath(store.path, folder)).as_posix())
    except ValueError:  # another drive
        return replace(store, path=str(Path(store.path).resolve()))
