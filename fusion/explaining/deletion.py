"""Whether what a model is said to look at matters: take it away, and see the margin fall."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.encoders.local.codes import ScaleCodes, row_of, window_codes
from fusion.encoders.local.local import LocalFunctas
from fusion.errors import ConfigError, DataError
from fusion.explaining.attribution import attributions
from fusion.explaining.explanation import window_effects
from fusion.explaining.items import Item, encoders_of, evaluated_items, stored_items
from fusion.models.folder import load_model
from fusion.models.model import Model

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from fusion.explaining.items import Source

_DRAWS = 8
_RESAMPLES = 2000


@dataclass(frozen=True)
class DeletionCheck:
    """What removing windows does to the margin of the predicted class, on average over items.

    Parameters
    ----------
    modality : str
        Name of the branch.
    items : int
    share : float
        Part of the windows of each scale that was removed.
    lost_strongest, lost_random : float
        Margin lost without the windows with the most evidence, and without as many drawn at random.
    difference_interval : (float, float)
        95 % bootstrap interval over items of the difference of the two.
    ahead : float
        Part of the items of which the windows with the most evidence cost more.
    """

    modality: str
    items: int
    share: float
    lost_strongest: float
    lost_random: float
    difference_interval: tuple[float, float]
    ahead: float

    @property
    def passed(self) -> bool:
        """Whether the windows with the most evidence cost more beyond doubt."""
        return self.difference_interval[0] > 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"passed": self.passed}


def check_deletion(
    model: Model | str | Path,
    *,
    items: int = 50,
    share: float = 0.2,
    stores: Mapping[str, str | Path] | None = None,
    sources: Mapping[str, Source] | None = None,
    seed: int = 42,
) -> tuple[DeletionCheck, ...]:
    """Check the evidence of local functas by deletion, for each modality that is coded by windows.

    Parameters
    ----------
    model : Model or path
        Trained; or its folder.
    items : int >= 2
        So many evaluated items are drawn.
    share : float in (0, 1)
        Part of the windows of each scale to remove.
    stores : mapping of str to path, optional
    sources : mapping of str to path or Dataset, optional
        As of `explain`.
    seed : int
        Of the items, the windows at random, and the bootstrap.

    Raises
    ------
    DataError
        The model was evaluated on too few items, or none of its modalities is coded by windows.

    Notes
    -----
    Samek et al., "Evaluating the Visualization of What a Deep Neural Network Has Learned", 2017. The margin is
    what `Task.margins` says: of a model of numbers the number. A row without some windows
    is pooled from the others, so nothing has to be painted over.
    """
    if items < 2 or not 0 < share < 1:
        raise ConfigError(f"{items} items and a share of {share:g}; expected 2 or more items and a share in (0, 1)")
    trained = model if isinstance(model, Model) else load_model(model)
    trained.require_whole()
    trained.require_branches({*(stores or {}), *(sources or {})} - {""}, "a path is")
    encoders = encoders_of(trained)
    coded = {name: encoder for name, encoder in encoders.items() if isinstance(encoder, LocalFunctas)}
    if not coded:
        raise DataError("no modality of this model is coded by windows; expected one encoded with --encoder local")
    known = evaluated_items(trained)
    if not known:
        raise DataError("no predictions are saved beside the model; expected a folder that training wrote")
    names = list(known)
    random = np.random.default_rng(seed)
    drawn = [names[place] for place in np.sort(random.permutation(len(names))[:items])]
    found = stored_items(trained, drawn, known, encoders, stores=stores or {}, sources=sources or {})
    checks = []
    for name, encoder in coded.items():
        lost = [_lost(trained, item, name, encoder, share, random) for item in found if name in item.values]
        if len(lost) < 2:
            raise DataError(f"{len(lost)} of {items} items have {name}; expected 2 or more. Ask for more items")
        checks.append(_checked(name, share, np.array(lost), random))
    return tuple(checks)


def _checked(name: str, share: float, lost: NDArray[np.float64], random: np.random.Generator) -> DeletionCheck:
    strongest, drawn = lost.T
    difference = strongest - drawn
    means = difference[random.integers(len(difference), size=(_RESAMPLES, len(difference)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return DeletionCheck(
        name,
        len(lost),
        share,
        float(strongest.mean()),
        float(drawn.mean()),
        (float(low), float(high)),
        float((difference > 0).mean()),
    )


def _lost(
    model: Model, item: Item, name: str, encoder: LocalFunctas, share: float, random: np.random.Generator
) -> tuple[float, float]:
    """Give the margin lost without the strongest windows, and without random ones on average."""
    outputs = model.outputs(item.functas)[0]
    chosen = int(outputs.argmax())
    scales = window_codes(encoder, item.values[name])
    label = model.classes[chosen] if model.classes else None
    slopes = attributions(model, item.functas, label)[name].slopes
    effects = window_effects(scales, slopes)
    orders = [[np.argsort(-effect, kind="stable") for effect in effects]]
    orders += [[random.permutation(len(effect)) for effect in effects] for _ in range(_DRAWS)]
    rows = np.stack([row_of(scales), *(row_of(scales, _kept(scales, order, share)) for order in orders)])
    given = {other: np.repeat(row, len(rows), axis=0) for other, row in item.functas.items()} | {name: rows}
    found = model.task.margins(model.outputs(given))[:, chosen]
    lost = found[0] - found[1:]
    return float(lost[0]), float(lost[1:].mean())


def _kept(scales: tuple[ScaleCodes, ...], order: list[NDArray[np.int64]], share: float) -> list[NDArray[np.bool_]]:
    found = []
    for scale, places in zip(scales, order, strict=True):
        kept = np.ones(len(scale.codes), bool)
        kept[places[: max(1, round(share * len(places)))]] = False
        found.append(kept)
    return found
