"""Which store of a source belongs to which branch of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fusion.errors import DataError
from fusion.features.items import Items
from fusion.features.source import Source
from fusion.models.model import Model, ModelBranch
from store import FunctaStore, StoreMismatchError

__all__ = ["Matched", "matched"]


@dataclass(frozen=True, eq=False)
class Matched:
    """A source under the names of a model's branches.

    Attributes
    ----------
    stores : mapping of str to FunctaStore
        Open stores by branch name; of a missing modality there is none.
    items : Items
        With every branch of the model.
    trained_on : path or None
        Path of the first store that the model was trained on, or None.
    """

    stores: Mapping[str, FunctaStore]
    items: Items
    trained_on: Path | str | None


def matched(model: Model, source: Source) -> Matched:
    """Find the branch of each store: of the same name or modality, and filled by the same encoder from the same start.

    Raises
    ------
    DataError
        A modality that the model does not have, or two stores for one branch.
    StoreMismatchError
        The store was filled by another encoder.
    """
    names: dict[str, str] = {}
    for name, store in source.stores.items():
        branch = _branch_of(model, name, store)
        if branch.name in names.values():
            raise DataError(
                f"two stores of the source are {branch.name!r} of the model; expected one for each of "
                f"{_listed(model)}. Leave one out."
            )
        names[name] = branch.name
    stores = {names[name]: store for name, store in source.stores.items()}
    prints = {branch.fingerprint for branch in model.branches}
    known = [store.path for store in stores.values() if store.fingerprint in prints]
    every = [branch.name for branch in model.branches]
    return Matched(stores, source.items.renamed(names, every), known[0] if known else None)


def _branch_of(model: Model, name: str, store: FunctaStore) -> ModelBranch:
    candidates = [branch for branch in model.branches if branch.modality == store.modality]
    if not candidates:
        raise DataError(f"the store holds {store.modality} functas; expected stores for {_listed(model)}. Give those.")
    candidates.sort(key=lambda branch: branch.name != name)
    for branch in candidates:
        if _made_alike(branch, store):
            return branch
    first = candidates[0]
    first.require_same_encoder(store)
    return first


def _made_alike(branch: ModelBranch, store: FunctaStore) -> bool:
    try:
        branch.require_same_encoder(store)
    except StoreMismatchError:
        return False
    return True


def _listed(model: Model) -> str:
    return ", ".join(f"{branch.name} ({branch.modality})" for branch in model.branches)
