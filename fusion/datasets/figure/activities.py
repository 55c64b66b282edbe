"""What people do: the means of nine activities.

Two things make them hard, and neither is noise: arms that wave, or a chair, barely show at the waist; stairs barely
show from where the camera stands.
"""

from dataclasses import dataclass, field

Harmonic = tuple[int, float, float]
HarmonicTable = dict[str, tuple[Harmonic, ...]]


@dataclass(frozen=True)
class Activity:
    """Means of one activity, for a person of 1.72 m.

    Parameters
    ----------
    pace : float
        Cycles per second.
    stride, rise : float
        Metres forward and upward per cycle.
    stance : float
        Part of the cycle that a foot stands.
    step_height : float
        Height of a swinging ankle above its path, metres.
    hips : float
        Height of the hips above the ground, in leg lengths.
    feet : tuple of two floats
        Where the standing feet are ahead of and beside the hips, metres.
    footfall : tuple of four floats
        Height (m), sharpness, contacts per cycle and phase (degrees) of the jolt after a contact.
    restless : float
        Strength of the slow drifts, 1 = somebody who stands still.
    lying : bool
        The legs lie along the body instead of standing on the ground.
    rest : dict of str to float
        Mean of a coordinate in degrees; 0 where absent.
    waves : dict of str to tuple of (harmonic, amplitude, phase)
        What a coordinate does in the cycle: amplitude in metres or degrees, phase in degrees.
    """

    pace: float = 1.0
    stride: float = 0.0
    rise: float = 0.0
    stance: float = 1.0
    step_height: float = 0.0
    hips: float = 0.985
    feet: tuple[float, float] = (0.0, 0.10)
    footfall: tuple[float, float, float, float] = (0.0, 1.0, 1.0, 0.0)
    restless: float = 1.0
    lying: bool = False
    rest: dict[str, float] = field(default_factory=dict)
    waves: HarmonicTable = field(default_factory=dict)


def _pose(
    *, pitch: float, bend: float = 1.0, swing: float = 0.0, lift: float = 8.0, elbow: float = 14.0, fore: float = 0.0
) -> dict[str, float]:
    """Mean posture in degrees, both arms alike."""
    arms = {"swing": swing, "lift": lift, "elbow": elbow, "fore": fore}
    both = {f"{part}_{side}": angle for part, angle in arms.items() for side in ("left", "right")}
    return {"pitch": pitch, "bend": bend} | both


def _gait(sway: float, yaw: float, roll: float, arms: float, **more: tuple[Harmonic, ...]) -> HarmonicTable:
    """Waves that every way of stepping shares: over the standing leg, the arms against the legs."""
    return {
        "sway": ((1, sway, -100.0),),
        "yaw": ((1, yaw, 180.0), (3, yaw / 5, 40.0)),
        "roll": ((1, roll, 60.0), (3, roll / 5, 20.0)),
        "twist": ((1, 1.6 * yaw, 0.0),),
        "swing_left": ((1, arms, 180.0), (2, arms / 8, 0.0)),
        "swing_right": ((1, arms, 0.0), (2, arms / 8, 0.0)),
        "elbow_left": ((1, arms / 3, 180.0),),
        "elbow_right": ((1, arms / 3, 0.0),),
        **more,
    }


ACTIVITIES: dict[str, Activity] = {
    "walk": Activity(
        pace=0.95,
        stride=1.32,
        stance=0.62,
        step_height=0.10,
        hips=0.95,
        footfall=(0.004, 5.0, 2.0, 40.0),
        restless=2.0,
        rest=_pose(pitch=3.0, bend=2.0, elbow=22.0),
        waves=_gait(
            0.020,
            4.0,
            3.0,
            22.0,
            heave=((2, 0.019, 155.0), (4, 0.002, 60.0)),
            surge=((2, 0.010, 60.0),),
            pitch=((2, 1.6, 90.0),),
        ),
    ),
    "run": Activity(
        pace=1.38,
        stride=2.20,
        stance=0.36,
        step_height=0.30,
        hips=0.93,
        footfall=(0.004, 4.0, 2.0, 60.0),
        restless=2.5,
        rest=_pose(pitch=7.0, bend=6.0, swing=-12.0, elbow=85.0),
        waves=_gait(
            0.014,
            7.0,
            4.0,
            36.0,
            heave=((2, 0.036, 50.0), (4, 0.003, 10.0)),
            surge=((2, 0.012, 120.0),),
            pitch=((2, 2.5, 140.0),),
        ),
    ),
    "climb_up": Activity(
        pace=0.80,
        stride=0.70,
        rise=0.34,
        stance=0.62,
        step_height=0.14,
        hips=0.93,
        footfall=(0.003, 3.0, 2.0, 90.0),
        restless=2.5,
        rest=_pose(pitch=9.0, bend=4.0, elbow=28.0),
        waves=_gait(
            0.028,
            5.0,
            5.0,
            17.0,
            heave=((2, 0.022, 215.0), (4, 0.003, 150.0)),
            surge=((2, 0.016, 150.0),),
            pitch=((2, 2.8, 180.0),),
        ),
    ),
    "climb_down": Activity(
        pace=0.92,
        stride=0.70,
        rise=-0.34,
        stance=0.60,
        step_height=0.08,
        hips=0.94,
        footfall=(0.008, 7.0, 2.0, 30.0),
        restless=2.5,
        rest=_pose(pitch=2.0, bend=3.0, elbow=28.0),
        waves=_gait(
            0.024,
            5.0,
            4.0,
            15.0,
            heave=((2, 0.024, 130.0), (4, 0.005, 20.0)),
            surge=((2, 0.012, 20.0),),
            pitch=((2, 1.8, 30.0),),
        ),
    ),
    "jump": Activity(
        pace=1.45,
        hips=0.93,
        feet=(0.03, 0.12),
        footfall=(0.012, 4.0, 1.0, -120.0),
        restless=2.5,
        rest=_pose(pitch=6.0, bend=6.0, swing=15.0, elbow=40.0),
        waves={
            "heave": ((1, 0.105, 0.0), (2, 0.012, 180.0)),
            "surge": ((1, 0.015, 60.0),),
            "pitch": ((1, 5.0, 180.0), (2, 1.5, 90.0)),
            "bend": ((1, 5.0, 180.0),),
            "swing_left": ((1, 38.0, 0.0),),
            "swing_right": ((1, 38.0, 0.0),),
            "lift_left": ((1, 6.0, 0.0),),
            "lift_right": ((1, 6.0, 0.0),),
        },
    ),
    "wave": Activity(
        pace=1.5,
        rest=_pose(pitch=1.0, lift=120.0, elbow=8.0, fore=30.0),
        waves={
            "lift_left": ((1, 14.0, 0.0),),
            "lift_right": ((1, 14.0, 0.0),),
            "fore_left": ((1, 26.0, -20.0),),
            "fore_right": ((1, 26.0, -20.0),),
            "heave": ((1, 0.0004, 200.0),),
            "roll": ((1, 0.06, 20.0),),
        },
    ),
    "sit": Activity(
        pace=0.25,
        hips=0.53,
        feet=(0.42, 0.11),
        restless=0.9,
        rest=_pose(pitch=-6.0, bend=8.0, swing=25.0, elbow=50.0),
        waves={"bend": ((1, 0.4, 0.0),), "surge": ((1, 0.0008, 0.0),)},
    ),
    "stand": Activity(
        pace=0.25,
        rest=_pose(pitch=1.0),
        waves={"bend": ((1, 0.4, 0.0),), "surge": ((1, 0.0008, 0.0),)},
    ),
    "lie": Activity(
        pace=0.25,
        hips=0.13,
        lying=True,
        restless=0.6,
        rest=_pose(pitch=-88.0, bend=0.0, lift=14.0),
        waves={"bend": ((1, 0.4, 0.0),), "heave": ((1, 0.001, 0.0),)},
    ),
}
"""The nine classes, in the order of their numbers."""
