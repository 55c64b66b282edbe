"""What a model looked at in one item, by column, by layer or by place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.encoders.local.codes import ScaleCodes, window_codes
from fusion.encoders.local.local import LocalFunctas
from fusion.errors import ConfigError
from fusion.explaining.attribution import attributions
from fusion.explaining.evidence import BranchEvidence
from fusion.explaining.items import Item, branch_items, encoders_of, evaluated_items, stored_items
from fusion.models.folder import load_model
from fusion.models.model import Model
from fusion.names import name_of

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
    trained.require_branches({*(stores or {}), *(sources or {})} - {""}, "a path is")
    label = name_of(label)
    if label is not None and label not in trained.classes:
        classes = ", ".join(trained.classes) or "none, as it predicts a number"
        raise ConfigError(f"class {label!r}; the model has {classes}")
    known, encoders = evaluated_items(trained), encoders_of(trained)
    (found,) = stored_items(trained, [item], known, encoders, stores=stores or {}, sources=sources or {})
    return explained(trained, found, encoders, label)


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
    for item in branch_items(model.branch(name), encoders[name], list(pictures), store, source):
        if item.functas:
            explained(model, item, encoders).draw(pictures[item.name])


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
    modality, parts = encoder.config.modality, model.branch(name).by_entry(given.contributions)
    whole = BranchEvidence(name, modality, float(given.contributions.sum()), parts)
    if not isinstance(encoder, LocalFunctas) or name not in item.values:
        return whole
    values = item.values[name]
    scales = window_codes(encoder, values)
    effects = window_effects(scales, given.slopes)
    points = [scale.windows.points() for scale in scales]
    heat = sum(_heat(covered, effect, modality.points) for covered, effect in zip(points, effects, strict=True))
    return replace(
        whole,
        heat=np.asarray(heat).reshape(modality.grid),
        values=values.reshape(*modality.grid, modality.d_out),
        strongest=_strongest(points, effects, modality.grid),
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
    points: list[NDArray[np.int64]], effects: list[NDArray[np.float64]], grid: tuple[int, ...]
) -> tuple[dict[str, Any], ...]:
    pairs = [
        (float(value), number, int(window))
        for number, effect in enumerate(effects)
        for window, value in enumerate(effect)
        if value > 0
    ]
    return tuple(
        {"scale": number, **_span(points[number][window], grid), "evidence": value}
        for value, number, window in sorted(pairs, reverse=True)[:_STRONGEST]
    )


def _span(points: NDArray[np.int64], grid: tuple[int, ...]) -> dict[str, list[int]]:
    """Give where a window begins and how far it reaches along each axis."""
    places = np.stack(np.unravel_index(points, grid))
    first, last = places.min(axis=1), places.max(axis=1)
    return {"start": first.tolist(), "size": (last - first + 1).tolist()}
