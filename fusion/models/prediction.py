"""Classify files nobody has encoded yet, with a model folder alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.base import Sample
from fusion.encoders.encoder import Encoder, restored
from fusion.errors import DataError
from fusion.models.file_items import FileItem, grouped
from fusion.models.folder import Model, load_model
from store import Rows, Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.modalities import Modality

__all__ = ["FilePrediction", "PartPrediction", "predict"]


@dataclass(frozen=True)
class PartPrediction:
    """What became of one file of an item.

    Parameters
    ----------
    file : str
    psnr : float
        How well the file's functa reproduces it, in dB; NaN when there is none.
    error : str
        Why it could not be encoded, or empty.
    """

    file: str
    psnr: float
    error: str


@dataclass(frozen=True)
class FilePrediction:
    """What a model says of one item: a file, or files of several modalities that belong together.

    Parameters
    ----------
    file : str
        Its files, joined by " + ".
    label : str or None
        The most probable class; None when no file could be encoded.
    probabilities : dict of str to float
        By class, most probable first.
    psnr : float
        How well the functas reproduce the files, in dB, the lowest of them; NaN when there is none.
    error : str
        Why a file could not be encoded, or empty; the others are classified without it.
    modalities : dict of str to PartPrediction
        By branch name; a modality without a file is missing.
    """

    file: str
    label: str | None
    probabilities: dict[str, float]
    psnr: float
    error: str
    modalities: dict[str, PartPrediction]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def predict(model: Model | str | Path, files: Sequence[str | Path | Mapping[str, str | Path]]) -> list[FilePrediction]:
    """Encode raw files with the model's own configurations and starts, and classify them.

    Parameters
    ----------
    model : Model or path
        A model, or its folder.
    files : sequence of path or mapping of branch name to path
        A mapping is one item. Paths are put to branches and items as `grouped` says; of a model of one modality every
        file is an item.

    Returns
    -------
    list of FilePrediction
        One for each item, in the order of their first files; a file that cannot be read says why.

    Raises
    ------
    DataError
        When no file was given.
    ConfigError
        When it cannot be told to which modality a file belongs, or an item has two files of one.
    """
    if not files:
        raise DataError("no files to predict; expected at least one")
    trained = model if isinstance(model, Model) else load_model(model)
    encoders = {branch.name: restored(branch.header["encoder"], branch.state) for branch in trained.branches}
    items = grouped(files, {name: encoder.config.modality.suffixes for name, encoder in encoders.items()})
    encoded = {name: _encoded(name, encoder, items) for name, encoder in encoders.items()}
    functas = {name: rows.functas for name, rows in encoded.items()}
    usable = np.flatnonzero(np.any([rows.status != Status.FAILED for rows in encoded.values()], axis=0))
    probabilities = np.full((len(items), len(trained.classes)), np.nan)
    if len(usable):
        probabilities[usable] = trained.predict_proba({name: rows[usable] for name, rows in functas.items()})
    return [_prediction(trained, item, number, encoded, probabilities[number]) for number, item in enumerate(items)]


def _prediction(
    model: Model, item: FileItem, number: int, encoded: Mapping[str, Rows], probabilities: NDArray[Any]
) -> FilePrediction:
    parts = {
        name: PartPrediction(str(path), float(encoded[name].psnr[number]), str(encoded[name].errors[number]))
        for name, path in item.items()
    }
    known = [part.psnr for part in parts.values() if not np.isnan(part.psnr)]
    return FilePrediction(
        " + ".join(part.file for part in parts.values()),
        *_ranked(model.classes, probabilities),
        psnr=min(known, default=float("nan")),
        error=_reasons(parts),
        modalities=parts,
    )


def _reasons(parts: Mapping[str, PartPrediction]) -> str:
    failed = {name: part.error for name, part in parts.items() if part.error}
    if len(parts) == 1:
        return next(iter(parts.values())).error
    return "; ".join(f"{name}: {error}" for name, error in failed.items())


def _encoded(name: str, encoder: Encoder, items: Sequence[FileItem]) -> Rows:
    """Encode the files of one modality: a row for each item, failed without a reason where it has no such file."""
    here = [number for number, item in enumerate(items) if name in item]
    read = partial(_read_file, encoder.config.modality)
    samples = [Sample(f"file-{number}", None, None, None, partial(read, items[number][name])) for number in here]
    found = encoder.encode(samples).rows
    functas = np.full((len(items), encoder.config.k), np.nan, np.float32)
    psnr = np.full(len(items), np.nan, np.float32)
    status = np.full(len(items), Status.FAILED, np.uint8)
    errors = np.full(len(items), "", dtype=object)
    functas[here], psnr[here], status[here], errors[here] = found.functas, found.psnr, found.status, found.errors
    names = [f"file-{number}" for number in range(len(items))]
    return Rows.build(names, functas, psnr=psnr, status=status, errors=errors)


def _read_file(modality: Modality, path: Path) -> Any:
    return modality.read(path)


def _ranked(classes: Sequence[str], probabilities: NDArray[Any]) -> tuple[str | None, dict[str, float]]:
    if np.isnan(probabilities[0]):
        return None, {}
    order = np.argsort(-probabilities, kind="stable")
    return classes[order[0]], {classes[index]: float(probabilities[index]) for index in order}
