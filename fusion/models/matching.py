"""Which store of a source belongs to which block of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fusion.errors import DataError
from fusion.features.items import Items
from fusion.features.source import Source
from fusion.models.model import Model, ModelBlock
from store import FunctaStore, StoreMismatchError

__all__ = ["Matched", "matched"]


@dataclass(frozen=True, eq=False)
class Matched:
    """A source under the names of a model's blocks.

    Attributes
    ----------
    stores
        Open stores by block name; of a missing modality there is none.
    items
        With every block of the model.
    trained_on
        Path of the first store that the model was trained on, or None.
    """

    stores: Mapping[str, FunctaStore]
    items: Items
    trained_on: Path | str | None


def matched(model: Model, source: Source) -> Matched:
    """Find the block of each store: of the same name or modality, and filled by the same encoder from the same start.

    Raises
    ------
    DataError
        A modality that the model does not have, or two stores for one block.
    StoreMismatchError
        The store was filled by another encoder.
    """
    names: dict[str, str] = {}
    for name, store in source.stores.items():
        block = _block_of(model, name, store)
        if block.name in names.values():
            raise DataError(
                f"two stores of the source are {block.name!r} of the model; expected one for each of "
                f"{_listed(model)}. Leave one out."
            )
        names[name] = block.name
    stores = {names[name]: store for name, store in source.stores.items()}
    prints = {block.fingerprint for block in model.blocks}
    known = [store.path for store in stores.values() if store.fingerprint in prints]
    every = [block.name for block in model.blocks]
    return Matched(stores, source.items.renamed(names, every), known[0] if known else None)


def _block_of(model: Model, name: str, store: FunctaStore) -> ModelBlock:
    candidates = [block for block in model.blocks if block.modality == store.modality]
    if not candidates:
        raise DataError(f"the store holds {store.modality} functas; expected stores for {_listed(model)}. Give those.")
    candidates.sort(key=lambda block: block.name != name)
    for block in candidates:
        if _made_alike(block, store):
            return block
    first = candidates[0]
    store.require_same(encoder=dict(first.header["encoder"]), state=dict(first.state))
    return first


def _made_alike(block: ModelBlock, store: FunctaStore) -> bool:
    try:
        store.require_same(encoder=dict(block.header["encoder"]), state=dict(block.state))
    except StoreMismatchError:
        return False
    return True


def _listed(model: Model) -> str:
    return ", ".join(f"{block.name} ({block.modality})" for block in model.blocks)
