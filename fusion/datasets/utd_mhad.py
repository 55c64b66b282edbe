"""UTD-MHAD: 861 trials of 27 actions by 8 subjects, seen by a worn sensor, a depth camera and its skeleton tracker.

Chen, Jafari, Kehtarnavaz, "UTD-MHAD: A Multimodal Dataset for Human Action Recognition Utilizing a Depth Camera and a
Wearable Inertial Sensor", ICIP 2015. All views of a trial have the same ID, such as ``a1_s1_t1``. Subjects 1, 3, 5 and
7 are the training split, as in the authors' cross-subject protocol.
"""

from __future__ import annotations

import re
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.base import Sample
from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities.arrays import npz_names, read_mat, read_npz
from fusion.modalities.sensor import SensorModality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

ACTIONS = (
    *("right arm swipe to the left", "right arm swipe to the right", "right hand wave", "two hand front clap"),
    *("right arm throw", "cross arms in the chest", "basketball shoot", "right hand draw x"),
    *("right hand draw circle (clockwise)", "right hand draw circle (counter clockwise)", "draw triangle"),
    *("bowling (right hand)", "front boxing", "baseball swing from right", "tennis right hand forehand swing"),
    *("arm curl (two arms)", "tennis serve", "two hand push", "right hand knock on door"),
    *("right hand catch an object", "right hand pick up and throw", "jogging in place", "walking in place"),
    *("sit to stand", "stand to sit", "forward lunge (left foot forward)", "squat (two arms stretch out)"),
)
"""Names of the actions 1 to 27."""

TRAINING_SUBJECTS = (1, 3, 5, 7)
AXES = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
_LIMBS = (("shoulder", "elbow", "wrist", "hand"), ("hip", "knee", "ankle", "foot"))
JOINTS = (
    *("head", "shoulder_centre", "spine", "hip_centre"),
    *(f"{side}_{joint}" for limb in _LIMBS for side in ("left", "right") for joint in limb),
)
"""The tracker's joints in the files' order."""

_HIP_CENTRE = JOINTS.index("hip_centre")
_TRIAL = re.compile(r"a(\d{1,2})_s(\d)_t(\d)")
_MAX_BYTES = 1 << 26


class UtdInertial:
    """The inertial sensor on the right wrist, or on the right thigh for actions 22 to 27.

    Raw arrays have shape (readings, 6): acceleration x, y, z in g, then angular velocity in degrees per second.

    Parameters
    ----------
    root : path
        The folder that holds ``Inertial/a<A>_s<S>_t<T>_inertial.mat``, or that folder itself.
    length : int >= 2
        Readings that every trial is resampled to, over time scaled to [0, 1]; trials have 107 to 326.

    Raises
    ------
    DataError
        When the folder is missing or has no such files.
    """

    name = "utd-mhad-inertial"
    modality = "sensor"

    def __init__(self, root: str | Path, *, length: int = 128) -> None:
        self.length = _checked_length(length)
        self.files = trial_files(Path(root), "Inertial", "_inertial.mat")

    @property
    def options(self) -> dict[str, Any]:
        """What the reader was opened with."""
        return {"length": self.length}

    def default_modality(self) -> SensorModality:
        """Give the number of readings and the channels' names."""
        return SensorModality(length=self.length, channels=AXES, resample=True)

    def __iter__(self) -> Iterator[Sample]:
        return (trial_sample(trial, partial(_read_inertial, path)) for trial, path in self.files.items())


class UtdSkeleton:
    """The positions of 20 joints, as the depth camera's tracker gives them.

    Raw arrays have shape (frames, 60): x, y and z of each of `JOINTS`, in metres.

    Parameters
    ----------
    root : path
        The folder that holds the folder ``Skeleton``, or that folder itself; inside, the authors'
        ``a<A>_s<S>_t<T>_skeleton.mat`` or one ``skeleton.npz`` with an array (frames, 20, 3) for each trial.
    length : int >= 2
        Frames that every trial is resampled to, over time scaled to [0, 1]; trials have 41 to 125.
    relative : bool
        Take positions relative to the hip centre in the trial's first frame, so that where the subject stands does
        not matter but where the body goes does. False keeps the camera's coordinates.

    Raises
    ------
    DataError
        When the folder is missing or has no such files.
    """

    name = "utd-mhad-skeleton"
    modality = "sensor"

    def __init__(self, root: str | Path, *, length: int = 64, relative: bool = True) -> None:
        self.length, self.relative = _checked_length(length), _checked_flag("relative", relative)
        self._loaders = _skeletons(Path(root))

    @property
    def options(self) -> dict[str, Any]:
        """What the reader was opened with."""
        return {"length": self.length, "relative": self.relative}

    def default_modality(self) -> SensorModality:
        """Give the number of frames and the channels' names, such as ``left_knee_y``."""
        channels = tuple(f"{joint}_{axis}" for joint in JOINTS for axis in "xyz")
        return SensorModality(length=self.length, channels=channels, resample=True)

    def __iter__(self) -> Iterator[Sample]:
        for trial, load in self._loaders.items():
            yield trial_sample(trial, partial(_skeleton, load, relative=self.relative))


def trial_sample(trial: str, load: Callable[[], NDArray[Any]]) -> Sample:
    """Name a trial's action, split and subject.

    Parameters
    ----------
    trial : str
        Such as ``a1_s1_t1``: action, subject, repetition.
    load : callable
        Reads the trial's array.
    """
    action, subject, _ = _numbers(trial)
    split = "train" if subject in TRAINING_SUBJECTS else "test"
    return Sample(id=trial, label=ACTIONS[action - 1], split=split, group=f"s{subject}", load=load)


def trial_files(root: Path, folder: str, suffix: str) -> dict[str, Path]:
    """Find the files of the trials, in the order of action, subject and repetition.

    Parameters
    ----------
    root : Path
        Holds `folder`, holds one folder that does, or is it.
    folder, suffix : str
        Such as ``Inertial`` and ``_inertial.mat``.

    Raises
    ------
    DataError
        When there is no such folder, or none of the files in it.
    """
    place = trial_folder(root, folder)
    found = {path.name.removesuffix(suffix): path for path in place.glob(f"a*{suffix}")}
    trials = _in_order(found)
    if not trials:
        raise DataError(f"{place} has no files such as a1_s1_t1{suffix}; expected one for each trial of UTD-MHAD")
    return {trial: found[trial] for trial in trials}


def trial_folder(root: Path, folder: str) -> Path:
    """Find the folder of one view; DataError when there is none."""
    for candidate in (root / folder, root, *(path / folder for path in sorted(root.glob("*")) if path.is_dir())):
        if candidate.name == folder and candidate.is_dir():
            return candidate
    if not root.exists():
        raise DataError(f"{root} does not exist; expected the folder of UTD-MHAD with {folder} inside")
    if root.is_dir() and any(_TRIAL.match(path.name) for path in root.glob("a*_s*_t*")):
        return root
    raise DataError(f"{root} is not UTD-MHAD: no folder {folder} in it; expected the folder with {folder} inside")


def _skeletons(root: Path) -> dict[str, Callable[[], NDArray[Any]]]:
    together = trial_folder(root, "Skeleton") / "skeleton.npz"
    if not together.is_file():
        files = trial_files(root, "Skeleton", "_skeleton.mat")
        return {trial: partial(_joints_of_mat, path) for trial, path in files.items()}
    try:
        with zipfile.ZipFile(together) as archive:
            trials = _in_order(npz_names(archive))
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise DataError(f"{together} cannot be read: {error}. Download it again.") from error
    if not trials:
        raise DataError(f"{together} has no arrays such as a1_s1_t1; expected one for each trial of UTD-MHAD")
    return {trial: partial(read_npz, together, trial, max_bytes=_MAX_BYTES) for trial in trials}


def _in_order(names: Iterable[str]) -> list[str]:
    return sorted((name for name in names if _is_trial(name)), key=_numbers)


def _is_trial(name: str) -> bool:
    return _TRIAL.fullmatch(name) is not None and 1 <= _numbers(name)[0] <= len(ACTIONS)


def _numbers(trial: str) -> tuple[int, ...]:
    return tuple(int(part[1:]) for part in trial.split("_"))


def _read_inertial(path: Path) -> NDArray[Any]:
    readings = read_mat(path, "d_iner", max_bytes=_MAX_BYTES)
    if readings.ndim != 2 or readings.shape[1] != len(AXES):
        raise SampleError("read", f"{path.name}: d_iner of shape {readings.shape}; expected (readings, {len(AXES)})")
    return readings


def _joints_of_mat(path: Path) -> NDArray[Any]:
    joints = read_mat(path, "d_skel", max_bytes=_MAX_BYTES)
    return joints.transpose(2, 0, 1) if joints.ndim == 3 else joints


def _skeleton(load: Callable[[], NDArray[Any]], *, relative: bool) -> NDArray[np.float32]:
    joints = load()
    if joints.ndim != 3 or joints.shape[1:] != (len(JOINTS), 3):
        raise SampleError("read", f"joints of shape {joints.shape}; expected (frames, {len(JOINTS)}, 3)")
    if relative and len(joints):
        joints = joints - joints[0, _HIP_CENTRE]
    return joints.reshape(len(joints), -1).astype(np.float32)


def _checked_length(length: int) -> int:
    if not isinstance(length, int) or isinstance(length, bool) or length < 2:
        raise ConfigError(f"length is {length!r}; expected 2 or more readings")
    return length


def _checked_flag(name: str, value: bool) -> bool:  # noqa: FBT001 - what is checked
    if not isinstance(value, bool):
        raise ConfigError(f"{name} is {value!r}; expected true or false")
    return value
