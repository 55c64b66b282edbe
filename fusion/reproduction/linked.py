"""Rows of a table that join several stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fusion.features.items import labelled_items
from fusion.features.source import opened_source
from fusion.linking import link
from fusion.reproduction.shuffled import shuffled_checks
from fusion.reproduction.study import trained_result
from fusion.reproduction.table import Check

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fusion.reproduction.study import Encoding, Study
    from fusion.reproduction.table import Result


def link_stores(study: Study, name: str, stores: Mapping[str, Path], **how: Any) -> Path:
    """Join stores and keep the link table in the study's folder.

    Parameters
    ----------
    study : Study
    name : str
        Of the table's file.
    stores : mapping of str to Path
        By the name that each branch gets.
    **how
        Of `fusion.linking.link`.
    """
    return link(dict(stores), seed=study.seed, **how).save(study.place("links", f"{name}.parquet"))


def fused_result(
    study: Study,
    model: str,
    encodings: Mapping[str, Encoding],
    *,
    name: str,
    joined: Mapping[str, Any],
    stores: Mapping[str, str] | None = None,
    paper: float | None = None,
    note: str = "",
    **how: Any,
) -> Result:
    """Encode each modality, join, train a fusion: one row of a table.

    Parameters
    ----------
    study : Study
    model : str
        What the row is called.
    encodings : mapping of str to Encoding
        By branch name.
    name : str
        Of the model in the study's folder.
    joined : mapping
        How to join, as `fusion.linking.link` takes it.
    stores : mapping of str to str, optional
        Names of the branches' stores, where other rows have them; by name and branch when not given.
    paper : float, optional
    note : str
        As in `Result`.
    **how
        Of `fusion.train`, such as ``fusion`` or ``preset``.
    """
    told: dict[str, Any] = {"model": model, "paper": paper, "note": note}

    def make() -> Result:
        names = stores or {branch: _store_name(name, branch) for branch in encodings}
        made = {branch: study.store(names[branch], encoding) for branch, encoding in encodings.items()}
        table = link_stores(study, name, {branch: path for branch, (path, _) in made.items()}, **joined)
        trained = study.model(name, table, **how)
        modalities = {
            branch: {"accuracy": figures.accuracy, "without": figures.accuracy_without, "missing": figures.missing}
            for branch, figures in trained.modalities.items()
        }
        seconds = {path.name: seconds for path, seconds in made.values()}
        return trained_result(trained, seconds, {"modalities": modalities}, **told)

    settings = {"encodings": {branch: study.described(encoding) for branch, encoding in encodings.items()}}
    return study.once(name, {**settings, "joined": dict(joined), "how": how}, make, **told)


def linked_audit(study: Study, name: str, *, about: str = "") -> list[Check]:
    """Ask of a link table whether its training and test items share anything, and shuffle its labels.

    Parameters
    ----------
    study : Study
    name : str
        Of the row whose link table it is.
    about : str
        What stands before each question.
    """
    path = study.place("links", f"{name}.parquet")
    with opened_source(path) as source:
        training, test = (labelled_items(source.items, (split,), split) for split in ("train", "test"))
    samples = sum(len(_named(ids) & _named(test.rows[branch])) for branch, ids in training.rows.items())
    groups = sum(len(_named(of) & _named(test.branch_groups[branch])) for branch, of in training.branch_groups.items())
    return [
        _nothing_shared("samples", samples, len(test)).about(about),
        _nothing_shared("groups", groups, len(test)).about(about),
        *shuffled_checks(study, {about: path}),
    ]


def _nothing_shared(what: str, shared: int, items: int) -> Check:
    question = f"{what} of any modality in linked items of both sides"
    return Check(question, f"{shared} shared, {items:,} test items", shared == 0, {"shared": shared})


def _named(column: NDArray[np.object_]) -> set[Any]:
    return set(column) - {None}


def _store_name(name: str, branch: str) -> str:
    # The encoders of one study share their stores, whatever the model is called.
    return f"{name.split('-')[0]}-{branch}"
