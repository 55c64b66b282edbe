"""What a device worn at the waist feels of a motion."""

import numpy as np
from numpy.typing import NDArray

from fusion.datasets.figure.motion import Array, Motion, rotation
from fusion.datasets.figure.people import GRAVITY, Subject

RATE = 50.0
N_READINGS = 128

CHANNELS = (
    *("body_acc_x", "body_acc_y", "body_acc_z"),
    *("body_gyro_x", "body_gyro_y", "body_gyro_z"),
    *("total_acc_x", "total_acc_y", "total_acc_z"),
)

_STEP = 0.002
_UPRIGHT = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
"""Device axes (up, left, backward) as columns, in pelvis axes."""


def sensor_times() -> Array:
    """Return the times of the 128 readings, seconds, 50 Hz."""
    return np.arange(N_READINGS) / RATE


def sensor_view(motion: Motion, wearer: Subject, random: np.random.Generator, noise: float) -> NDArray[np.float32]:
    """Read a device worn at the lower back.

    Parameters
    ----------
    motion : Motion
        What the wearer does.
    wearer : Subject
        Where the device sits and how much askew.
    random : numpy.random.Generator
        Source of noise and bias.
    noise : float
        1 = a phone's: 0.008 g and 0.015 rad/s per reading, biases of 0.012 g and 0.01 rad/s; 0 = none.

    Returns
    -------
    float32 array of shape (128, 9)
        `CHANNELS`: acceleration of the body (g), angular velocity (rad/s) and acceleration with gravity (g), each along
        the device's own axes (about up, left, backward of the wearer).

    Notes
    -----
    Velocities and accelerations are differences of the device's path and attitude over 2 ms. The channels are those of
    UCI-HAR (Anguita et al., ESANN 2013). There gravity is what a low-pass filter leaves, the bias of the
    accelerometer with it: so here the bias goes into the total and not into the body's acceleration.
    """
    times = (sensor_times() + _STEP * np.array([[-1.0], [0.0], [1.0]])).ravel()
    position, attitude = motion.trunk(times)
    point = (position + np.tensordot(attitude, wearer.place, axes=(1, 0))).reshape(3, 3, N_READINGS)
    attitude = attitude.reshape(3, 3, 3, N_READINGS)
    acceleration = (point[:, 0] - 2 * point[:, 1] + point[:, 2]) / (_STEP**2 * GRAVITY)
    now, change = attitude[:, :, 1], (attitude[:, :, 2] - attitude[:, :, 0]) / (2 * _STEP)
    body = np.einsum("ijn,in->jn", now, acceleration)
    turning = np.stack([(now[:, k] * change[:, j]).sum(axis=0) for j, k in ((1, 2), (2, 0), (0, 1))])
    device = device_axes(wearer)
    readings = np.concatenate([device.T @ body, device.T @ turning, device.T @ (body + now[2])])
    return _disturb(readings.T, random, noise).astype(np.float32)


def device_axes(wearer: Subject) -> Array:
    """Return the axes of the device as columns, in pelvis axes, shape (3, 3)."""
    yaw, pitch, roll = wearer.mounting[:, None]
    askew: Array = rotation(yaw, pitch, roll)[:, :, 0] @ _UPRIGHT
    return askew


def _disturb(readings: Array, random: np.random.Generator, noise: float) -> Array:
    bias = random.standard_normal(6) * [0.012, 0.012, 0.012, 0.01, 0.01, 0.01]
    white = random.standard_normal((N_READINGS, 6)) * [0.008, 0.008, 0.008, 0.015, 0.015, 0.015]
    error = np.concatenate([white, white[:, :3] + bias[:3]], axis=1)
    error[:, 3:6] += bias[3:]
    return readings + noise * error
