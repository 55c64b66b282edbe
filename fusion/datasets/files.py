"""What the readers of a user's own files share: IDs, splits, and reading a file that may not be there."""

from __future__ import annotations

import hashlib
import unicodedata
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.datasets.base import MAX_ID_BYTES
from fusion.errors import ConfigError, SampleError
from fusion.modalities import modality_class, modality_from_dict
from fusion.modalities.sensor_files import Readings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fusion.datasets.base import Sample
    from fusion.modalities import Modality

_LOOKED_AT = 8
_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "development"), "val"),
}
_MEDIA = {
    "array": "npy npz nii gz mat nrrd mha mhd dcm",
    "audio": "wav flac ogg mp3 m4a aac opus wma aif aiff amr ape au caf",
    "image": "png jpg jpeg bmp gif tif tiff webp avif heic heif jp2 j2k jxl dng cr2 nef arw svg psd tga ico exr hdr",
    "sensor": "csv npy npz tsv mat parquet xls xlsx h5 hdf5",
    "video": "mp4 avi mov mkv webm wmv flv m4v mpg mpeg 3gp ogv ts",
}
"""By these a user knows a file of a modality, whether it can be read here or not."""


FILE_DEFAULTS: dict[str, Any] = {
    "length": None,
    "columns": None,
    "resample": False,
    "channels": None,
    "key": None,
    "test_share": 0.2,
    "seed": 42,
    "outside": False,
}
"""Options that all readers of files share."""


def file_modality(
    name: str,
    *,
    length: int | None = None,
    columns: str | Sequence[str] | None = None,
    resample: bool = False,
    channels: str | None = None,
    key: str | None = None,
) -> Modality:
    """Give what reads files of a modality, with what was asked for of sensor windows or of arrays.

    Raises
    ------
    ConfigError
        When another modality is given such an option.
    """
    of_arrays = {name: value for name, value in {"channels": channels, "key": key}.items() if value is not None}
    if of_arrays and name != "array":
        raise ConfigError(f"channels and key are options of arrays, not of {name} files")
    names = [] if columns is None else columns.split(",") if isinstance(columns, str) else list(columns)
    fields = {"length": length, "channels": tuple(part.strip() for part in names), "resample": resample or None}
    asked = {key: value for key, value in fields.items() if value}
    if length is not None:
        asked["resample"] = True
    if asked and name != "sensor":
        raise ConfigError(f"length, columns and resample are options of sensor windows, not of {name} files")
    return modality_from_dict({"name": name, **asked, **of_arrays})


def columns_left_out(samples: Iterable[Sample], reader: Modality) -> dict[str, str]:
    """Say which columns of sensor windows in files are no channels, and why, as the first that can be read has them."""
    asked = getattr(reader, "channels", ())
    for sample in islice(samples, _LOOKED_AT):
        try:
            raw = sample.raw
        except SampleError:
            continue
        if isinstance(raw, Readings) and asked:
            return {name: raw.left_out.get(name, "not asked for") for name in raw.columns if name not in asked}
        return dict(raw.left_out) if isinstance(raw, Readings) else {}
    return {}


def media_suffixes(modality: str) -> frozenset[str]:
    """Suffixes that a sample of a modality may be expected to have, in lower case with their dot."""
    usual = {f".{suffix}" for suffix in _MEDIA.get(modality, "").split()}
    return frozenset(usual | set(modality_class(modality).suffixes))


def file_id(relative: str) -> str:
    r"""Make an ID of a relative path.

    Parameters
    ----------
    relative : str
        In POSIX form.

    Returns
    -------
    str
        The path as it is. Bytes that are no UTF-8 are written like ``\xff``; what is too long for an ID ends in a hash.
    """
    name = printable(relative)
    content = name.encode()
    if len(content) <= MAX_ID_BYTES:
        return name
    ending = "~" + hashlib.blake2b(content, digest_size=8).hexdigest()
    return content[: MAX_ID_BYTES - len(ending)].decode(errors="ignore") + ending


def printable(text: str) -> str:
    r"""Write bytes of a file name that are no UTF-8 like ``\xff``."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def hashed_split(key: str, *, test_share: float, seed: int) -> str:
    """Put a sample or a group into ``train`` or ``test``, by a seeded hash of its name and nothing else.

    Parameters
    ----------
    key : str
        The group, so that it stands on one side, or the ID.
    test_share : float
        Between 0 and 1, of the keys.
    seed : int
    """
    digest = hashlib.blake2b(key.encode(), digest_size=8, person=b"split", salt=seed.to_bytes(8, "little", signed=True))
    return "test" if int.from_bytes(digest.digest(), "little") < test_share * 2.0**64 else "train"


def usual_split(name: str) -> str | None:
    """Give the split that a name such as ``Training``, ``TEST`` or ``dev`` means; None for any other name."""
    return _SPLITS.get(name.lower())


class SplitCount:
    """Names splits and counts what a hash put on each side: of few groups that may be far from the share asked for.

    Parameters
    ----------
    what : str
        What is split whole, in the plural: "groups" or "files".
    test_share : float
    seed : int
    """

    def __init__(self, what: str, test_share: float, seed: int) -> None:
        if not -(1 << 63) <= seed < 1 << 63:
            raise ConfigError(f"seed is {seed}; expected a whole number of at most 63 bits")
        self.what, self.test_share, self.seed = what, test_share, seed
        self._read: dict[str, str] = {}
        self._ungrouped = 0
        self._keys: dict[str, set[str]] = {"train": set(), "test": set()}
        self._samples = {"train": 0, "test": 0}

    def split(self, key: str) -> str:
        """Put a group or a sample on its side, and count it."""
        side = hashed_split(key, test_share=self.test_share, seed=self.seed)
        self._keys[side].add(key)
        self._samples[side] += 1
        return side

    def named(self, written: str | None) -> str | None:
        """Give the split that a source names; ``Training``, ``TEST`` and ``dev`` are train, test and val."""
        found = None if written is None else usual_split(written) or written
        if written is not None and found != written:
            self._read[written] = str(found)
        return found

    def grouped(self, group: str | None) -> str | None:
        """Give a group back, and count the samples of a source of groups that have none."""
        self._ungrouped += group is None
        return group

    @property
    def notes(self) -> tuple[str, ...]:
        """Which splits are written otherwise in the source, and how many samples lack a group."""
        told = [f"{written} as {name}" for written, name in sorted(self._read.items())]
        alone = f"{self._ungrouped} samples have no group: nothing keeps those of one person on one side of the split"
        return (*([f"splits read: {', '.join(told)}"] if told else []), *([alone] if self._ungrouped else []))

    def afresh(self) -> SplitCount:
        """Give one that has counted nothing yet."""
        return SplitCount(self.what, self.test_share, self.seed)

    def note(self, where: str) -> str:
        """Say what was asked for and what came of it; `where` is what there is none of, such as "split column"."""
        asked = f"{self.test_share:.0%} of the {self.what} asked for as test"
        tested, every = self._samples["test"], sum(self._samples.values())
        if not every:
            return f"no {where}: {asked}, by a hash of names (seed {self.seed})"
        keys = {side: len(found) for side, found in self._keys.items()}
        came = f"{keys['test']} of {sum(keys.values())} {self.what}, {tested / every:.0%} of the samples"
        return f"no {where}: {asked}, a hash of names (seed {self.seed}) gave {came}"


def check_test_share(test_share: float) -> float:
    """Return a share of samples to test on; ConfigError when it is none."""
    if isinstance(test_share, bool) or not isinstance(test_share, (int, float)) or not 0 <= test_share <= 1:
        raise ConfigError(f"test_share is {test_share!r}; expected a number from 0 to 1")
    return float(test_share)


def given_options(options: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Keep the reader's options that differ from their defaults, which a store remembers."""
    return {name: value for name, value in options.items() if value != defaults[name]}


def file_loader(modality: Modality, path: Path, inside: Path | None) -> Callable[[], Any]:
    """Give what reads a file when it is wanted, and refuses one whose real place is not `inside` a folder."""
    return partial(_load, modality, path, inside)


def failing_loader(reason: str) -> Callable[[], Any]:
    """Give what raises SampleError in place of reading."""
    return partial(_fail, reason)


def _load(modality: Modality, path: Path, inside: Path | None) -> Any:
    try:
        if inside is not None and not path.resolve().is_relative_to(inside.resolve()):
            _fail(f"{path.name} leaves the folder {inside.name}; copy it there, or allow it with --reader outside=true")
        return modality.read(_under_that_name(path))
    except SampleError as error:
        near = "" if path.exists() else _near(path)
        raise SampleError(error.stage, printable(f"{error.reason}{near}")) from error


def _under_that_name(path: Path) -> Path:
    """Give the path in the Unicode form that its name has on disk: a list and a disk may write é in two ways."""
    if path.exists():
        return path
    forms = (Path(unicodedata.normalize(form, str(path))) for form in ("NFC", "NFD"))
    return next((form for form in forms if form.exists()), path)


def _near(path: Path) -> str:
    """Name the file that a missing one may be meant to be: with other capitals, or with / for a backslash."""
    slashed = Path(str(path).replace("\\", "/"))
    if slashed != path and slashed.exists():
        return "; write / between folders"
    with suppress(OSError):
        names = [entry.name for entry in path.parent.iterdir() if entry.name.casefold() == path.name.casefold()]
        return f"; there is {names[0]}" if names else ""
    return ""


def _fail(reason: str) -> None:
    raise SampleError("read", reason)
