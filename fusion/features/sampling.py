"""A seeded share of the training rows, for stores that are too large to train on whole."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pandas as pd

from fusion.errors import ConfigError
from fusion.features.items import Items

__all__ = ["require_share", "sampled_items"]


def require_share(share: float | None) -> None:
    """Refuse what is no share; ConfigError."""
    if share is not None and not 0 < share <= 1:
        raise ConfigError(f"sample is {share}; expected a share of the training groups, above 0 and up to 1.")


def sampled_items(items: Items, share: float, seed: int) -> tuple[Items, str]:
    """Draw a share of whole groups, of the IDs where there are no groups; also say in a line what was drawn.

    A row without a group in a source that has groups is a group of its own. Which are drawn depends on their names and
    the seed, not on their order; there is always at least one.

    Parameters
    ----------
    items : Items
        The training items.
    share : float, 0 < share <= 1
        Of the groups, rounded up.
    seed : int
    """
    codes, names, what = _units(items)
    order = np.lexsort((names, _hashes(names, seed)))
    drawn = np.zeros(len(names), dtype=np.bool_)
    drawn[order[: int(np.ceil(share * len(names)))]] = True
    chosen = items.take(drawn[codes])
    told = (
        f"trained on a sample: {int(drawn.sum()):,} of {len(names):,} {what}, {len(chosen):,} of {len(items):,} "
        f"training rows (share {share:g}, seed {seed})."
    )
    return chosen, told


def _units(items: Items) -> tuple[np.ndarray, np.ndarray, str]:
    """Return the number of each item's group, the names of the groups, and what they are."""
    codes, names = pd.factorize(items.groups)
    lone = codes < 0
    if lone.all():
        return np.arange(len(items)), items.ids, "IDs"
    codes[lone] = len(names) + np.arange(int(lone.sum()))
    # "g" and "i" keep an ID apart from a group of the same name
    units = [*("g" + name for name in names), *("i" + name for name in items.ids[lone])]
    return codes, np.array(units, dtype=object), "groups"


def _hashes(names: np.ndarray, seed: int) -> np.ndarray:
    key = blake2b(f"sample/{seed}".encode(), digest_size=8).hexdigest()
    return np.asarray(pd.util.hash_array(names, hash_key=key, categorize=False))
