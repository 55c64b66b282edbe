"""The main job on built-in data, from nothing to a tested model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.datasets.figure import FigureConfig, FigureDataset
from fusion.encoders.encode import encode
from fusion.encoders.options import EncodeOptions, EncodeReport, Progress
from fusion.encoders.presets import encoder_config
from fusion.results import TrainResult
from fusion.training import train

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, eq=False)
class DemoResult:
    """What the demo made: the encode run and the trained model."""

    data: FigureConfig
    encoding: EncodeReport
    training: TrainResult

    def to_dict(self) -> dict[str, Any]:
        """Training's figures, with those of the encode run under ``encoding``."""
        return self.training.to_dict() | {"encoding": self.encoding.to_dict()}

    def story(self) -> dict[str, object]:
        """Tell what happened, step by step, in words and figures."""
        training, encoding = self.training, self.encoding
        people, test = self.data.subjects, self.data.test_subjects
        return {
            "people": f"{people}, of whom {test} are only in the test",
            "windows of 2.56 s": training.rows_train + training.rows_test,
            "each fitted by a network": f"from one shared start, {encoding.samples_per_second:,.0f} windows/s",
            "reconstructed at": f"{encoding.psnr_mean:.1f} dB on average",
            "kept by ID in": encoding.store,
            "model in": str(training.model),
        }


def run_demo(
    folder: str | Path,
    *,
    seed: int = 42,
    workers: int | None = None,
    data: FigureConfig | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> DemoResult:
    """Generate people in motion, encode what a sensor at their waist feels, train and test on other people.

    Parameters
    ----------
    folder : path
        Gets ``sensor.zarr`` and ``model``; an earlier run's store is continued.
    seed : int
        Seed of the data and of the start.
    workers : int or None
        Processes; None is one per core.
    data : FigureConfig, optional
        How much to generate; its seed wins over `seed`.
    progress : callable, optional
        Called while encoding.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = data or FigureConfig(seed=seed)
    dataset = FigureDataset(data)
    config = encoder_config(dataset, options={"seed": data.seed})
    encoding = encode(dataset, folder / "sensor.zarr", config, EncodeOptions(workers=workers), progress=progress)
    return DemoResult(data, encoding, train(folder / "sensor.zarr", folder / "model"))
