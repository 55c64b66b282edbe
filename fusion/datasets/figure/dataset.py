"""The built-in data set: subjects, activities and performances as samples of either view."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fusion.datasets.base import Sample
from fusion.datasets.figure.activities import ACTIVITIES
from fusion.datasets.figure.camera import camera_view
from fusion.datasets.figure.people import CAMERA, SENSOR, draw_motion, draw_subject
from fusion.datasets.figure.sensor import CHANNELS, N_READINGS, RATE, sensor_view
from fusion.errors import ConfigError
from fusion.modalities import Modality, modality_from_dict
from fusion.modalities.sensor import SensorModality

View = Literal["sensor", "camera"]
_MODALITIES = {"sensor": "sensor", "camera": "video"}


@dataclass(frozen=True)
class FigureConfig:
    """How much is generated, and from which seed.

    Parameters
    ----------
    subjects : int >= 2
        People, the test subjects among them.
    test_subjects : int, 1 to subjects - 1
        The last so many subjects are the test split.
    windows : int >= 1
        Samples per subject and activity, 2.56 s each.
    seed : int >= 0
        Another seed gives other people and other performances.
    sensor_noise : float >= 0
        Noise and bias of the device, 1 = a phone's, 0 = none.
    camera_noise : float >= 0
        Noise of the camera, 1 = 3 grey levels, 0 = none.

    Raises
    ------
    ConfigError
        If a value is out of its range.
    """

    subjects: int = 24
    test_subjects: int = 8
    windows: int = 10
    seed: int = 42
    sensor_noise: float = 1.0
    camera_noise: float = 1.0

    def __post_init__(self) -> None:
        _require("subjects", self.subjects, 2)
        _require("test_subjects", self.test_subjects, 1, self.subjects - 1)
        _require("windows", self.windows, 1)
        _require("seed", self.seed, 0)
        _require("sensor_noise", self.sensor_noise, 0)
        _require("camera_noise", self.camera_noise, 0)


class FigureDataset:
    """People doing nine things, felt by a device at the waist or seen by a camera.

    Parameters
    ----------
    config : FigureConfig
        How much, and from which seed.
    view : {"sensor", "camera"}
        "sensor": float32 [128, 9], g and rad/s at 50 Hz. "camera": uint8 [16, 32, 32, 3], RGB over the same 2.56 s.
        The same ID in both views is the same event.

    Raises
    ------
    ConfigError
        If there is no such view.

    Notes
    -----
    A sample depends on the seed, its subject, activity and number alone: asking for more of them, or in another order,
    changes none. Standing, sitting and waving feel nearly alike at the waist; walking and taking stairs look much alike
    in 32 x 32 pixels. Neither view is given wrong labels: what one lacks, the other has. The target of a sample is how
    fast the person walks, in metres a second along the ground, 0 for those who stay where they are.
    """

    name = "figure"

    def __init__(self, config: FigureConfig | None = None, view: View = "sensor") -> None:
        if view not in _MODALITIES:
            raise ConfigError(f"view is {view!r}, expected one of {', '.join(_MODALITIES)}.")
        self.config = config or FigureConfig()
        self.view = view

    @property
    def options(self) -> dict[str, Any]:
        """What `open_dataset` needs to give this data set again."""
        return asdict(self.config)

    @property
    def modality(self) -> str:
        """The modality of the raw arrays: "sensor" or "video"."""
        return _MODALITIES[self.view]

    def default_modality(self) -> Modality:
        """Give the modality, with the sizes of this view."""
        if self.view == "sensor":
            return SensorModality(length=N_READINGS, channels=CHANNELS, rate=RATE)
        return modality_from_dict({"name": self.modality})

    def __len__(self) -> int:
        return self.config.subjects * len(ACTIVITIES) * self.config.windows

    def __iter__(self) -> Iterator[Sample]:
        for subject in range(1, self.config.subjects + 1):
            for activity in ACTIVITIES:
                for index in range(1, self.config.windows + 1):
                    yield self._sample(subject, activity, index)

    def _sample(self, subject: int, activity: str, index: int) -> Sample:
        trained = subject <= self.config.subjects - self.config.test_subjects
        return Sample(
            id=f"s{subject:02d}-{activity}-{index:03d}",
            label=activity,
            split="train" if trained else "test",
            group=f"subject-{subject:02d}",
            load=partial(_observe, self.config, self.view, subject, activity, index),
            target=draw_motion(self.config.seed, subject, activity, index).speed,
        )


def sensor_reader(source: Path, **options: Any) -> FigureDataset:  # noqa: ARG001 - it is generated, not read
    """Give what the sensor feels; `options` are fields of `FigureConfig`."""
    return FigureDataset(FigureConfig(**options), "sensor")


def camera_reader(source: Path, **options: Any) -> FigureDataset:  # noqa: ARG001
    """Give what the camera sees; `options` are fields of `FigureConfig`."""
    return FigureDataset(FigureConfig(**options), "camera")


def _observe(config: FigureConfig, view: View, subject: int, activity: str, index: int) -> NDArray[Any]:
    """Let the event happen and observe it; the noise of either view has a stream of its own."""
    motion, person = draw_motion(config.seed, subject, activity, index), draw_subject(config.seed, subject)
    event = [subject, list(ACTIVITIES).index(activity), index]
    if view == "sensor":
        return sensor_view(motion, person, np.random.default_rng([config.seed, SENSOR, *event]), config.sensor_noise)
    return camera_view(motion, person, np.random.default_rng([config.seed, CAMERA, *event]), config.camera_noise)


def _require(name: str, value: float, low: float, high: float = float("inf")) -> None:
    if not low <= value <= high:
        expected = f"at least {low}" if high == float("inf") else f"{low} to {high}"
        raise ConfigError(f"{name} is {value}, expected {expected}.")
