"""What a report says, as plain values: the page knows nothing of models or stores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fusion.metrics import Figures
    from fusion.reporting.breakdown import Mistake, Part


@dataclass(frozen=True)
class ModelFigures:
    """How good one model is.

    Parameters
    ----------
    name : str
        A modality, or the kind of fusion.
    evaluation : Figures
        On the test rows that have what it reads.
    fused : bool
    same_rows : Figures or None
        On the test rows that have all modalities.
    """

    name: str
    evaluation: Figures
    fused: bool = False
    same_rows: Figures | None = None


@dataclass(frozen=True)
class ModalityPart:
    """What one modality adds to a fusion.

    Parameters
    ----------
    name : str
    score : float
        Of its own model.
    without : float or None
        Of the fusion when this modality is missing in every test row.
    contribution : float or None
        Its share of what moves the fused prediction, 0 to 1.
    missing : sequence of (share missing, score)
        Of the fusion, as more and more test rows lack this modality.
    """

    name: str
    score: float
    without: float | None = None
    contribution: float | None = None
    missing: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True)
class ByThreshold:
    """A class or label by its threshold, None where each fold had its own: precision and recall, and recall without."""

    name: str
    threshold: float | None
    precision: float
    recall: float
    recall_without: float


@dataclass(frozen=True)
class Reconstruction:
    """PSNR of one modality's test rows.

    Parameters
    ----------
    name : str
    psnr : sequence of float
        In dB.
    correct : sequence of bool
        Whether the model was right, row by row; none of numbers.
    """

    name: str
    psnr: Sequence[float]
    correct: Sequence[bool]


@dataclass(frozen=True)
class Exhibit:
    """One sample of the gallery: a PNG of original beside reconstruction."""

    modality: str
    id: str
    truth: str
    predicted: str
    png: bytes


@dataclass(frozen=True)
class Branch:
    """One store behind the model: facts to print, and the configuration of its encoder."""

    name: str
    facts: Mapping[str, str]
    configuration: str


@dataclass(frozen=True)
class Report:
    """Everything on the page.

    Parameters
    ----------
    title : str
    models : sequence of ModelFigures
        The one that the report is about first.
    facts : mapping of str to str
        Of the data and the split.
    link : mapping of str to str
        How samples were joined; empty for one modality.
    notes : sequence of str
        What a reader should know of the figures.
    parts : sequence of ModalityPart
    reconstructions : sequence of Reconstruction
    exhibits : sequence of Exhibit
    missing : str
        How many test rows lack which modality.
    baselines : mapping of str to float
        Score without looking at the data.
    groups : sequence of Part
        Score of each group, where rows have groups.
    mistakes : sequence of Mistake
        The wrong rows that the model was surest of; of numbers those that it was furthest off.
    wrong : int
        All wrong rows; of numbers all rows.
    calibration : sequence of Part
        Accuracy by how sure the model was.
    residuals : str
        Predicted against true numbers as a data URI; empty of classes and labels.
    commands : sequence of str
        That do it again.
    at_thresholds : Figures or None
        Where classes or labels are named by thresholds, of a model that has some.
    thresholds : sequence of ByThreshold
    branches : sequence of Branch
    parameters : str
        Of the classifier.
    versions : mapping of str to str
    created : str
    """

    title: str
    models: Sequence[ModelFigures]
    facts: Mapping[str, str]
    branches: Sequence[Branch]
    parameters: str
    versions: Mapping[str, str]
    created: str
    link: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    parts: Sequence[ModalityPart] = ()
    reconstructions: Sequence[Reconstruction] = ()
    exhibits: Sequence[Exhibit] = ()
    missing: str = ""
    baselines: Mapping[str, float] = field(default_factory=dict)
    groups: Sequence[Part] = ()
    mistakes: Sequence[Mistake] = ()
    wrong: int = 0
    calibration: Sequence[Part] = ()
    residuals: str = ""
    commands: Sequence[str] = ()
    at_thresholds: Figures | None = None
    thresholds: Sequence[ByThreshold] = ()
