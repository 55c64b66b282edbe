"""Feature branches of a model folder: cards in ``model.json``, arrays in ``arrays.npz``."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from fusion.errors import ModelError
from fusion.features.fitted import FittedFeatures
from fusion.models.model import ModelBranch

if TYPE_CHECKING:
    from fusion.features.transformer import FunctaFeatures

__all__ = ["BranchCard", "branch_card", "pack_arrays", "restore_branch", "unpack_arrays"]


_MAX_BYTES = 2**31
_OPTIONS = ("features", "filter_invariant", "normalise", "max_columns")


class HeaderCard(BaseModel):
    """What is read of the header of a training store."""

    model_config = ConfigDict(strict=True, extra="allow")
    modality: str
    k: int
    layout: list[list[Any]]
    encoder: dict[str, Any]


class BranchCard(BaseModel):
    """One feature branch."""

    model_config = ConfigDict(strict=True, extra="forbid")
    name: str
    fingerprint: str
    features: str
    filter_invariant: bool
    normalise: bool
    max_columns: int | None = None
    header: HeaderCard


def branch_card(branch: ModelBranch) -> BranchCard:
    """Describe a branch."""
    return BranchCard(
        name=branch.name,
        fingerprint=branch.fingerprint,
        **{name: getattr(branch.features, name) for name in _OPTIONS},
        header=HeaderCard.model_validate(dict(branch.header)),
    )


def pack_arrays(branches: Sequence[ModelBranch]) -> bytes:
    """Put what the branches learned, and the states of their encoders, into one archive."""
    arrays: dict[str, NDArray[Any]] = {}
    for number, branch in enumerate(branches):
        learned = {"keep": branch.features.keep_, "mean": branch.features.mean_, "scale": branch.features.scale_}
        arrays |= {f"{number}/{name}": array for name, array in learned.items()}
        arrays |= {f"{number}/state/{name}": array for name, array in branch.state.items()}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack_arrays(folder: Path, content: bytes) -> dict[str, NDArray[Any]]:
    """Read the archive back; ModelError when it holds anything but plain arrays, each as long as it says."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _require_bounded(archive)
            return {name.removesuffix(".npy"): _plain_array(archive.read(name)) for name in archive.namelist()}
    except Exception as error:
        raise ModelError(
            f"arrays.npz of the model in {folder} is not an archive of plain arrays: {_one_line(error)}. Train again."
        ) from error


def _require_bounded(archive: zipfile.ZipFile) -> None:
    size = sum(entry.file_size for entry in archive.infolist())
    if size > _MAX_BYTES:
        raise ValueError(f"its arrays have {size} bytes, expected at most {_MAX_BYTES}")


def _plain_array(data: bytes) -> NDArray[Any]:
    """Read one array without taking its word for how long it is."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, in_columns, dtype = read(file)
    left = len(data) - file.tell()
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != left:
        raise ValueError(f"an array of {dtype} and shape {str(shape)[:80]} has {left} bytes")
    order: Literal["F", "C"] = "F" if in_columns else "C"
    return np.frombuffer(data, dtype, offset=file.tell()).reshape(shape, order=order).copy()


def _one_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def restore_branch(
    folder: Path, number: int, card: BranchCard, arrays: Mapping[str, NDArray[Any]], *, only_predict: bool = False
) -> ModelBranch:
    """Put a branch together again; ModelError when its arrays do not fit its card."""
    prefix = f"{number}/state/"
    state = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
    learned = {name: arrays.get(f"{number}/{name}", np.zeros(0)) for name in ("keep", "mean", "scale")}
    keep = learned["keep"]
    kept = int(np.count_nonzero(keep))
    for name, kind, shape in (
        ("keep", "bool", (card.header.k,)),
        ("mean", "float64", (kept,)),
        ("scale", "float64", (kept,)),
    ):
        if learned[name].dtype.name != kind or learned[name].shape != shape:
            raise ModelError(
                f"{name} of branch {card.name!r} in arrays.npz of {folder} is {learned[name].dtype.name} of shape "
                f"{learned[name].shape}; expected {kind} of shape {shape}. Train again."
            )
    usable = [np.isfinite(learned["mean"]), np.isfinite(learned["scale"]), learned["scale"] > 0]
    if not np.all(usable):
        raise ModelError(
            f"mean or scale of branch {card.name!r} in arrays.npz of {folder} is not finite or not above 0, so that "
            "nothing can be divided by it. Train again."
        )
    features: Any = (_fitted if only_predict else _learning)(card, learned, state.get("start"))
    return ModelBranch(card.name, features, card.header.model_dump(), state, card.fingerprint)


def _fitted(card: BranchCard, learned: Mapping[str, NDArray[Any]], start: NDArray[Any] | None) -> FittedFeatures:
    subtracted = start if card.features == "delta" else None
    return FittedFeatures(learned["keep"], learned["mean"], learned["scale"], subtracted, card.normalise)


def _learning(card: BranchCard, learned: Mapping[str, NDArray[Any]], start: NDArray[Any] | None) -> FunctaFeatures:
    from fusion.features.transformer import FunctaFeatures  # scikit-learn takes a second that prediction does not have

    options = {name: getattr(card, name) for name in _OPTIONS}
    return FunctaFeatures(start=start, **options).restore(learned["keep"], learned["mean"], learned["scale"])
