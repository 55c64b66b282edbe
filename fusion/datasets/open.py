"""Open a data set by the name of its layout, from a folder, a file or an archive.

Other distributions add layouts by the entry point group ``functa.datasets``: a name, and a callable that takes the
source (and options by keyword) and returns a `Dataset`.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.datasets.archives import is_archive, unpack
from fusion.datasets.base import Dataset
from fusion.datasets.options import ReaderOption, options_of, typed_options
from fusion.errors import ConfigError, DataError, FusionError
from fusion.modalities.dialect import told_dialect
from fusion.modalities.tables import SHEETS, TABLE_SUFFIXES, TEXT_SUFFIXES
from fusion.plugins import DATASETS_GROUP, listed, load_attribute, load_plugin, plugins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_INERTIAL = "fusion.datasets.utd_mhad:UtdInertial"
_SKELETON = "fusion.datasets.utd_mhad:UtdSkeleton"
_DEPTH = "fusion.datasets.utd_depth:UtdDepth"
_FOLDER = "fusion.datasets.folder:FolderDataset"
_FILE_TABLE = "fusion.datasets.file_table:FileTable"
_ANY = ("array", "audio", "image", "sensor", "video")

READERS: dict[str, dict[str, str]] = {
    "cifar10": {"image": "fusion.datasets.cifar10:Cifar10"},
    "columns": {"columns": "fusion.datasets.column_table:ColumnTable"},
    "digits": {"audio": "fusion.datasets.digits:SpokenDigits", "image": "fusion.datasets.digits:WrittenDigits"},
    "esc10": {"audio": "fusion.datasets.esc50:Esc10"},
    "esc50": {"audio": "fusion.datasets.esc50:Esc50"},
    "figure": {
        "sensor": "fusion.datasets.figure.dataset:sensor_reader",
        "video": "fusion.datasets.figure.dataset:camera_reader",
    },
    "files": dict.fromkeys(_ANY, _FILE_TABLE),
    "folder": dict.fromkeys(_ANY, _FOLDER),
    "fsdd": {"audio": "fusion.datasets.official_digits:Fsdd"},
    "hmdb51": {"video": "fusion.datasets.hmdb51:Hmdb51"},
    "jhmdb": {"video": "fusion.datasets.jhmdb:Jhmdb"},
    "mnist": {"image": "fusion.datasets.official_digits:Mnist"},
    "table": {"sensor": "fusion.datasets.sensor_table:SensorTable"},
    "uci-har": {"sensor": "fusion.datasets.uci_har:UciHar"},
    "utd-mhad": {"sensor": _INERTIAL, "video": _DEPTH},
    "utd-mhad-depth": {"video": _DEPTH},
    "utd-mhad-inertial": {"sensor": _INERTIAL},
    "utd-mhad-skeleton": {"sensor": _SKELETON},
    "vectors": {"vectors": "fusion.datasets.vector_table:VectorTable"},
}
"""Layout, then modality, then the reader's ``module:class``."""

_GENERAL = ("files", "folder")
_ROWS = ("columns", "vectors")
"""Modalities of which a sample is a row of a table, each the name of its reader."""


@contextmanager
def open_dataset(
    name: str | None,
    source: str | Path,
    *,
    modality: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[Dataset]:
    """Open a data set.

    Parameters
    ----------
    name : str or None
        A layout, one of `dataset_names()`; None is told from the source: a folder of class folders (``folder``), a
        CSV file that lists files (``files``), a table of sensor readings (``table``).
    source : path
        A folder or a file, or an archive, which is unpacked to a temporary folder until the context ends.
    modality : str, optional
        Which modality to read; needed where a layout has several, or where it is told from the source.
    options : mapping, optional
        What the reader takes besides its source, see `reader_options`; text is turned into the kind of value that it
        takes.

    Raises
    ------
    ConfigError
        When the name or an option is not known, or the data set has no such modality.
    DataError
        When the source is missing, damaged or something else.
    """
    source = Path(source)
    name = name or _told_from(source, modality)
    reader = _reader(name, modality)
    with ExitStack() as stack:
        if is_archive(source):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="functa-")))
            unpack(source, folder)
            source = folder
        given = typed_options(name, reader, options or {})
        try:
            dataset = reader(source, **given)
        except Exception as error:
            if name in READERS or isinstance(error, (FusionError, OSError)):
                raise
            raise ConfigError(
                f"data set {name!r} cannot be read by its plug-in: {type(error).__name__}: {error}. Correct it."
            ) from error
        if not isinstance(dataset, Dataset):
            raise ConfigError(
                f"data set {name!r} is read by a plug-in that gave a {type(dataset).__name__}; expected a "
                "fusion.datasets.Dataset with name, modality and samples. Correct the plug-in."
            )
        if modality is not None and modality != dataset.modality:
            raise ConfigError(f"data set {name!r} holds {dataset.modality} samples, not {modality}")
        yield dataset


def dataset_names() -> list[str]:
    """Names of all layouts, those of plug-ins too."""
    return sorted(READERS.keys() | plugins(DATASETS_GROUP).keys())


def reader_options(name: str, modality: str | None = None) -> list[ReaderOption]:
    """Give the options of a layout's reader, which `open_dataset` takes.

    Parameters
    ----------
    name : str
        One of `dataset_names()`.
    modality : str, optional
        Where the layout has several; the first when not given.
    """
    if name in READERS:
        modality = modality or next(iter(READERS[name]))
    return list(options_of(_reader(name, modality)).values())


def layout_of(source: str | Path, modality: str) -> str:
    """Tell the layout of a source that was not named; DataError when it cannot be told."""
    return _told_from(Path(source), modality)


def _reader(name: str, modality: str | None) -> Callable[..., Dataset]:
    if name in plugins(DATASETS_GROUP) and name not in READERS:
        found: Callable[..., Dataset] = load_plugin(DATASETS_GROUP, name)
        return found
    if name not in READERS:
        raise ConfigError(f"data set {name!r} is not known; expected one of {listed(dataset_names())}")
    by_modality = READERS[name]
    if modality is None and len(by_modality) > 1:
        raise ConfigError(f"data set {name!r} holds {listed(by_modality)}; say which with the modality")
    if modality is not None and modality not in by_modality and name not in _GENERAL:
        raise ConfigError(f"data set {name!r} holds {listed(by_modality)} samples, not {modality}")
    reference = by_modality.get(modality or "", next(iter(by_modality.values())))
    found = load_attribute(reference)
    return partial(found, modality=modality) if name in _GENERAL else found


def _told_from(source: Path, modality: str | None) -> str:
    if modality is None:
        raise ConfigError(f"neither data set nor modality is named; the layout of {source} cannot be told")
    if modality in _ROWS and not is_archive(source):
        return modality
    if source.is_dir() or is_archive(source):
        return "folder"
    if not source.exists():
        raise DataError(f"{source} does not exist; expected a folder or file of {modality} samples. Check the path.")
    suffix = source.suffix.lower()
    if modality == "sensor" and suffix in TABLE_SUFFIXES and not _lists_files(source):
        return "table"
    if suffix in TEXT_SUFFIXES:
        return "files"
    advice = f"Or name its layout: {listed(dataset_names())}"
    if modality == "sensor":
        advice = "Save it as CSV or Parquet, or name its layout with --dataset"
    if suffix in SHEETS:
        advice = "Save the sheet as CSV"
    expected = ", ".join(TABLE_SUFFIXES)
    raise DataError(f"{source} is neither a folder nor a table that can be read; expected {expected}. {advice}.")


def _lists_files(source: Path) -> bool:
    if source.suffix.lower() not in TEXT_SUFFIXES:
        return False
    return "path" in [name.lower() for name in told_dialect(source).names]
