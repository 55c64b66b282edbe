"""Lists the rows of a store that fit a description."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from store.errors import StoreError
from store.frames import beside
from store.functa_store import FunctaStore
from store.rows import Rows, Status


def list_rows(
    store: FunctaStore,
    *,
    pattern: str | None = None,
    split: str | Collection[str] | None = None,
    label: str | Collection[str] | None = None,
    group: str | Collection[str] | None = None,
    min_psnr: float | None = None,
    max_psnr: float | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Describe usable rows in row order.

    Parameters
    ----------
    store : FunctaStore
    pattern : str, optional
        Shell-style, for the ID: ``"*/walk-*"``.
    split, label, group : str or collection of str, optional
    min_psnr, max_psnr : float, optional
        In dB; rows without a PSNR fit neither.
    limit : int, optional
        The first so many.

    Returns
    -------
    list of dict
        ``id``, ``label``, ``split``, ``group``, ``psnr``, ``steps``, ``status`` and columns of users, ready for JSON.
    """
    if limit is not None and limit < 0:
        raise StoreError(f"limit is {limit}, expected 0 or more")
    rows = store.read(functas=False)
    fits = np.ones(len(rows), bool)
    for wanted, values in ((split, rows.splits), (label, rows.labels), (group, rows.groups)):
        if wanted is not None:
            names = {wanted} if isinstance(wanted, str) else set(wanted)
            fits &= [value in names for value in values]
    if pattern is not None:
        fits &= [fnmatchcase(name, pattern) for name in rows.ids]
    if min_psnr is not None:
        fits &= rows.psnr >= min_psnr
    if max_psnr is not None:
        fits &= rows.psnr <= max_psnr
    return [_describe(rows, int(row)) for row in np.flatnonzero(fits)[:limit]]


def _describe(rows: Rows, row: int) -> dict[str, Any]:
    psnr = float(rows.psnr[row])
    found = {
        "id": rows.ids[row],
        "label": rows.labels[row],
        "split": rows.splits[row],
        "group": rows.groups[row],
        "psnr": psnr if np.isfinite(psnr) else None,
        "steps": int(rows.steps[row]),
        "status": Status(int(rows.status[row])).name.lower(),
    }
    return found | {name: _plain(values[row]) for name, values in beside(rows.extra, found).items()}


def _plain(value: Any) -> Any:
    found = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(found, float) and not np.isfinite(found) else found
