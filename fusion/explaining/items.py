"""The items to explain: their rows, and the samples behind them where windows of these are looked at."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fusion.datasets.open import open_dataset
from fusion.encoders.encoder import Encoder, restored
from fusion.encoders.local.local import LocalFunctas
from fusion.errors import ConfigError, DataError
from fusion.modalities import source_hash
from store import Status, open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from fusion.datasets import Dataset
    from fusion.models.model import Model, ModelBranch
    from store import Header, Rows

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


def stored_items(
    model: Model,
    names: Sequence[str],
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
    stores : mapping of str to path
        Where stores are that are no longer where the model was trained from, by branch name.
    sources : mapping of str to path or Dataset
        The data set behind each store, by branch name, or "" for all; needed by local functas.

    Raises
    ------
    DataError
        No such item; a sample that its source has not, or has with other data; a store that is gone.
    """
    known = _evaluated(model)
    found = {name: Item(name, known.get(name, (None, {}))[0]) for name in names}
    for branch in model.branches:
        ids = {name: known[name][1].get(branch.name) if name in known else name for name in names}
        _add_rows(branch, found, ids, _place(model, branch, stores), sources)
    for item in found.values():
        if not item.functas:
            example = next(iter(known), None)
            raise DataError(
                f"no store of the model has an item {item.name!r}; expected an ID such as {example!r}"
                if example
                else f"no store of the model has an item {item.name!r}"
            )
    return list(found.values())


def branch_items(model: Model, name: str, ids: Sequence[str], store: str | Path, source: Source) -> list[Item]:
    """Look up samples of one modality by their IDs in its store, without what else belongs to their items."""
    branch = next(branch for branch in model.branches if branch.name == name)
    found = {sample_id: Item(sample_id, None) for sample_id in ids}
    _add_rows(branch, found, {sample_id: sample_id for sample_id in ids}, store, {name: source})
    return list(found.values())


def evaluated_names(model: Model) -> list[str]:
    """List the items that the model was evaluated on; DataError when it has no folder or none were saved."""
    names = list(_evaluated(model))
    if not names:
        raise DataError("no predictions are saved beside the model; expected a folder that training wrote")
    return names


def _evaluated(model: Model) -> dict[str, tuple[str | None, dict[str, str]]]:
    """Give label, and ID by branch, of each evaluated item by its own ID."""
    table = model.path and model.path / "predictions.parquet"
    if table is None or not table.exists():
        return {}
    frame = pd.read_parquet(table)
    columns = {branch.name: f"{branch.name}:id" for branch in model.branches}
    found = {}
    for row in frame[["id", "label", *columns.values()]].to_dict("records"):
        ids = {name: row[column] for name, column in columns.items() if isinstance(row[column], str)}
        found[str(row["id"])] = (row["label"], ids)
    return found


def _place(model: Model, branch: ModelBranch, stores: Mapping[str, str | Path]) -> str | Path:
    if branch.name in stores:
        return stores[branch.name]
    told: dict[str, str] = {}
    if model.path is not None and (model.path / "metrics.json").exists():
        told = json.loads((model.path / "metrics.json").read_bytes()).get("stores", {})
    place = told.get(branch.name)
    if place is None or ("://" not in place and not Path(place).exists()):
        raise DataError(
            f"the store of {branch.name} is not at {place or 'any known place'}; say where it is with "
            f"--store {branch.name}=PATH"
        )
    return place


def _add_rows(
    branch: ModelBranch,
    items: dict[str, Item],
    ids: Mapping[str, str | None],
    place: str | Path,
    sources: Mapping[str, Source],
) -> None:
    with open_store(place) as store:
        store.require_same(encoder=dict(branch.header["encoder"]), state=dict(branch.state))
        header = store.header
        rows = {name: store.get(held) for name, held in ids.items() if held is not None and held in store}
    usable = {name: row for name, row in rows.items() if row.status[0] != Status.FAILED}
    for name, row in usable.items():
        items[name].functas[branch.name] = row.functas
        if items[name].truth is None and row.labels[0] is not None:
            items[name] = Item(name, str(row.labels[0]), items[name].functas, items[name].values)
    encoder = restored(branch.header["encoder"], branch.state)
    if not isinstance(encoder, LocalFunctas) or not usable:
        return
    source = sources.get(branch.name, sources.get("")) or ("." if header.dataset == "figure" else None)
    if source is None:
        raise ConfigError(
            f"{branch.name} is coded by windows, and a store does not keep the signal: say which data set it was made "
            f"from with --source {branch.name}=PATH"
        )
    wanted = {str(row.ids[0]): (name, row) for name, row in usable.items()}
    with _opened(source, header) as opened:
        for sample in opened:
            if sample.id in wanted:
                name, row = wanted.pop(sample.id)
                items[name].values[branch.name] = _values(encoder, sample.raw, row)
                if not wanted:
                    return
    missing = next(iter(wanted))
    raise DataError(f"the source of {branch.name} has no sample {missing!r}; expected the data that were encoded")


def _opened(source: Source, header: Header) -> AbstractContextManager[Dataset]:
    if not isinstance(source, str | Path):
        return nullcontext(source)
    options = header.conventions.get("reader", {})
    return open_dataset(header.dataset, source, modality=header.modality, options=options)


def _values(encoder: LocalFunctas, raw: Any, row: Rows) -> NDArray[np.float32]:
    prepared = encoder.config.modality.prepare(raw)
    if not np.array_equal(source_hash(prepared), row.source_hash[0]):
        raise DataError(f"sample {row.ids[0]!r} of its source is not what was encoded: the data have changed since")
    return np.asarray(encoder.values([prepared])[0])
