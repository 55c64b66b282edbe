"""What an encode run would do, without doing it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from fusion.encoders.kinds import row_length
from fusion.encoders.learning import resolve_modality
from fusion.encoders.options import EncodeOptions
from fusion.encoders.survey import survey_samples, training_samples

if TYPE_CHECKING:
    from fusion.datasets.base import Dataset
    from fusion.encoders.kinds import EncoderConfig

_BYTES_BESIDE_FUNCTA = 128


@dataclass(frozen=True)
class Plan:
    """What would be encoded.

    Parameters
    ----------
    dataset : str
    samples : int
    grid : tuple of int
        Points along each coordinate.
    channels : int
    k : int
        Length of a functa.
    bytes : int
        Size of the store, estimated.
    groups : int
    splits, classes : dict of str to int
        Samples in each.
    notes : tuple of str
        What the reader says of how it read the source: files left out, how it was split.
    """

    dataset: str
    samples: int
    grid: tuple[int, ...]
    channels: int
    k: int
    bytes: int
    groups: int
    splits: dict[str, int]
    classes: dict[str, int]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"grid": list(self.grid), "notes": list(self.notes)}


def plan(dataset: Dataset, config: EncoderConfig, options: EncodeOptions | None = None) -> Plan:
    """Count samples, read one of them for the sizes, and estimate the store's size.

    Raises
    ------
    DataError
        When the data set is empty, repeats an ID or has no training samples.
    """
    options = options or EncodeOptions()
    survey = survey_samples(dataset, options, config.seed)
    training = training_samples(dataset, options, config)
    resolved = config.with_modality(resolve_modality(config.modality, training))
    k = row_length(resolved)
    return Plan(
        dataset=dataset.name,
        samples=survey.wanted,
        grid=resolved.modality.grid,
        channels=resolved.modality.d_out,
        k=k,
        bytes=survey.wanted * (4 * k + _BYTES_BESIDE_FUNCTA),
        groups=survey.groups,
        splits=dict(survey.splits),
        classes=dict(survey.classes),
        notes=tuple(getattr(dataset, "notes", ())),
    )
