"""Rows of a table that join several stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fusion.linking import link
from fusion.reproduction.study import trained_result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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
        By the name that each block gets.
    **how
        Of `fusion.linking.link`.
    """
    target = study.folder / "links" / f"{name}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    return link(dict(stores), seed=study.seed, **how).save(target)


def fused_result(
    study: Study,
    model: str,
    encodings: Mapping[str, Encoding],
    *,
    name: str,
    joined: Mapping[str, Any],
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
        By block name.
    name : str
        Of the model in the study's folder.
    joined : mapping
        How to join, as `fusion.linking.link` takes it.
    paper, note
        As in `Result`.
    **how
        Of `fusion.train`, such as ``fusion`` or ``preset``.
    """
    told: dict[str, Any] = {"model": model, "paper": paper, "note": note}

    def make() -> Result:
        made = {block: study.store(_store_name(name, block), encoding) for block, encoding in encodings.items()}
        table = link_stores(study, name, {block: path for block, (path, _) in made.items()}, **joined)
        trained = study.model(name, table, **how)
        modalities = {
            block: {"accuracy": figures.accuracy, "without": figures.accuracy_without, "missing": figures.missing}
            for block, figures in trained.modalities.items()
        }
        return trained_result(trained, sum(seconds for _, seconds in made.values()), {"modalities": modalities}, **told)

    settings = {"encodings": {block: study.described(encoding) for block, encoding in encodings.items()}}
    return study.once(name, {**settings, "joined": dict(joined), "how": how}, make, **told)


def _store_name(name: str, block: str) -> str:
    # The encoders of one study share their stores, whatever the model is called.
    return f"{name.split('-')[0]}-{block}"
