"""Built-in data: a jointed figure moves, a device at its waist and a camera observe the same motion."""

from fusion.datasets.figure.activities import ACTIVITIES
from fusion.datasets.figure.dataset import FigureConfig, FigureDataset
from fusion.datasets.figure.sensor import CHANNELS, RATE

__all__ = ["ACTIVITIES", "CHANNELS", "RATE", "FigureConfig", "FigureDataset"]
