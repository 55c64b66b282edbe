"""Classify files nobody has encoded yet, with a model folder alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.base import Sample
from fusion.encoders.kinds import config_from_dict, state_from_arrays
from fusion.encoders.rows import encode_samples
from fusion.errors import DataError
from fusion.model import Model, load_model
from store import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fusion.modalities import Modality


@dataclass(frozen=True)
class FilePrediction:
    """What a model says of one file.

    Parameters
    ----------
    file : str
    label : str or None
        The most probable class; None when the file could not be encoded.
    probabilities : dict of str to float
        By class, most probable first.
    psnr : float
        How well the file's functa reproduces it, in dB; NaN when there is none.
    error : str
        Why it could not be encoded, or empty.
    """

    file: str
    label: str | None
    probabilities: dict[str, float]
    psnr: float
    error: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def predict_files(model: Model | str | Path, files: Sequence[str | Path]) -> list[FilePrediction]:
    """Encode raw files with the model's own configuration and start, and classify them.

    Parameters
    ----------
    model : Model or path
        A model of one modality, or its folder.
    files : sequence of path

    Returns
    -------
    list of FilePrediction
        One for each file, in the order given; a file that cannot be read says why.

    Raises
    ------
    DataError
        When no file was given.
    """
    if not files:
        raise DataError("no files to predict; expected at least one")
    trained = model if isinstance(model, Model) else load_model(model)
    (block,) = trained.blocks
    config = config_from_dict(block.header["encoder"])
    state = state_from_arrays(config, block.state)
    samples = [
        Sample(f"file-{index}", None, None, None, partial(_read_file, config.modality, Path(path)))
        for index, path in enumerate(files)
    ]
    rows = encode_samples(samples, config=config, state=state).rows
    usable = np.flatnonzero(rows.status != Status.FAILED)
    probabilities = trained.predict_proba(rows.functas[usable]) if len(usable) else np.empty((0, len(trained.classes)))
    by_row = dict(zip(usable.tolist(), probabilities, strict=True))
    return [
        FilePrediction(
            str(path),
            *_ranked(trained.classes, by_row.get(index)),
            psnr=float(rows.psnr[index]),
            error=str(rows.errors[index]),
        )
        for index, path in enumerate(files)
    ]


def _read_file(modality: Modality, path: Path) -> Any:
    return modality.read(path)


def _ranked(classes: Sequence[str], probabilities: NDArray[Any] | None) -> tuple[str | None, dict[str, float]]:
    if probabilities is None:
        return None, {}
    order = np.argsort(-probabilities, kind="stable")
    return classes[order[0]], {classes[index]: float(probabilities[index]) for index in order}
