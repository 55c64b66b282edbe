"""What a camera that goes along with the figure sees of a motion."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fusion.datasets.figure.motion import JOINTS, Array, Motion
from fusion.datasets.figure.people import Subject
from fusion.datasets.figure.sensor import N_READINGS, RATE

N_FRAMES = 16
SIZE = 32

_DETAIL = 4
"""Frames are drawn so many times larger, then averaged down: smooth edges at sub-pixel places."""
_SHIFT = 4
"""Binary digits after the point in the coordinates given to OpenCV."""
_FIELD = 2.6
"""Metres that the picture spans at the mean distance, top to bottom."""
_DISTANCE = 6.0
_EYE = 0.93
"""Height at the middle of the picture, metres."""

_SKIN, _SHIRT, _TROUSERS, _SHOES = range(4)
_LIMBS = (
    *(("shoulder", "elbow", 0.095, _SHIRT), ("elbow", "hand", 0.08, _SKIN)),
    *(("hip", "knee", 0.15, _TROUSERS), ("knee", "ankle", 0.115, _TROUSERS), ("ankle", "toe", 0.09, _SHOES)),
)
_TRUNK = (
    *(("hip_left", "shoulder_left", 0.12, _SHIRT), ("hip_right", "shoulder_right", 0.12, _SHIRT)),
    *(("shoulder_left", "shoulder_right", 0.10, _SHIRT), ("pelvis", "neck", 0.20, _SHIRT)),
    ("head", "head", 0.23, _SKIN),
)
"""Strokes: from, to, thickness in metres, what they are clothed in."""


@dataclass(frozen=True, eq=False)
class Camera:
    """A camera that goes along with the figure.

    Parameters
    ----------
    azimuth : float
        Where it stands, radians from straight ahead of the figure, counted to the figure's left; pi/2 = side view.
    height : float
        Of the lens above the ground, metres.
    distance : float
        To the figure, metres.
    aim : Array of shape (2,)
        By how much it points beside and above the figure's middle, metres.
    shades : Array of shape (2, 3)
        Colours of the background at top and bottom, 0 to 255.
    light : float
        Brightness of the figure, 1 = as it is.
    """

    azimuth: float
    height: float
    distance: float
    aim: Array
    shades: Array
    light: float


def draw_camera(random: np.random.Generator) -> Camera:
    """Draw where the camera stands and what is behind the figure, for one video."""
    shade = random.uniform(15, 75)
    return Camera(
        azimuth=float(np.radians(55.0 + 30.0 * random.uniform(-1, 1))),
        height=float(random.uniform(0.9, 1.7)),
        distance=float(_DISTANCE * random.uniform(0.92, 1.12)),
        aim=0.04 * random.standard_normal(2),
        shades=np.clip(shade + random.uniform(-15, 25, (2, 1)) + random.uniform(-8, 8, 3), 0, 110),
        light=float(random.uniform(0.85, 1.0)),
    )


def project(camera: Camera, points: Array, target: Array) -> tuple[Array, Array]:
    """Find points of the world on the picture.

    Parameters
    ----------
    camera : Camera
        Where it stands.
    points : Array of shape (m, 3, n)
        World coordinates at n times, metres.
    target : Array of shape (3, n)
        What the camera goes along with, metres.

    Returns
    -------
    pixels : Array of shape (m, n, 2)
        Column and row in the picture of 32 x 32, 0 = its left and upper edge.
    scale : Array of shape (m, n)
        Pixels per metre at each point.
    """
    c, s = np.cos(camera.azimuth), np.sin(camera.azimuth)
    x, y, z = np.moveaxis(points - target, 1, 0)
    depth = camera.distance - (c * x + s * y)
    scale = SIZE / _FIELD * _DISTANCE / depth
    down = (camera.height - _EYE) / camera.distance
    column = SIZE / 2 + scale * (c * y - s * x - camera.aim[0])
    row = SIZE / 2 - scale * (z - _EYE - camera.aim[1] - down * (camera.distance - depth))
    return np.stack([column, row], axis=-1), scale


def camera_times() -> Array:
    """Return the times of the 16 frames, seconds, evenly over the same 2.56 s."""
    return np.linspace(0, N_READINGS / RATE, N_FRAMES, endpoint=False)


def camera_view(motion: Motion, actor: Subject, random: np.random.Generator, noise: float) -> NDArray[np.uint8]:
    """Film the figure in sixteen frames.

    Parameters
    ----------
    motion : Motion
        What the figure does.
    actor : Subject
        Whose clothes it wears.
    random : numpy.random.Generator
        Source of the camera's place, the background and the noise.
    noise : float
        1 = 3 grey levels per pixel and channel; 0 = none.

    Returns
    -------
    uint8 array of shape (16, 32, 32, 3)
        RGB.
    """
    import cv2

    camera = draw_camera(random)
    times = camera_times()
    target = np.stack([motion.speed * times, 0 * times, motion.climb * times])
    pixels, scale = project(camera, motion.joints(times), target)
    strokes = _strokes(actor.clothes * camera.light, left_is_near=np.sin(camera.azimuth) > 0)
    spots = np.rint(pixels * (_DETAIL << _SHIFT)).astype(int).swapaxes(0, 1).tolist()
    widths = [np.rint(stroke.thickness * _DETAIL * scale[stroke.start]).astype(int).tolist() for stroke in strokes]
    canvas = _backdrop(camera)
    frames = np.empty((N_FRAMES, SIZE, SIZE, 3), dtype=np.float32)
    for frame, places in enumerate(spots):
        large = canvas.copy()
        for stroke, width in zip(strokes, widths, strict=True):
            cv2.line(large, places[stroke.start], places[stroke.end], stroke.colour, width[frame], cv2.LINE_8, _SHIFT)
        frames[frame] = cv2.resize(large, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    frames += np.float32(3.0 * noise) * random.standard_normal(frames.shape, dtype=np.float32)
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8)


def _backdrop(camera: Camera) -> NDArray[np.uint8]:
    """Smooth background, top to bottom, uint8 [128, 128, 3]."""
    part = np.linspace(0, 1, SIZE * _DETAIL)[:, None, None]
    shades = (1 - part) * camera.shades[0] + part * camera.shades[1]
    return np.broadcast_to(shades, (SIZE * _DETAIL, SIZE * _DETAIL, 3)).astype(np.uint8, order="C")


class _Stroke(NamedTuple):
    start: int
    end: int
    thickness: float
    colour: tuple[float, ...]


def _strokes(clothes: Array, *, left_is_near: bool) -> list[_Stroke]:
    """List the strokes of the whole figure, what is farther first and darker."""
    far, near = ("right", "left") if left_is_near else ("left", "right")
    return [
        *(_stroke(f"{a}_{far}", f"{b}_{far}", width, 0.72 * clothes[cloth]) for a, b, width, cloth in _LIMBS),
        *(_stroke(a, b, width, clothes[cloth]) for a, b, width, cloth in _TRUNK),
        *(_stroke(f"{a}_{near}", f"{b}_{near}", width, clothes[cloth]) for a, b, width, cloth in _LIMBS),
    ]


def _stroke(start: str, end: str, thickness: float, colour: Array) -> _Stroke:
    return _Stroke(JOINTS.index(start), JOINTS.index(end), thickness, tuple(colour.tolist()))
