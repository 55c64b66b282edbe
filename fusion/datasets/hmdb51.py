"""HMDB-51: 6,766 clips of 51 actions, cut from films and web videos (paper, Section 4.1.3).

Kuehne, Jhuang, Garrote, Poggio, Serre, "HMDB: A Large Video Database for Human Motion Recognition", ICCV 2011.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.datasets.base import Sample
from fusion.errors import ConfigError, DataError
from fusion.modalities.clips import VideoFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SPLITS = (1, 2, 3)
_SPLIT_OF_CODE = {"0": None, "1": "train", "2": "test"}
_SPLIT_FOLDER = "testTrainMulti_7030_splits"
# Visible body part, camera motion, number of people, viewpoint, quality, number in the film.
_PROPERTIES = re.compile(r"_[a-z]_(cm|nm)_np\d+_[a-z]{2}_[a-z]{3}_\d+$")


class Hmdb51:
    """Class folders of clips, and one of the three official splits.

    Parameters
    ----------
    root : path
        The folder of the class folders (``<class>/<clip>.avi``) or one that holds it. The official split files
        (``testTrainMulti_7030_splits/<class>_test_split<n>.txt``) lie inside either, or beside them.
    split : {1, 2, 3}
        Which official split; clips that it leaves out have none.

    Raises
    ------
    ConfigError
        When there is no such split.
    DataError
        When the folder holds no class folders, or the split files are missing or damaged.

    Notes
    -----
    The group of a clip is the film it was cut from, told from its name, within its class. The official splits keep
    clips of one class and film on one side, but not clips of different classes: in each split about a tenth of the
    films give training clips to one class and test clips to another. To keep such films apart, which the published
    protocol does not, group by the name of the film alone.
    """

    name = "hmdb51"
    modality = "video"
    suffix = ".avi"

    def __init__(self, root: str | Path, *, split: int = 1) -> None:
        self.split = checked_split(split)
        self.root = class_folder(Path(root), self.suffix, "HMDB-51")
        self.codes = read_split_files(split_folder(self.root, split), split)

    @property
    def options(self) -> dict[str, Any]:
        """What the reader was opened with."""
        return {"split": self.split}

    def __iter__(self) -> Iterator[Sample]:
        for path in sorted(self.root.glob(f"*/*{self.suffix}")):
            yield clip_sample(path, self.codes.get((path.parent.name, path.stem)))


def clip_sample(path: Path, code: str | None) -> Sample:
    """Name a clip's action, side and film.

    Parameters
    ----------
    path : Path
        ``<class>/<clip>`` with any suffix; the ID is the same for each.
    code : str or None
        1 is training, 2 test, anything else neither.
    """
    label, clip = path.parent.name, path.stem
    group = f"{label}/{film_of(clip, label)}"
    return Sample(f"{label}/{clip}", label, _SPLIT_OF_CODE.get(code or "0"), group, VideoFile(path).checked)


def film_of(clip: str, label: str) -> str:
    """Tell the film that a clip was cut from: its name without the action and the properties behind it.

    A name of another form is taken as a film of its own.
    """
    return _PROPERTIES.sub("", clip).removesuffix(f"_{label}")


def checked_split(split: int) -> int:
    """Return `split` if it is one of the three."""
    if split not in SPLITS or isinstance(split, bool):
        raise ConfigError(f"split is {split!r}; expected 1, 2 or 3")
    return split


def class_folder(root: Path, suffix: str, name: str) -> Path:
    """Find the folder whose folders hold clips: `root` or one inside it."""
    if not root.exists():
        raise DataError(f"{root} does not exist; expected the folder of {name}. Check the path.")
    for candidate in (root, *sorted(path for path in root.glob("*") if path.is_dir())):
        if next(candidate.glob(f"*/*{suffix}"), None) is not None:
            return candidate
    raise DataError(f"{root} is not {name}: no {suffix} files in class folders; expected <class>/<clip>{suffix}")


def split_folder(root: Path, split: int, names: Iterable[str] = (_SPLIT_FOLDER,)) -> Path:
    """Find the folder of the split files: inside the class folders' folder, beside it, or that folder itself."""
    wanted = tuple(names)
    candidates = (root, *(place / name for place in (root, root.parent) for name in wanted), root.parent)
    for candidate in candidates:
        if next(candidate.glob(f"*_test_split{split}.txt"), None) is not None:
            return candidate
    raise DataError(
        f"{root} has no files <class>_test_split{split}.txt inside or beside it; expected the official splits in a "
        f"folder {wanted[0]}. Unpack them there."
    )


def read_split_files(folder: Path, split: int) -> Mapping[tuple[str, str], str]:
    """Read one split of all classes.

    Returns
    -------
    mapping of (class, clip without suffix) to code
        1 is training, 2 test, 0 neither.

    Raises
    ------
    DataError
        When a line is not a file's name and one of these codes.
    """
    codes: dict[tuple[str, str], str] = {}
    for path in sorted(folder.glob(f"*_test_split{split}.txt")):
        label = path.name.removesuffix(f"_test_split{split}.txt")
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            name, _, code = line.strip().rpartition(" ")
            if line.strip() and (not name or code not in _SPLIT_OF_CODE):
                raise DataError(f"{path}, line {number}: {line!r}; expected a file's name and 0, 1 or 2")
            if name:
                codes[label, Path(name).stem] = code
    return codes
