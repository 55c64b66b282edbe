"""`functa report`: the page of a model, written beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fusion.errors import ConfigError
from fusion.reporting.gallery import Wall, exhibits
from fusion.reporting.page import render
from fusion.reporting.reading import ModelFolder, report_of
from store.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

_PICTURES = 12


def report(
    model: str | Path,
    out: str | Path | None = None,
    *,
    sources: Mapping[str, str | Path] | None = None,
) -> Path:
    """Write the report of a model folder as one HTML page.

    Parameters
    ----------
    model : path
        Folder that `train` wrote.
    out : path, optional
        Where the page goes; None is ``report.html`` in the folder.
    sources : mapping of str to path, optional
        The data set that each modality's store was made from, by the name of the branch, or "" for all: for pictures of
        originals beside reconstructions. Built-in data need none.

    Raises
    ------
    ModelError
        Not a model folder, or one without evaluation.
    ConfigError
        A source for a modality that the model does not have.
    """
    folder = ModelFolder.read(model)
    given = dict(sources or {})
    unknown = sorted(set(given) - {"", *folder.names})
    if unknown:
        raise ConfigError(f"sources are given for {', '.join(unknown)}; the model has {', '.join(folder.names)}")
    walls = _walls(folder, given)
    shown, reasons = exhibits(walls, each=max(2, _PICTURES // max(1, len(walls))))
    target = Path(out) if out is not None else Path(model) / "report.html"
    page = render(report_of(folder, shown, reasons))
    write_whole(target, page)
    return target


def _walls(folder: ModelFolder, sources: Mapping[str, str | Path]) -> list[Wall]:
    table, stores = folder.predictions, folder.metrics.get("stores", {})
    walls = []
    for branch in folder.model.branches:
        source = sources.get(branch.name, sources.get("")) or (
            "." if branch.header.get("dataset") == "figure" else None
        )
        if source is None or branch.name not in stores or f"{branch.name}:id" not in table:
            continue
        columns = (table[name].to_numpy(dtype=object) for name in (f"{branch.name}:id", "label", "predicted"))
        ids, truth, predicted = (np.asarray(column) for column in columns)
        walls.append(Wall(branch.name, Path(stores[branch.name]), Path(source), ids, truth, predicted))
    return walls
