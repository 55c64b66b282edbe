"""Label maps: what a store calls a class, and what the link table calls it."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Collection, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.errors import ConfigError, DataError
from fusion.names import name_of

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["LabelMap", "label_maps", "maps_of_stores", "read_label_map"]

LabelMap = Mapping[str, Mapping[str, str]]
"""By store name, and under "" for all stores: label of the store -> common label; "" leaves the class out."""

_COLUMNS = ("store", "label", "common")


def label_maps() -> list[str]:
    """Return the names of the label maps that come with the toolkit."""
    return sorted(entry.name.removesuffix(".toml") for entry in _shipped().iterdir() if entry.name.endswith(".toml"))


def read_label_map(source: str | Path) -> LabelMap:
    """Read a label map.

    Parameters
    ----------
    source : path
        Name of a shipped map, or a file. A ``.toml`` file has ``label = "common label"`` for all stores, or such
        entries in a table named after a store. A ``.csv`` file has the columns label, common and, if wanted, store. A
        class whose common label is empty is left out; one that is not named keeps its label.

    Raises
    ------
    ConfigError
        No such map, or another suffix.
    DataError
        The file cannot be read as a label map.
    """
    if str(source) in label_maps():
        return _from_toml((_shipped() / f"{source}.toml").read_bytes(), str(source))
    path = Path(source)
    if path.suffix.lower() not in (".csv", ".toml"):
        raise ConfigError(
            f"label map {str(source)!r} is neither a .csv nor a .toml file, nor one that comes with the toolkit: "
            f"{', '.join(label_maps())}. Check the name."
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"label map {path} cannot be read: {error.strerror}. Check the path.") from error
    return _from_toml(content, path) if path.suffix.lower() == ".toml" else _from_csv(content, path)


def maps_of_stores(given: LabelMap, names: Collection[str]) -> dict[str, dict[str, str]]:
    """Return what each of these stores has to rename.

    Raises
    ------
    ConfigError
        The map names another store.
    """
    unknown = sorted(set(given) - {"", *names})
    if unknown:
        raise ConfigError(
            f"the label map names the stores {', '.join(map(repr, unknown))}; the stores to link are "
            f"{', '.join(map(repr, names))}. Correct the map."
        )
    return {name: _called(given.get("", {})) | _called(given.get(name, {})) for name in names}


def _called(table: Mapping[Any, Any]) -> dict[str, str]:
    """Call labels as data sets do, 1.0 as 1."""
    return {str(name_of(label)): name_of(common) or "" for label, common in table.items()}


def _shipped() -> Traversable:
    return files("fusion.linking")


def _from_toml(content: bytes, source: object) -> LabelMap:
    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"label map {source} is not TOML: {error}. Correct the file.") from error
    common = {name: value for name, value in document.items() if not isinstance(value, dict)}
    found = {"": common} | {name: value for name, value in document.items() if isinstance(value, dict)}
    for table in found.values():
        _require_strings(table, source)
    return found


def _from_csv(content: bytes, source: object) -> LabelMap:
    try:
        rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines(keepends=True), strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"label map {source} is not CSV: {error}. Correct the file.") from error
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        if not {"label", "common"} <= set(row) <= set(_COLUMNS) or None in row.values():
            shown = ", ".join(map(str, row))
            raise DataError(f"label map {source} has columns {shown}; expected label, common and, if wanted, store.")
        table = found.setdefault(row.get("store", ""), {})
        if table.setdefault(row["label"], row["common"]) != row["common"]:
            raise DataError(f"label map {source} gives {row['label']!r} two common labels. Keep one.")
    return found


def _require_strings(table: Mapping[str, Any], source: object) -> None:
    for label, common in table.items():
        if not isinstance(common, str):
            raise DataError(
                f"label map {source} turns {label!r} into {type(common).__name__} {common!r}; expected a label in "
                "quotes."
            )
