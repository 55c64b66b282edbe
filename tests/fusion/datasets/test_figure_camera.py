import numpy as np
import pytest

from fusion.datasets.figure import ACTIVITIES
from fusion.datasets.figure.camera import SIZE, camera_times, camera_view, draw_camera, project
from fusion.datasets.figure.people import draw_motion, draw_subject
from fusion.datasets.figure.sensor import sensor_view


def film(activity, subject=2, index=1, noise=0.0, seed=0):
    motion = draw_motion(1, subject, activity, index)
    return camera_view(motion, draw_subject(1, subject), np.random.default_rng(seed), noise)


def figure_mask(video):
    """Pixels brighter than the brightest of the backdrop, which the left edge of the picture shows."""
    brightness = video.astype(int).sum(axis=-1)
    return brightness > brightness[:, :, :1] + 45


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_the_whole_figure_is_in_the_picture(activity):
    for subject in range(12):
        motion = draw_motion(1, subject, activity, 1)
        target = np.stack([motion.speed * camera_times(), 0 * camera_times(), motion.climb * camera_times()])
        camera = draw_camera(np.random.default_rng(subject))
        pixels, scale = project(camera, motion.joints(camera_times()), target)
        assert pixels.min() > 0, f"subject {subject}"
        assert pixels.max() < SIZE, f"subject {subject}"
        assert 9 < scale.min() <= scale.max() < 18


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_the_figure_stands_out_in_every_frame(activity):
    for subject in range(4):
        covered = figure_mask(film(activity, subject)).mean(axis=(1, 2))
        assert covered.min() > 0.03, f"subject {subject}"
        assert covered.max() < 0.30, f"subject {subject}"


def test_a_lying_figure_is_wide_and_a_standing_one_tall():
    for activity, wide in (("lie", True), ("stand", False)):
        rows, columns = np.nonzero(figure_mask(film(activity))[0])
        assert bool(np.ptp(columns) > np.ptp(rows)) is wide, activity


def test_a_point_nearer_to_the_camera_looks_larger_and_what_is_up_is_up():
    camera = draw_camera(np.random.default_rng(0))
    toward = np.array([np.cos(camera.azimuth), np.sin(camera.azimuth), 0.0])
    points = np.stack([np.zeros(3), toward, [0.0, 0.0, 1.0]])[:, :, None]
    pixels, scale = project(camera, points, np.zeros((3, 1)))
    assert scale[1, 0] > scale[0, 0]
    assert pixels[2, 0, 1] < pixels[0, 0, 1]
    assert pixels[1, 0, 0] == pytest.approx(pixels[0, 0, 0], abs=0.5)


def test_edges_are_smooth():
    """A limb that moves by less than a pixel changes the picture."""
    video = film("stand").astype(int)
    assert 0 < np.abs(np.diff(video, axis=0)).max() < 200
    assert len(np.unique(video[0, :, :, 0])) > 20


def test_noise_is_added_to_the_same_picture():
    difference = film("walk", noise=1.0).astype(float) - film("walk")
    assert difference.std() == pytest.approx(3.0, rel=0.1)
    assert abs(difference.mean()) < 0.1


@pytest.mark.parametrize("subject", range(5))
def test_camera_and_sensor_see_the_same_jumps(subject):
    motion, person = draw_motion(1, subject, "jump", 1), draw_subject(1, subject)
    upward = sensor_view(motion, person, np.random.default_rng(0), 0.0)[:, 0]
    mask = figure_mask(film("jump", subject))
    height = -(mask * np.arange(SIZE)[:, None]).sum(axis=(1, 2)) / mask.sum(axis=(1, 2))
    heard, seen = (strongest_frequency(series, 2.56) for series in (upward, height))
    assert heard == pytest.approx(motion.pace, abs=0.25)
    assert seen == pytest.approx(heard, abs=0.25)


def strongest_frequency(series, duration):
    spectrum = np.abs(np.fft.rfft((series - series.mean()) * np.hanning(len(series)), 16 * len(series)))
    return spectrum.argmax() / (16 * duration)
