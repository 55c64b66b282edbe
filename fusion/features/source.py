"""What is trained on or tested on: a store of functas, or a link table with the stores it joins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from os import fspath
from pathlib import Path

from fusion.errors import DataError
from fusion.features.items import (
    Items,
    has_targets,
    item_blocks,
    joined_items,
    linked_items,
    read_items,
    table_items,
)
from fusion.features.sampling import Drawn, Sampling
from fusion.linking.files import is_link
from fusion.linking.table import LinkTable, read_link
from fusion.settings import require
from store import FunctaStore, open_store

__all__ = ["Source", "SourceLike", "opened_source"]

SourceLike = FunctaStore | LinkTable | str | Path


@dataclass(frozen=True, eq=False)
class Source:
    """Open stores by branch name, and the items they hold together.

    Attributes
    ----------
    stores : mapping of str to FunctaStore
        A single store stands under its modality, those of a link table under their columns.
    items : Items
        All of them, sorted by ID; of a sample those that were drawn, and those that are tested.
    link : LinkTable or None
        The link table, if it is one.
    drawn : Drawn or None
        What of it is trained on, where that is a sample.
    """

    stores: Mapping[str, FunctaStore]
    items: Items
    link: LinkTable | None = None
    drawn: Drawn | None = None

    @property
    def places(self) -> dict[str, str]:
        """Where each store is: its URL, or its absolute path."""
        paths = {name: str(store.path) for name, store in self.stores.items()}
        return {name: path if "://" in path else str(Path(path).absolute()) for name, path in paths.items()}


@contextmanager
def opened_source(source: SourceLike, sampling: Sampling | None = None) -> Iterator[Source]:
    """Open a store or a link table with its stores, and read what is known of the items besides their functas.

    Parameters
    ----------
    source : FunctaStore, LinkTable or path
    sampling : Sampling, optional
        Which items to draw; others are not kept.

    Raises
    ------
    ConfigError
        It is none of these.
    DataError
        A store of a link table is gone, or was filled anew by another encoder.
    """
    if not isinstance(source, FunctaStore | LinkTable):
        require("the source", source, fspath, "a store, a link table or the path of one")
    with ExitStack() as stack:
        if isinstance(source, FunctaStore):
            yield _of_store(source, sampling)
        elif isinstance(source, LinkTable) or is_link(source):
            table = source if isinstance(source, LinkTable) else read_link(source)
            stores = {name: stack.enter_context(_linked(table, name)) for name in table.stores}
            drawn = None if sampling is None else sampling.draw([table_items(table)])
            items = linked_items(table, stores, None if drawn is None else drawn.keeps)
            yield Source(stores, items, table, drawn)
        else:
            yield _of_store(stack.enter_context(open_store(source)), sampling)


def _of_store(store: FunctaStore, sampling: Sampling | None) -> Source:
    if sampling is None:
        return Source({store.modality: store}, read_items(store))
    blocks = partial(item_blocks, store, targets=has_targets(store))
    drawn = sampling.draw(blocks())
    kept = blocks() if drawn is None else (block.take(drawn.keeps(block)) for block in blocks())
    return Source({store.modality: store}, joined_items(kept, store.modality), drawn=drawn)


def _linked(table: LinkTable, name: str) -> FunctaStore:
    linked = table.stores[name]
    if "://" not in linked.path and not Path(linked.path).exists():
        raise DataError(
            f"store {linked.path} of column {name!r} of the link table is not there; expected it where it was when the "
            "table was written. Put it back, or link the stores again."
        )
    store = open_store(linked.path)
    if store.fingerprint != linked.fingerprint:
        found, expected = store.fingerprint[:12], linked.fingerprint[:12]
        store.close()
        raise DataError(
            f"store {linked.path} of column {name!r} has fingerprint {found}, the link table expects {expected}: "
            "another encoder filled it since. Link the stores again."
        )
    return store
