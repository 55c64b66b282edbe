"""Pictures of some test samples beside what their functas give back, or with the evidence of their windows."""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fusion.encoders.decoding import compare_samples
from fusion.encoders.encoder import encoder_class
from fusion.encoders.local.local import LocalFunctas
from fusion.errors import FusionError
from fusion.explaining.explanation import draw_evidence
from fusion.reporting.content import Exhibit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fusion.models.model import Model

_WIDEST = 800


@dataclass(frozen=True)
class Wall:
    """One modality of the gallery: its store, the data it was made from, and test rows to choose from.

    Parameters
    ----------
    name : str
        Of the branch.
    model : Model
    store, source : Path
    ids, truth, predicted : NDArray of object, shape=(n,)
        Test rows; `ids` are those of this store, None where it has none.
    right : NDArray of bool, shape=(n,)
        Which were predicted rightly; of numbers the half that is less off.
    """

    name: str
    model: Model
    store: Path
    source: Path
    ids: NDArray[np.object_]
    truth: NDArray[np.object_]
    predicted: NDArray[np.object_]
    right: NDArray[np.bool_]

    @property
    def has_places(self) -> bool:
        """Whether its rows are pooled over windows, which have places; no other row can be decoded."""
        kind = self.model.branch(self.name).header["encoder"].get("kind", "functa")
        return issubclass(encoder_class(kind), LocalFunctas)


def exhibits(walls: Sequence[Wall], *, each: int = 4, seed: int = 42) -> tuple[list[Exhibit], list[str]]:
    """Draw some samples of each modality, half of them wrongly classified where there are such.

    Returns
    -------
    list of Exhibit, list of str
        And why a modality has none.
    """
    shown: list[Exhibit] = []
    reasons: list[str] = []
    for wall in walls:
        try:
            shown += _hung(wall, _chosen(wall, each, seed))
        except FusionError as error:
            reasons.append(f"No pictures of {wall.name}: {error}")
    return shown, reasons


def _chosen(wall: Wall, count: int, seed: int) -> list[int]:
    random = np.random.default_rng(seed)
    present = np.array([sample_id is not None for sample_id in wall.ids], dtype=bool)
    wrong_rows = random.permutation(np.flatnonzero(present & ~wall.right))[: count // 2]
    right_rows = random.permutation(np.flatnonzero(present & wall.right))[: count - len(wrong_rows)]
    return [int(row) for row in (*right_rows, *wrong_rows)]


def _hung(wall: Wall, rows: list[int]) -> list[Exhibit]:
    if not rows:
        return []
    with tempfile.TemporaryDirectory(prefix="functa-") as folder:
        pictures = {str(wall.ids[row]): Path(folder) / f"{row}.png" for row in rows}
        if wall.has_places:
            draw_evidence(wall.model, wall.name, wall.store, wall.source, pictures)
        else:
            compare_samples(wall.store, wall.source, pictures)
        return [
            Exhibit(wall.name, sample_id, str(wall.truth[row]), str(wall.predicted[row]), _small(picture))
            for row, (sample_id, picture) in zip(rows, pictures.items(), strict=True)
        ]


def _small(picture: Path) -> bytes:
    """Give a PNG no wider than a column of the page on a sharp screen, in 128 colours."""
    from PIL import Image

    with Image.open(picture) as opened:
        image = opened.convert("RGB")
    if image.width > _WIDEST:
        image = image.resize((_WIDEST, round(image.height * _WIDEST / image.width)), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.quantize(128).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
