"""Who does it and how: the habits of a subject and one performance of one activity.

A subject's habits (size, pace, vigour, posture, where the device sits) are drawn once and shared by all that the
subject does; each performance varies around them.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from fusion.datasets.figure.activities import ACTIVITIES
from fusion.datasets.figure.motion import COORDINATES, N_DRIFTS, N_HARMONICS, N_TRUNK, Array, Body, Motion, Waves

GRAVITY = 9.80665

HABITS, PERFORMANCE, SENSOR, CAMERA = 1, 2, 3, 4
"""First number after the seed, so that no two uses of randomness share a stream."""

_PER_DRIFT = np.array(
    [0.004, 0.004, 0.001, *np.radians([1.2, 0.7, 0.6, 0.8, 0.8, 1.5, 1.5, 0.8, 0.8, 1.5, 1.5, 0.8, 0.8])]
)
_POSTURE = np.array([0.0, 0.0, 0.0, *np.radians([0.0, 2.5, 1.5, 2.5, 2.0, 5.0, 5.0, 2.5, 2.5, 8.0, 8.0, 3.0, 3.0])])


@dataclass(frozen=True, eq=False)
class Subject:
    """Habits of one person, the same in everything the person does.

    Parameters
    ----------
    body : Body
        Size.
    pace, vigour, stride : float
        Factors on the pace, the amplitudes and the stride.
    posture : Array of shape (16,)
        What the person adds to the mean of each coordinate, metres or radians.
    mounting : Array of shape (3,)
        Yaw, pitch, roll by which the device sits askew, radians.
    place : Array of shape (3,)
        Where the device sits, in pelvis axes, metres.
    clothes : Array of shape (4, 3)
        Colours of skin, shirt, trousers and shoes, 0 to 255.
    """

    body: Body
    pace: float
    vigour: float
    stride: float
    posture: Array
    mounting: Array
    place: Array
    clothes: Array


@lru_cache(maxsize=256)
def draw_subject(seed: int, subject: int) -> Subject:
    """Return the habits of subject number `subject`, always the same for the same seed."""
    random = np.random.default_rng([seed, HABITS, subject])
    normal = random.standard_normal
    return Subject(
        body=Body(float(np.clip(1.72 + 0.09 * normal(), 1.5, 1.95))),
        pace=float(np.exp(0.07 * normal())),
        vigour=float(np.exp(0.14 * normal())),
        stride=float(np.exp(0.06 * normal())),
        posture=_POSTURE * normal(len(COORDINATES)),
        mounting=np.radians([3.0, 4.0, 3.0]) * normal(3),
        place=np.array([-0.11, 0.0, 0.06]) + [0.01, 0.03, 0.02] * normal(3),
        clothes=_clothes(random),
    )


def draw_motion(seed: int, subject: int, activity: str, index: int) -> Motion:
    """Return performance number `index` of an activity by a subject.

    It depends on these four values alone, so neither on the order nor on the number of samples drawn.
    """
    person = draw_subject(seed, subject)
    means = ACTIVITIES[activity]
    rest, waves = _tables(activity)
    random = np.random.default_rng([seed, PERFORMANCE, subject, list(ACTIVITIES).index(activity), index])
    tempo, length, strength, *more = random.standard_normal(6)
    turns = 2 * np.pi * random.random(2 + N_DRIFTS)
    size = person.body.height / Body().height
    pace = means.pace * person.pace * np.exp(0.05 * tempo)
    stride = size * person.stride * np.exp(0.06 * length)
    strength = person.vigour * np.exp(0.10 * strength) * size
    rest = rest + person.posture + _POSTURE * random.standard_normal(len(rest))
    rest[2] = means.hips * person.body.leg
    return Motion(
        body=person.body,
        pace=float(pace),
        phase=float(turns[0]),
        wobble=(0.12, float(0.3 + 0.1 * abs(more[0])), float(turns[1])),
        stride=float(means.stride * stride),
        rise=means.rise,
        rest=rest,
        waves=_vary(waves, strength, pace, means.restless, random),
        drift=np.stack([[0.15, 0.4, 0.9] * np.exp(0.2 * random.standard_normal(N_DRIFTS)), turns[2:]], axis=1),
        footfall=(means.footfall[0] * float(strength), *means.footfall[1:3], np.radians(means.footfall[3])),
        stance=means.stance,
        step_height=means.step_height * float(strength),
        feet=size * np.array(means.feet),
        lying=means.lying,
    )


def _vary(waves: Waves, strength: float, pace: float, restless: float, random: np.random.Generator) -> Waves:
    """Amplitudes of one performance: the mean ones, each a little larger or smaller, then the slow drifts.

    No body falls faster than gravity lets it, so the heave is held below that.
    """
    n = len(COORDINATES)
    varied = np.empty((n, N_HARMONICS + N_DRIFTS), dtype=np.complex128)
    varied[:, :N_HARMONICS] = waves * (strength * np.exp(0.12 * random.standard_normal((n, 1))))
    fall = np.abs(varied[2, :N_HARMONICS]) @ (2 * np.pi * pace * np.arange(1, N_HARMONICS + 1)) ** 2
    varied[2, :N_HARMONICS] *= min(1.0, 0.95 * GRAVITY / max(fall, 1e-9))
    varied[:, N_HARMONICS:] = (restless * _PER_DRIFT)[:, None] * random.standard_normal((n, N_DRIFTS)) * [1.0, 0.5, 0.2]
    return varied


@cache
def _tables(activity: str) -> tuple[Array, Waves]:
    """Means [16] and harmonics [16, 4] of an activity, in metres and radians."""
    means = ACTIVITIES[activity]
    rest = np.zeros(len(COORDINATES))
    waves = np.zeros((len(COORDINATES), N_HARMONICS), dtype=np.complex128)
    for row, name in enumerate(COORDINATES):
        unit = 1.0 if row < N_TRUNK // 2 else np.pi / 180
        rest[row] = unit * means.rest.get(name, 0.0)
        for harmonic, amplitude, phase in means.waves.get(name, ()):
            waves[row, harmonic - 1] = unit * amplitude * np.exp(1j * np.radians(phase))
    return rest, waves


def _clothes(random: np.random.Generator) -> Array:
    skin = np.array([225.0, 180.0, 150.0]) * random.uniform(0.75, 1.05)
    shirt, trousers = random.uniform(120, 250, 3), random.uniform(100, 220, 3)
    return np.stack([skin, shirt, trousers, random.uniform(90, 200) * np.ones(3)])
