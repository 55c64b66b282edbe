"""The main job on built-in data: two views of the same people, encoded, linked, fused, tested and reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.datasets.figure import FigureConfig, FigureDataset
from fusion.encoders.encoding import encode
from fusion.encoders.options import EncodeOptions, EncodeReport, Progress
from fusion.encoders.presets import encoder_config
from fusion.linking import link
from fusion.metrics import Evaluation
from fusion.models.results import TrainResult
from fusion.models.training import train
from fusion.reporting import report

if TYPE_CHECKING:
    from fusion.datasets.figure.dataset import View

_VIEWS: tuple[View, ...] = ("sensor", "camera")
_WINDOWS = 6
"""Performances of each person and activity: with more the demo takes longer than anybody waits for the first time."""


@dataclass(frozen=True, eq=False)
class DemoResult:
    """What the demo made: two stores, a fused model and its report."""

    data: FigureConfig
    encodings: Mapping[str, EncodeReport]
    training: TrainResult
    report: Path

    def to_dict(self) -> dict[str, Any]:
        """Training's figures, with those of the encode runs under ``encodings``."""
        encodings = {view: found.to_dict() for view, found in self.encodings.items()}
        return self.training.to_dict() | {"encodings": encodings, "report": str(self.report)}

    def story(self) -> dict[str, object]:
        """Tell what happened, step by step, in words and figures."""
        training, people = self.training, self.data.subjects
        told: dict[str, object] = {
            "people": f"{people}, of whom {self.data.test_subjects} are only in the test",
            "performances of 2.56 s": f"{training.rows_train + training.rows_test:,}, each felt and seen",
        }
        for view, found in self.encodings.items():
            rate = f"{found.samples_per_second:,.0f}/s, " if found.encoded else ""
            told[view] = f"one network each from one shared start, {rate}{found.psnr_mean:.1f} dB, in {found.store}"
        return told | {"joined by": "ID, the same in both stores", "report": str(self.report)}

    def by_class(self) -> list[tuple[str, dict[str, float]]]:
        """Recall of each class by each modality alone and by the fusion, so that a reader sees which knows what."""
        alone = {
            name: {figures.label: figures.recall for figures in found.alone.per_class}
            for name, found in self.training.modalities.items()
            if isinstance(found.alone, Evaluation)
        }
        return [
            (
                fused.label,
                {**{name: recalls.get(fused.label, 0.0) for name, recalls in alone.items()}, "fused": fused.recall},
            )
            for fused in self.training.per_class
        ]


def run_demo(
    folder: str | Path,
    *,
    seed: int = 42,
    workers: int | None = None,
    data: FigureConfig | None = None,
    progress: Progress | None = None,
) -> DemoResult:
    """Generate people in motion, encode what they feel and how they look, fuse both, test on other people.

    Parameters
    ----------
    folder : path
        Gets ``sensor.zarr``, ``camera.zarr``, ``link.parquet`` and ``model``; an earlier run's stores are continued.
    seed : int
        Seed of the data and of the start.
    workers : int or None
        Processes; None is one per core.
    data : FigureConfig, optional
        How much to generate; its seed wins over `seed`.
    progress : callable, optional
        Called with what is done now, how far it is, and how much there is.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = data or FigureConfig(windows=_WINDOWS, seed=seed)
    encodings: dict[str, EncodeReport] = {}
    for view in _VIEWS:
        dataset = FigureDataset(data, view)
        config = encoder_config(dataset, options={"seed": data.seed})
        options = EncodeOptions(workers=workers)
        told = None if progress is None else partial(_of_view, progress, view)
        encodings[view] = encode(dataset, folder / f"{view}.zarr", config, options, progress=told)
    table = link([folder / f"{view}.zarr" for view in _VIEWS], on="id")
    linked = table.save(folder / "link.parquet")
    training = train(linked, folder / "model", fusion="stacked", preset="linear", progress=progress)
    return DemoResult(data, encodings, training, report(folder / "model"))


def _of_view(progress: Progress, view: str, what: str, done: int, most: int) -> None:
    progress(f"{what} of {view}", done, most)
