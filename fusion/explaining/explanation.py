"""What a model looked at in one item, by column, by layer or by place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.encoders.local.codes import ScaleCodes, window_codes
from fusion.encoders.local.local import LocalFunctas
from fusion.errors import ConfigError
from fusion.explaining.attribution import attributions
from fusion.explaining.evidence import BranchEvidence
from fusion.explaining.items import Item, branch_items, encoders_of, stored_items
from fusion.models.folder import load_model
from fusion.models.model import Model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from fusion.encoders.encoder import Encoder
    from fusion.explaining.attribution import Attribution
    from fusion.explaining.items import Source

_STRONGEST = 5


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a model says what it says of one item.

    Parameters
    ----------
    id : str
    label : str or None
        The class or label that is explained; None of a model of numbers.
    truth : str or None
    predicted : str or float
        A class, labels in one text, or a number.
    probabilities : dict of str to float
        By class or label, most probable first; empty of a model of numbers.
    branches : tuple of BranchEvidence
    """

    id: str
    label: str | None
    truth: str | None
    predicted: str | float
    probabilities: dict[str, float]
    branches: tuple[BranchEvidence, ...]

    def draw(self, path: str | Path) -> Path:
        """Draw it as a PNG: the signal with its evidence, or bars of columns or layers, for each modality."""
        from fusion.explaining.pictures import draw_strips  # matplotlib takes a second

        return draw_strips(self.branches, str(self), Path(path))

    def __str__(self) -> str:
        truth = "" if self.truth is None else f", labelled {self.truth}"
        if self.label is None:
            return f"{self.id}{truth}: what makes it {self.predicted:.4g}"
        return f"{self.id}{truth}: evidence for {self.label} (probability {self.probabilities[self.label]:.3f})"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "id": self.id,
            "class": self.label,
            "label": self.truth,
            "predicted": self.predicted,
            "probabilities": self.probabilities,
            "modalities": {branch.name: branch.to_dict() for branch in self.branches},
        }


def explain(
    model: Model | str | Path,
    item: str,
    *,
    label: str | None = None,
    stores: Mapping[str, str | Path] | None = None,
    sources: Mapping[str, Source] | None = None,
) -> Explanation:
    """Tell what a model looked at in one item of its stores.

    Parameters
    ----------
    model : Model or path
        Trained; or its folder.
    item : str
        ID of an item that the model was evaluated on, or of a sample in its stores.
    label : str, optional
        Class to explain; the most probable one when not given.
    stores : mapping of str to path, optional
        Where stores are that have moved, by the name of the modality in the model.
    sources : mapping of str to path or Dataset, optional
        The data set behind each store, by the name of the modality, or "" for all. Local functas need it: places of
        windows are not in the store.

    Raises
    ------
    DataError
        No such item, or a source that is not what was encoded.
    ConfigError
        A class or modality that the model does not have, or no source where one is needed.
    """
    trained = model if isinstance(model, Model) else load_model(model)
    trained.require_whole()
    require_branches(trained, {**(stores or {}), **(sources or {})})
    if label is not None and label not in trained.classes:
        known = ", ".join(trained.classes) or "none, as it predicts a number"
        raise ConfigError(f"class {label!r}; the model has {known}")
    (found,) = stored_items(trained, [item], stores=stores or {}, sources=sources or {})
    return explained(trained, found, encoders_of(trained), label)


def draw_evidence(model: Model, name: str, store: str | Path, source: str | Path, pictures: Mapping[str, Path]) -> None:
    """Draw what the model sees in samples of one modality.

    Parameters
    ----------
    model : Model
    name : str
        Of the modality in the model.
    store, source : path
        Its store, and the data set that this was made from.
    pictures : mapping of str to Path
        PNG to draw, by the sample's ID.
    """
    encoders = encoders_of(model)
    for item in branch_items(model, name, list(pictures), store, source):
        if item.functas:
            explained(model, item, encoders).draw(pictures[item.name])


def require_branches(model: Model, given: Mapping[str, Any]) -> None:
    """Refuse names of modalities that a model does not have; ConfigError names those that it has."""
    names = [branch.name for branch in model.branches]
    unknown = sorted(set(given) - {"", *names})
    if unknown:
        raise ConfigError(f"a path is given for {', '.join(unknown)}; the model has {', '.join(names)}")


def explained(model: Model, item: Item, encoders: Mapping[str, Encoder], label: str | None = None) -> Explanation:
    """Explain an item that was looked up."""
    outputs = model.outputs(item.functas)
    order = np.argsort(-outputs[0], kind="stable")
    chosen = label or (model.classes[order[0]] if model.classes else None)
    found = attributions(model, item.functas, chosen)
    branches = tuple(_evidence(name, encoders[name], item, model, given) for name, given in found.items())
    probabilities = {model.classes[place]: float(outputs[0, place]) for place in order} if model.classes else {}
    predicted = model.task.decided(outputs, model.classifier.classes_).tolist()[0]
    return Explanation(item.name, chosen, item.truth, predicted, probabilities, branches)


def _evidence(name: str, encoder: Encoder, item: Item, model: Model, given: Attribution) -> BranchEvidence:
    header = next(branch.header for branch in model.branches if branch.name == name)
    modality = encoder.config.modality
    whole = BranchEvidence(name, modality, float(given.contributions.sum()), given.parts(header))
    if not isinstance(encoder, LocalFunctas) or name not in item.values:
        return whole
    values = item.values[name]
    scales = window_codes(encoder, values)
    effects = window_effects(scales, given.slopes)
    heat = sum(
        _heat(scale.points(encoder.config.channels), effect, modality.points)
        for scale, effect in zip(scales, effects, strict=True)
    )
    return BranchEvidence(
        name,
        modality,
        whole.total,
        whole.parts,
        np.asarray(heat).reshape(modality.grid),
        values.reshape(*modality.grid, modality.d_out),
        _strongest(scales, effects, modality.grid, encoder.config.channels),
    )


def window_effects(scales: tuple[ScaleCodes, ...], slopes: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Give, for each scale, how much of the margin each window is worth, shape (w,)."""
    effects, at = [], 0
    for scale in scales:
        size = len(scale.pools) * scale.windows.cells * scale.codes.shape[1]
        effects.append(scale.effects(slopes[at : at + size]))
        at += size
    return effects


def _heat(points: NDArray[np.int64], effect: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    shares = np.repeat(effect / points.shape[1], points.shape[1])
    return np.bincount(points.ravel(), shares, minlength=count).astype(np.float64)


def _strongest(
    scales: tuple[ScaleCodes, ...], effects: list[NDArray[np.float64]], grid: tuple[int, ...], channels: int
) -> tuple[dict[str, Any], ...]:
    pairs = [
        (float(value), number, int(window))
        for number, effect in enumerate(effects)
        for window, value in enumerate(effect)
        if value > 0
    ]
    return tuple(
        {
            "scale": number,
            "start": [int(i) for i in np.unravel_index(scales[number].points(channels)[window, 0], grid)],
            "size": list(scales[number].windows.size),
            "evidence": value,
        }
        for value, number, window in sorted(pairs, reverse=True)[:_STRONGEST]
    )
