"""The items to explain: their rows, and the samples behind them where windows of these are looked at."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fusion.encoders.decoding import is_encoded, samples_behind
from fusion.encoders.encoder import Encoder, restored
from fusion.encoders.local.local import LocalFunctas
from fusion.errors import ConfigError, DataError
from store import Status, open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fusion.datasets import Dataset
    from fusion.models.model import Model, ModelBranch

    Source = str | Path | Dataset


@dataclass(frozen=True, eq=False)
class Item:
    """One item of a model.

    Parameters
    ----------
    name : str
    truth : str or None
    functas : dict of str to NDArray, shape=(1, k)
        By branch name; a modality that is missing is not there.
    values : dict of str to NDArray of float32, shape=(n, d_out)
        In [0, 1], of the branches whose windows are looked at.
    """

    name: str
    truth: str | None
    functas: dict[str, NDArray[Any]] = field(default_factory=dict)
    values: dict[str, NDArray[np.float32]] = field(default_factory=dict)


def encoders_of(model: Model) -> dict[str, Encoder]:
    """Restore the encoder of each branch."""
    return {branch.name: restored(branch.header["encoder"], branch.state) for branch in model.branches}


Evaluated = dict[str, tuple["str | None", dict[str, str]]]
"""Label, and ID by branch, of each evaluated item by its own ID."""


def evaluated_items(model: Model) -> Evaluated:
    """Read which items a model was evaluated on; none where it has no folder or none were saved."""
    table = model.path and model.path / "predictions.parquet"
    if table is None or not table.exists():
        return {}
    columns = {branch.name: f"{branch.name}:id" for branch in model.branches}
    frame = pd.read_parquet(table, columns=["id", "label", *columns.values()])
    found = {}
    for row in frame.to_dict("records"):
        ids = {name: row[column] for name, column in columns.items() if isinstance(row[column], str)}
        found[str(row["id"])] = (row["label"], ids)
    return found


def stored_items(
    model: Model,
    names: Sequence[str],
    known: Evaluated,
    encoders: Mapping[str, Encoder],
    *,
    stores: Mapping[str, str | Path],
    sources: Mapping[str, Source],
) -> list[Item]:
    """Look up items by the ID of the evaluated item, or of its sample in a store.

    Parameters
    ----------
    model : Model
        With its folder.
    names : sequence of str
    known : dict
        As `evaluated_items` gives it.
    encoders : mapping of str to Encoder
        As `encoders_of` gives them.
    stores : mapping of str to path
        Where stores are that are no longer where the model was trained from, by branch name.
    sources : mapping of str to path or Dataset
        The data set behind each store, by branch name, or "" for all; needed by local functas.

    Raises
    ------
    DataError
        No such item; a sample that its source has not, or has with other data; a store that is gone.
    """
    found = {name: Item(name, known.get(name, (None, {}))[0]) for name in names}
    told = _told_stores(model)
    for branch in model.branches:
        ids = {name: known[name][1].get(branch.name) if name in known else name for name in names}
        place = stores.get(branch.name) or _place(branch, told.get(branch.name))
        _add_rows(branch, encoders[branch.name], found, ids, place, sources)
    for item in found.values():
        if not item.functas:
            example = next(iter(known), None)
            raise DataError(
                f"no store of the model has an item {item.name!r}; expected an ID such as {example!r}"
                if example
                else f"no store of the model has an item {item.name!r}"
            )
    return list(found.values())


def branch_items(
    branch: ModelBranch, encoder: Encoder, ids: Sequence[str], store: str | Path, source: Source
) -> list[Item]:
    """Look up samples of one modality by their IDs in its store, without what else belongs to their items."""
    found = {sample_id: Item(sample_id, None) for sample_id in ids}
    _add_rows(branch, encoder, found, {sample_id: sample_id for sample_id in ids}, store, {branch.name: source})
    return list(found.values())


def _told_stores(model: Model) -> dict[str, str]:
    """Give where the stores were when the model was trained, by branch name."""
    if model.path is None or not (model.path / "metrics.json").exists():
        return {}
    told: dict[str, str] = json.loads((model.path / "metrics.json").read_bytes()).get("stores", {})
    return told


def _place(branch: ModelBranch, place: str | None) -> str:
    if place is None or ("://" not in place and not Path(place).exists()):
        raise DataError(
            f"the store of {branch.name} is not at {place or 'any known place'}; say where it is with "
            f"--store {branch.name}=PATH"
        )
    return place


def _add_rows(
    branch: ModelBranch,
    encoder: Encoder,
    items: dict[str, Item],
    ids: Mapping[str, str | None],
    place: str | Path,
    sources: Mapping[str, Source],
) -> None:
    with open_store(place) as store:
        branch.require_same_encoder(store)
        header = store.header
        rows = {name: store.get(held) for name, held in ids.items() if held is not None and held in store}
    usable = {name: row for name, row in rows.items() if row.status[0] != Status.FAILED}
    for name, row in usable.items():
        items[name].functas[branch.name] = row.functas
        if items[name].truth is None and row.labels[0] is not None:
            items[name] = replace(items[name], truth=str(row.labels[0]))
    if not isinstance(encoder, LocalFunctas) or not usable:
        return
    source = branch.source_among(sources)
    if source is None:
        raise ConfigError(
            f"{branch.name} is coded by windows, and a store does not keep the signal: say which data set it was made "
            f"from with --source {branch.name}=PATH"
        )
    names: dict[str, list[str]] = {}  # several items may share a sample
    for name, row in usable.items():
        names.setdefault(str(row.ids[0]), []).append(name)
    for sample in samples_behind(header, source, names):
        prepared = encoder.config.modality.prepare(sample.raw)
        if not is_encoded(prepared, usable[names[sample.id][0]]):
            raise DataError(f"sample {sample.id!r} of its source is not what was encoded: the data have changed since")
        for name in names[sample.id]:
            items[name].values[branch.name] = encoder.values([prepared])[0]
