"""A jointed figure and how it moves: pelvis, torso, head, arms and legs of two segments each, at any time.

Axes: x forward, y to the left, z up; metres, radians, seconds. The figure walks along x. The pelvis and the arms follow
sums of waves; the feet follow the ground (or the stairs), and the knees are where the bone lengths put them.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Waves = NDArray[np.complex128]

COORDINATES = (
    *("surge", "sway", "heave", "yaw", "pitch", "roll"),
    *("bend", "twist", "swing_left", "swing_right", "lift_left", "lift_right"),
    *("elbow_left", "elbow_right", "fore_left", "fore_right"),
)
N_TRUNK = 6
N_HARMONICS = 4
N_DRIFTS = 3

JOINTS = (
    *("pelvis", "neck", "head"),
    *("shoulder_left", "elbow_left", "hand_left", "shoulder_right", "elbow_right", "hand_right"),
    *("hip_left", "knee_left", "ankle_left", "toe_left", "hip_right", "knee_right", "ankle_right", "toe_right"),
)


@dataclass(frozen=True)
class Body:
    """Lengths of the segments, all in proportion to the height.

    Parameters
    ----------
    height : float > 0
        Standing height in metres.
    """

    height: float = 1.72

    @property
    def leg(self) -> float:
        """Hip to sole, metres."""
        return 0.50 * self.height

    @property
    def torso(self) -> float:
        """Hips to neck, metres."""
        return 0.32 * self.height

    @property
    def arm(self) -> float:
        """Shoulder to hand, metres."""
        return 0.38 * self.height

    @property
    def head(self) -> float:
        """Neck to the middle of the head, metres."""
        return 0.105 * self.height

    @property
    def hips(self) -> float:
        """Middle of the pelvis to one hip, metres."""
        return 0.055 * self.height

    @property
    def shoulders(self) -> float:
        """Neck to one shoulder, metres."""
        return 0.11 * self.height

    @property
    def foot(self) -> float:
        """Ankle to toe, metres."""
        return 0.09 * self.height


@dataclass(frozen=True, eq=False)
class Motion:
    """One figure performing one activity; every view samples the same object.

    Parameters
    ----------
    body : Body
        Who moves.
    pace : float
        Cycles (strides, hops, waves of the hand) per second.
    phase : float
        Phase of the cycle at time 0, radians.
    wobble : tuple of three floats
        Amplitude (rad), frequency (Hz) and phase (rad) by which the cycle runs ahead of and behind its mean pace.
    stride : float
        Metres forward per cycle.
    rise : float
        Metres upward per cycle; negative downstairs.
    rest : Array of shape (16,)
        Mean of each of `COORDINATES`, metres or radians; heave is the height of the hips above the ground.
    waves : complex array of shape (16, 7)
        Amplitude and phase of each coordinate's four harmonics of the cycle, then of its three slow drifts.
    drift : Array of shape (3, 2)
        Frequency (Hz) and phase (rad) of the slow drifts.
    footfall : tuple of four floats
        Sudden lift after contact: height (m), sharpness, contacts per cycle, phase (rad).
    stance : float
        Part of the cycle that a foot stands; 1 = both feet stay where they are.
    step_height : float
        Height of a swinging ankle above its path, metres.
    feet : Array of shape (2,)
        Where the standing feet are ahead of and beside the hips, metres.
    lying : bool
        The legs lie along the body, wherever it points, instead of standing on the ground.
    """

    body: Body
    pace: float
    phase: float
    wobble: tuple[float, float, float]
    stride: float
    rise: float
    rest: Array
    waves: Waves
    drift: Array
    footfall: tuple[float, float, float, float]
    stance: float
    step_height: float
    feet: Array
    lying: bool

    def cycle(self, times: Array) -> Array:
        """Phase of the cycle in radians, shape (n,); the left foot lands at multiples of 2 pi, the right half way."""
        amplitude, frequency, phase = self.wobble
        return 2 * np.pi * self.pace * times + self.phase + amplitude * np.sin(2 * np.pi * frequency * times + phase)

    def trunk(self, times: Array) -> tuple[Array, Array]:
        """Where the pelvis is and how it is turned.

        Parameters
        ----------
        times : Array of shape (n,)
            Seconds.

        Returns
        -------
        position : Array of shape (3, n)
            Metres.
        rotation : Array of shape (3, 3, n)
            From pelvis axes (forward, left, up) to the world's.
        """
        cycle = self.cycle(times)
        surge, sway, heave, yaw, pitch, roll = self._coordinates(cycle, times, slice(0, N_TRUNK))
        height, sharpness, contacts, phase = self.footfall
        bump = height * np.exp(sharpness * (np.cos(contacts * cycle - phase) - 1))
        position = np.stack([surge + self.speed * times, sway, heave + bump + self.climb * times])
        return position, rotation(yaw, pitch, roll)

    def joints(self, times: Array) -> Array:
        """Positions of all `JOINTS`, metres, shape (17, 3, n)."""
        cycle = self.cycle(times)
        pelvis, hips = self.trunk(times)
        bend, twist, *arms = self._coordinates(cycle, times, slice(N_TRUNK, None))
        chest = np.einsum("ijn,jkn->ikn", hips, rotation(twist, bend, np.zeros_like(bend)))
        neck = pelvis + self.body.torso * chest[:, 2]
        points = [pelvis, neck, neck + self.body.head * chest[:, 2]]
        for side, angles in ((1, arms[0::2]), (-1, arms[1::2])):
            points += self._arm(neck, chest, side, *angles)
        for side in (1, -1):
            points += self._leg(pelvis, hips, side, self._ankle(side, cycle, times, pelvis))
        return np.stack(points)

    @property
    def speed(self) -> float:
        """Mean velocity forward, m/s."""
        return self.stride * self.pace

    @property
    def climb(self) -> float:
        """Mean velocity upward, m/s."""
        return self.rise * self.pace

    @cached_property
    def _rest_rotation(self) -> Array:
        yaw, pitch, roll = self.rest[3:N_TRUNK, None]
        return rotation(yaw, pitch, roll)[:, :, 0]

    def _coordinates(self, cycle: Array, times: Array, rows: slice) -> Array:
        basis = np.empty((N_HARMONICS + N_DRIFTS, len(times)), dtype=np.complex128)
        basis[0] = np.exp(1j * cycle)
        for harmonic in range(1, N_HARMONICS):
            np.multiply(basis[harmonic - 1], basis[0], out=basis[harmonic])
        frequency, phase = self.drift[:, :1], self.drift[:, 1:]
        basis[N_HARMONICS:] = np.exp(1j * (2 * np.pi * frequency * times + phase))
        return self.rest[rows, None] + (self.waves[rows] @ basis).real

    def _arm(
        self, neck: Array, chest: Array, side: int, swing: Array, lift: Array, elbow: Array, fore: Array
    ) -> list[Array]:
        shoulder = neck + chest[:, 1] * side * self.body.shoulders - chest[:, 2] * 0.04 * self.body.height
        upper = _turn(chest, limb(side, swing, lift))
        lower = _turn(chest, limb(side, swing + elbow, lift + fore))
        middle = shoulder + upper * self.body.arm / 2
        return [shoulder, middle, middle + lower * self.body.arm / 2]

    def _leg(self, pelvis: Array, hips: Array, side: int, target: Array) -> list[Array]:
        """Hip, knee, ankle, toe: the knee bends forward, the ankle reaches for its target as far as the leg allows."""
        hip = pelvis + hips[:, 1] * side * self.body.hips
        reach = target - hip
        length = np.sqrt((reach**2).sum(axis=0))
        along = reach / length
        length = np.minimum(length, 0.998 * self.body.leg)
        forward = hips[:, 0] - along * (hips[:, 0] * along).sum(axis=0)
        forward /= np.sqrt((forward**2).sum(axis=0))
        bulge = np.sqrt((self.body.leg / 2) ** 2 - (length / 2) ** 2)
        ankle = hip + along * length
        toe = ankle + self.body.foot * (forward if self.lying else hips[:, 0] * [[1.0], [1.0], [0.0]])
        return [hip, hip + along * length / 2 + forward * bulge, ankle, toe]

    def _ankle(self, side: int, cycle: Array, times: Array, pelvis: Array) -> Array:
        """Where an ankle wants to be: on its spot while it stands, on an arc to the next spot while it swings."""
        ahead, beside = self.feet
        if self.lying:
            along: Array = self._rest_rotation @ [[ahead], [side * beside], [-0.985 * self.body.leg]]
            return pelvis + along
        part = np.mod(cycle / (2 * np.pi) + (0.0 if side > 0 else 0.5), 1.0)
        swing = np.clip((part - self.stance) / max(1 - self.stance, 1e-9), 0, 1)
        smooth = swing * swing * (3 - 2 * swing)
        path = self.stance * (0.5 - np.where(part < self.stance, part / self.stance, 1 - smooth))
        x = ahead + self.speed * times + self.stride * path
        z = self.climb * times + self.rise * path + self.step_height * np.sin(np.pi * swing) ** 2
        return np.stack([x, np.full_like(x, side * beside), z])


def rotation(yaw: Array, pitch: Array, roll: Array) -> Array:
    """Rotation matrices Rz(yaw) Ry(pitch) Rx(roll), shape (3, 3, n), from angles of shape (n,)."""
    cz, sz, cy, sy, cx, sx = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    matrix = np.empty((3, 3, len(yaw)))
    matrix[0] = cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx
    matrix[1] = sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx
    matrix[2] = -sy, cy * sx, cy * cx
    return matrix


def limb(side: int, swing: Array, lift: Array) -> Array:
    """Direction of a hanging limb swung forward and raised sideways, radians to unit vectors of shape (3, n)."""
    return np.stack([np.cos(lift) * np.sin(swing), side * np.sin(lift), -np.cos(lift) * np.cos(swing)])


def _turn(matrix: Array, vector: Array) -> Array:
    turned: Array = np.einsum("ijn,jn->in", matrix, vector)
    return turned
