"""JHMDB: 928 clips of 21 actions, the part of HMDB-51 in which the whole body of one person is seen.

Jhuang, Gall, Zuffi, Schmid, Black, "Towards understanding action recognition", ICCV 2013.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.datasets.hmdb51 import checked_split, class_folder, clip_sample, read_split_files, split_folder
from fusion.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fusion.datasets.base import Sample

_TABLE = "clips.csv"
_TABLE_FOLDER = "small"
_OFFICIAL = "hmdb51_splits"


class Jhmdb:
    """Clips and one of the three splits, in the authors' layout or with a table.

    Parameters
    ----------
    root : path
        Either holds ``clips.csv`` (columns ``clip``, ``split1`` to ``split3`` with the codes of HMDB-51) and the clips
        in ``small/<class>``, and may hold HMDB-51's split files in ``hmdb51_splits``; or, as published,
        ``ReCompress_Videos/<class>/<clip>.avi`` and ``splits/<class>_test_split<n>.txt``.
    split : {1, 2, 3}
        Which split; clips that it leaves out have none.

    Raises
    ------
    ConfigError
        When there is no such split.
    DataError
        When the folder is missing or of another layout, or the table is damaged.

    Notes
    -----
    IDs and groups are those of `fusion.datasets.hmdb51.Hmdb51`: the same clip has the same ID in both. Where HMDB-51's
    split files name a clip, they count and not the table, which was matched by likeness of names and takes seven clips
    named after one song for one another.
    """

    name = "jhmdb"
    modality = "video"

    def __init__(self, root: str | Path, *, split: int = 1) -> None:
        self.split = checked_split(split)
        root = Path(root)
        table = next((path for path in (root / _TABLE, *root.glob(f"*/{_TABLE}")) if path.is_file()), None)
        self.clips = _of_table(table, split) if table is not None else _as_published(root, split)

    @property
    def options(self) -> dict[str, Any]:
        """What the reader was opened with."""
        return {"split": self.split}

    def __iter__(self) -> Iterator[Sample]:
        return (clip_sample(path, code) for path, code in self.clips)


def _of_table(table: Path, split: int) -> list[tuple[Path, str | None]]:
    folder = table.parent / _TABLE_FOLDER
    official = read_split_files(table.parent / _OFFICIAL, split)
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        coded = [(folder / row["clip"], row[f"split{split}"]) for row in rows]
    except KeyError as error:
        raise DataError(f"{table} has no column {error}; expected clip, split1, split2 and split3") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table} cannot be read: {error}; expected clip, split1, split2 and split3") from error
    return [(path, official.get((path.parent.name, path.stem), code)) for path, code in coded]


def _as_published(root: Path, split: int) -> list[tuple[Path, str | None]]:
    folder = class_folder(root, ".avi", "JHMDB")
    codes = read_split_files(split_folder(folder, split, ("splits",)), split)
    paths = sorted(folder.glob("*/*.avi"))
    return [(path, codes.get((path.parent.name, path.stem))) for path in paths]
