from itertools import pairwise

import numpy as np
import pytest

from fusion.datasets.figure import ACTIVITIES, RATE
from fusion.datasets.figure.motion import rotation
from fusion.datasets.figure.people import GRAVITY, draw_motion, draw_subject
from fusion.datasets.figure.sensor import device_axes, sensor_times, sensor_view

SEED, SUBJECT = 3, 5


def readings(activity, noise=0.0, index=1):
    motion, person = draw_motion(SEED, SUBJECT, activity, index), draw_subject(SEED, SUBJECT)
    window = sensor_view(motion, person, np.random.default_rng(0), noise).astype(float)
    return motion, person, window[:, 0:3], window[:, 3:6], window[:, 6:9]


def attitude(motion, person):
    """Device axes in the world, [128, 3, 3], columns = axes."""
    _, pelvis = motion.trunk(sensor_times())
    return np.moveaxis(pelvis, 2, 0) @ device_axes(person)


def turn_by(vector):
    """Rotation by the length of a vector about it (Rodrigues)."""
    angle = np.linalg.norm(vector)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


@pytest.mark.parametrize("activity", ["stand", "sit", "lie", "wave"])
def test_a_still_device_reads_one_g(activity):
    _, _, body, turning, total = readings(activity)
    np.testing.assert_allclose(np.linalg.norm(total, axis=1), 1.0, atol=0.03)
    assert np.abs(body).max() < 0.03
    assert np.abs(turning).max() < 0.15


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_total_minus_body_is_gravity_along_the_axes_of_the_device(activity):
    motion, person, body, _, total = readings(activity)
    up = attitude(motion, person)[:, 2, :]
    np.testing.assert_allclose(total - body, up, atol=1e-5)


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_angular_velocity_adds_up_to_the_turn_of_the_device(activity):
    motion, person, _, turning, _ = readings(activity)
    axes = attitude(motion, person)
    turned = axes[0]
    for now, later in pairwise(turning):
        turned = turned @ turn_by((now + later) / (2 * RATE))
    assert np.abs(turned - axes[-1]).max() < 0.01


@pytest.mark.parametrize("activity", ["walk", "run", "climb_down", "jump"])
def test_body_acceleration_adds_up_to_the_path_of_the_device(activity):
    motion, person, body, _, _ = readings(activity)
    position, pelvis = motion.trunk(sensor_times())
    path = position.T + np.einsum("ijn,j->ni", pelvis, person.place)
    acceleration = GRAVITY * np.einsum("nij,nj->ni", attitude(motion, person), body)
    second = np.diff(path, 2, axis=0) * RATE**2
    smoothed = (acceleration[:-2] + 10 * acceleration[1:-1] + acceleration[2:]) / 12
    assert np.abs(second - smoothed).max() < 0.02 * np.abs(acceleration).max()


def test_the_device_hangs_upright_on_a_standing_person_and_flat_on_a_lying_one():
    standing, lying = readings("stand")[4].mean(axis=0), readings("lie")[4].mean(axis=0)
    assert standing[0] > 0.9
    assert lying[2] < -0.9


def test_noise_and_bias_are_those_of_a_phone():
    clean, noisy = readings("stand"), readings("stand", noise=1.0)
    body, turning, total = (noisy[i] - clean[i] for i in (2, 3, 4))
    assert body.std() == pytest.approx(0.008, rel=0.15)
    assert (turning - turning.mean(axis=0)).std() == pytest.approx(0.015, rel=0.15)
    np.testing.assert_allclose(total - body, np.broadcast_to((total - body)[0], total.shape), atol=1e-6)
    assert 0 < np.abs(total - body).max() < 0.05


def test_rotation_is_the_product_of_yaw_pitch_and_roll():
    angles = np.array([[0.3], [-0.5], [0.7]])
    one_by_one = [rotation(*(angles * unit[:, None]))[:, :, 0] for unit in np.eye(3)]
    np.testing.assert_allclose(rotation(*angles)[:, :, 0], one_by_one[0] @ one_by_one[1] @ one_by_one[2])
