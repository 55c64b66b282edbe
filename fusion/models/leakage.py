"""Whether what an encoder learned before its first fit came from rows that a figure is measured on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fusion.encoders.encoder import encoder_class
from fusion.errors import DataError
from fusion.features.items import Items
from store import FunctaStore

__all__ = ["require_unseen"]


_FREE_OF_START = (
    "without labels of these rows beyond the choice of a few per class. For figures free of it encode with "
    "--initialisation random and a fixed scaling, or one store for each set of rows held out."
)
_FREE_OF_IT = {
    "columns": "without labels of these rows. For figures free of it encode one store for each set of rows held out."
}


def require_unseen(stores: Mapping[str, FunctaStore], test: Items, *, cv: str | None = None) -> tuple[str, ...]:
    """Refuse figures on rows that an encoder learned its representation from; tell of those its start came from.

    A store says in its header which splits its encoder learned from. Where rows of these splits are tested, the test
    rows have shaped the functas of training and test rows alike, without their labels.

    Parameters
    ----------
    stores : mapping of str to FunctaStore
        Open stores by branch name.
    test : Items
        All rows that are tested, in any fold.
    cv : str, optional
        "folds", "group" or a number of folds, for the message; None = one training and one test split.

    Returns
    -------
    tuple of str
        One note for each store whose start and scaling were learned from tested rows: constants that are the same for
        every row, beside which each network is still fitted to its own sample alone.

    Raises
    ------
    DataError
        A store of another kind of encoder, whose rows are written in what was learned (a dictionary, a shared network).
    """
    notes = []
    for name, store in stores.items():
        seen = _seen(store.header.conventions, test.having(name))
        if not seen:
            continue
        encoder = encoder_class(str(store.header.encoder.get("kind", "functa")))
        learned = encoder.learned
        what = f"the {learned} of store {store.path} were learned from {_quoted(seen)}, which {_tested(cv)} tests on"
        if encoder.has_dictionary:
            raise DataError(f"{what}; expected rows that the encoder has not seen. {_advice(cv)}")
        notes.append(f"{what}, {_FREE_OF_IT.get(encoder.config_class.kind, _FREE_OF_START)}")
    return tuple(notes)


def _seen(conventions: Mapping[str, Any], test: Items) -> list[str]:
    learned_from = set(conventions.get("train_splits", ()))
    return sorted(learned_from & {split for split in test.splits if split is not None})


def _quoted(splits: list[str]) -> str:
    return f"split{'s' if len(splits) > 1 else ''} {', '.join(map(repr, splits))}"


def _tested(cv: str | None) -> str:
    return "the test split" if cv is None else f"cross-validation by {cv}" if cv == "group" else "each fold"


def _advice(cv: str | None) -> str:
    if cv == "folds":
        return (
            "Encode a store for each fold held out (functa encode ... --train-split FOLD for every other fold) and "
            "train on it with the same --train-split FOLD ... and --test-split HELD; or encode functas, which learn "
            "nothing with --initialisation random and a fixed scaling."
        )
    if cv is not None:
        return (
            "Give the groups held out a split of their own (--train-split, --test-split), or encode functas with "
            "--initialisation random."
        )
    return "Encode again with --train-split naming only splits that are not tested."
