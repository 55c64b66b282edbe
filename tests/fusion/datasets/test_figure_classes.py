"""What each view can and cannot tell apart: the reason why fusing them helps."""

from functools import cache

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from fusion.datasets.figure import FigureConfig, FigureDataset

CONFIG = FigureConfig(subjects=15, test_subjects=6, windows=4, seed=11)


@cache
def features(view):
    samples = list(FigureDataset(CONFIG, view))
    summary = felt if view == "sensor" else seen
    labels, splits = (np.array([getattr(sample, name) for sample in samples]) for name in ("label", "split"))
    return np.stack([summary(sample.raw) for sample in samples]), labels, splits == "train"


def felt(window):
    """Strength of each channel, of its changes, and the mean attitude."""
    return np.concatenate([window.std(axis=0), np.diff(window, axis=0).std(axis=0), window[:, 6:].mean(axis=0)])


def seen(video):
    """All frames on one picture of 16 x 16 grey pixels."""
    return video.mean(axis=(0, 3)).reshape(16, 2, 16, 2).mean(axis=(1, 3)).ravel()


def accuracy(views, classes=None):
    blocks = [features(view) for view in views]
    values = np.concatenate([block[0] for block in blocks], axis=1)
    _, labels, train = blocks[0]
    wanted = np.isin(labels, classes) if classes else np.ones(len(labels), dtype=bool)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    model.fit(values[train & wanted], labels[train & wanted])
    return model.score(values[~train & wanted], labels[~train & wanted])


@pytest.mark.parametrize(
    ("view", "classes", "low", "high"),
    [
        ("sensor", ("wave", "stand"), 0.3, 0.8),
        ("camera", ("wave", "stand"), 0.8, 1.0),
        ("camera", ("sit", "stand"), 0.95, 1.0),
        ("sensor", ("sit", "stand"), 0.5, 0.95),
        ("sensor", ("walk", "climb_up", "climb_down", "run"), 0.8, 1.0),
        ("camera", ("walk", "climb_up", "climb_down", "run"), 0.5, 0.95),
        ("camera", ("lie", "stand"), 0.95, 1.0),
    ],
)
def test_what_a_view_can_tell_apart(view, classes, low, high):
    assert low <= accuracy([view], classes) <= high


def test_each_view_alone_learns_most_classes_and_both_together_learn_more():
    sensor, camera, both = accuracy(["sensor"]), accuracy(["camera"]), accuracy(["sensor", "camera"])
    assert min(sensor, camera) > 0.6
    assert both > max(sensor, camera) + 0.08
