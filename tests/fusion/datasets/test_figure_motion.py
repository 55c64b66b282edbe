from itertools import pairwise

import numpy as np
import pytest

from fusion.datasets.figure import ACTIVITIES
from fusion.datasets.figure.motion import JOINTS
from fusion.datasets.figure.people import GRAVITY, draw_motion, draw_subject

TIMES = np.linspace(0, 2.56, 257)


def joint(points, name):
    return points[JOINTS.index(name)]


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_bones_keep_their_length(activity):
    motion = draw_motion(1, 2, activity, 3)
    points = motion.joints(TIMES)
    for chain in (("hip", "knee", "ankle"), ("shoulder", "elbow", "hand")):
        for start, end in pairwise(chain):
            bone = joint(points, f"{start}_left") - joint(points, f"{end}_left")
            lengths = np.linalg.norm(bone, axis=0)
            assert np.ptp(lengths) < 1e-9, f"{start} to {end}"
            assert 0.25 < lengths[0] < 0.5, f"{start} to {end}"


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_the_pelvis_turns_without_being_deformed(activity):
    _, rotation = draw_motion(1, 2, activity, 3).trunk(TIMES)
    turned = np.einsum("ijn,kjn->nik", rotation, rotation)
    np.testing.assert_allclose(turned, np.broadcast_to(np.eye(3), turned.shape), atol=1e-12)


@pytest.mark.parametrize(("activity", "slope"), [("walk", 0.0), ("climb_up", 0.34), ("climb_down", -0.34)])
def test_a_walker_gains_height_as_the_stairs_do(activity, slope):
    motion = draw_motion(1, 2, activity, 3)
    position, _ = motion.trunk(np.array([0.0, 3 / motion.pace]))
    assert position[2, 1] - position[2, 0] == pytest.approx(3 * slope, abs=0.08)
    assert position[0, 1] - position[0, 0] == pytest.approx(3 * motion.stride, abs=0.10)


@pytest.mark.parametrize("activity", ["walk", "climb_up", "climb_down"])
def test_a_foot_stands_still_for_more_than_a_third_of_the_stride(activity):
    ankle = joint(draw_motion(1, 2, activity, 3).joints(TIMES), "ankle_right")
    speed = np.linalg.norm(np.gradient(ankle, TIMES, axis=1), axis=0)
    assert np.mean(speed < 0.25) > 0.35
    assert speed.max() > 1.0


def test_both_feet_leave_the_ground_in_a_jump_and_neither_in_standing():
    jump, stand = (draw_motion(1, 2, name, 3).joints(TIMES) for name in ("jump", "stand"))
    lowest = np.minimum(joint(jump, "ankle_left")[2], joint(jump, "ankle_right")[2])
    assert lowest.max() > 0.02
    assert lowest.min() < 0.01
    assert np.ptp(joint(stand, "ankle_left"), axis=1).max() < 0.02


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_nobody_falls_faster_than_gravity(activity):
    for index in range(10):
        times = np.arange(0, 2.56, 0.002)
        height = draw_motion(1, index, activity, index).trunk(times)[0][2]
        fall = np.diff(height, 2) / 0.002**2
        assert fall.min() > -1.3 * GRAVITY


def test_habits_belong_to_the_subject_and_not_to_the_sample():
    one, other = (draw_motion(1, 2, "walk", index) for index in (1, 2))
    assert one.body == other.body == draw_subject(1, 2).body
    assert one.phase != other.phase
    assert draw_subject(1, 3).body != one.body
    assert draw_subject(2, 2).body != one.body


def test_paces_differ_more_between_subjects_than_within_one():
    paces = np.array([[draw_motion(1, subject, "walk", i).pace for i in range(20)] for subject in range(20)])
    assert paces.std(axis=1).mean() == pytest.approx(0.05 * 0.95, rel=0.2)
    assert paces.mean(axis=1).std() > paces.std(axis=1).mean()


def test_a_hand_that_waves_is_above_the_head_and_hardly_moves_the_waist():
    motion = draw_motion(1, 2, "wave", 1)
    points, (pelvis, _) = motion.joints(TIMES), motion.trunk(TIMES)
    hand = joint(points, "hand_left")
    assert (hand[2] > joint(points, "neck")[2]).all()
    assert np.ptp(hand[1]) > 0.2
    assert np.ptp(pelvis[1]) < 0.03
