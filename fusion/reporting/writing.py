"""`functa report`: the page of a model or of a comparison, written beside it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fusion.errors import ConfigError
from fusion.reporting.breakdown import is_number, shown
from fusion.reporting.comparison import is_comparison, render_comparison
from fusion.reporting.gallery import Wall, exhibits
from fusion.reporting.page import render
from fusion.reporting.reading import ModelFolder, report_of
from store import open_store
from store.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_LOG = logging.getLogger(__name__)
_PICTURES = 12


def report(
    model: str | Path,
    out: str | Path | None = None,
    *,
    sources: Mapping[str, str | Path] | None = None,
    stores: Mapping[str, str | Path] | None = None,
    said: Callable[[str], None] | None = None,
) -> Path:
    """Write the report of a model folder, or of a comparison, as one HTML page.

    Parameters
    ----------
    model : path
        Folder that `train` wrote, or that `compare` was given.
    out : path, optional
        Where the page goes; None is ``report.html`` in the folder.
    sources : mapping of str to path, optional
        The data set that each modality's store was made from, by the name of the branch, or "" for all: for pictures of
        originals beside reconstructions, or of the evidence of windows. Built-in data need none.
    stores : mapping of str to path, optional
        Where stores are that are no longer where the model was trained from, by the name of the branch.
    said : callable, optional
        Called with what a user should know: stores that are missing.

    Raises
    ------
    ModelError
        Not a model folder, or one without evaluation.
    ConfigError
        A source or store for a modality that the model does not have, or for a comparison.
    DataError
        A comparison that is not finished, or a damaged one.
    StoreMismatchError
        A store that is given is not the one that the model was trained on.
    """
    target = Path(out) if out is not None else Path(model) / "report.html"
    if is_comparison(model):
        if sources or stores:
            raise ConfigError(f"sources or stores are given for the comparison {model}; expected them with a model.")
        write_whole(target, render_comparison(model))
        return target
    folder = ModelFolder.read(model)
    given = dict(sources or {})
    folder.model.require_branches(set(given) - {""}, "sources are")
    folder.model.require_branches(stores or {}, "stores are")
    places, missing = _stores(folder, stores or {})
    for reason in missing:
        (said or _unsaid)(reason)
    walls = _walls(folder, given, places)
    shown, reasons = exhibits(walls, each=max(2, _PICTURES // max(1, len(walls))))
    page = render(report_of(folder, shown, [*missing, *reasons]))
    write_whole(target, page)
    _LOG.info("report of %s: %s", model, target)
    return target


def _unsaid(reason: str) -> None:
    del reason


def _stores(folder: ModelFolder, given: Mapping[str, str | Path]) -> tuple[dict[str, str], list[str]]:
    """Give where each branch's store is, and what is to be said of those that are gone."""
    found, missing = {}, []
    for branch in folder.model.branches:
        place = given.get(branch.name) or folder.metrics.get("stores", {}).get(branch.name)
        if place is None:
            continue
        if branch.name in given:
            with open_store(place) as store:
                branch.require_same_encoder(store)
        elif "://" not in str(place) and not Path(place).exists():
            missing.append(
                f"the store of {branch.name} is not at {place} any more, so there are no pictures of it; if it was "
                f"moved, say where to with --store {branch.name}=PATH"
            )
            continue
        found[branch.name] = str(place)
    return found, missing


def _walls(folder: ModelFolder, sources: Mapping[str, str | Path], stores: Mapping[str, str]) -> list[Wall]:
    table = folder.predictions
    walls = []
    for branch in folder.model.branches:
        source = branch.source_among(sources)
        if source is None or branch.name not in stores or f"{branch.name}:id" not in table:
            continue
        columns = (table[name].to_numpy(dtype=object) for name in (f"{branch.name}:id", "label", "predicted"))
        ids, truth, predicted = (np.asarray(column) for column in columns)
        right = folder.model.task.hits(truth, predicted)
        if is_number(folder.model.task):
            right = right >= np.nanmedian(right)
        told = [np.array([shown(value) for value in values], dtype=object) for values in (truth, predicted)]
        place, kept = Path(stores[branch.name]), np.asarray(right, bool)
        walls.append(Wall(branch.name, folder.model, place, Path(source), ids, told[0], told[1], kept))
    return walls
