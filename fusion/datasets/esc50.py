"""ESC-50 and its subset ESC-10: clips of five seconds of environmental sound, in five folds (paper, Section 4.1.2).

Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.datasets.base import Sample
from fusion.errors import DataError
from fusion.modalities.audio import AudioModality
from fusion.modalities.recording import Recording, read_recording

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE = 22_050.0
SECONDS = 5.0

_TABLE = Path("meta") / "esc50.csv"
_COLUMNS = ("filename", "fold", "category", "esc10", "src_file")


class Esc50:
    """The official layout: ``meta/esc50.csv`` names the clips in ``audio/``.

    Splits are ``fold-1`` to ``fold-5``; the group is the source recording that a clip was cut from. A clip that the
    table names and that is not there fails when it is read. A copy of a part of the data set has a table of that part.

    Parameters
    ----------
    root : path
        The folder "ESC-50-master", or one that holds it.

    Raises
    ------
    DataError
        When the table or the folder ``audio`` is missing or cannot be read.
    """

    name = "esc50"
    modality = "audio"
    only_esc10 = False

    def __init__(self, root: str | Path) -> None:
        self.root = _root(Path(root))
        self.clips = [clip for clip in _read_table(self.root / _TABLE) if clip["esc10"] or not self.only_esc10]
        if not self.clips:
            raise DataError(f"{self.root / _TABLE} names no clips of {self.name}; expected some. Download it again.")

    def default_modality(self) -> AudioModality:
        """Give the clips' length, and half the rate of the original.

        99 % of the energy is below eleven kilohertz (mean of 45 clips of ESC-10).
        """
        return AudioModality(rate=RATE, seconds=SECONDS)

    def __iter__(self) -> Iterator[Sample]:
        for clip in self.clips:
            yield Sample(
                id=Path(clip["filename"]).stem,
                label=clip["category"],
                split=f"fold-{clip['fold']}",
                group=f"source-{clip['src_file']}",
                load=partial(_load, self.root / "audio", clip["filename"]),
            )


class Esc10(Esc50):
    """The 400 clips of ten classes that the author published as ESC-10, in the layout of ESC-50."""

    name = "esc10"
    only_esc10 = True


def _load(folder: Path, filename: str) -> Recording:
    return read_recording(folder / filename)


def _root(path: Path) -> Path:
    if not path.exists():
        raise DataError(f"{path} does not exist; expected the folder 'ESC-50-master' or its archive")
    inside = sorted(child for child in path.iterdir() if child.is_dir()) if path.is_dir() else []
    for candidate in (path, *inside):
        if (candidate / _TABLE).is_file():
            if not (candidate / "audio").is_dir():
                raise DataError(f"{candidate} has no folder 'audio'; expected the clips in it. Unpack it again.")
            return candidate
    raise DataError(f"{path} is not ESC-50: no {_TABLE.as_posix()} in it; expected the folder 'ESC-50-master'")


def _read_table(path: Path) -> list[dict[str, Any]]:
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}; expected the table of ESC-50") from error
    missing = [column for column in _COLUMNS if column not in table]
    if missing:
        raise DataError(f"{path} has no column {', '.join(missing)}; expected {', '.join(_COLUMNS)}")
    table["esc10"] = table["esc10"].str.lower() == "true"
    for number, name in enumerate(table["filename"], 2):
        # Only names in the folder of clips: a table may not make the reader open other files.
        if not name or Path(name).name != name:
            raise DataError(f"{path}, line {number}: the filename {name!r} is not one of a file in 'audio'")
    return [dict(zip(_COLUMNS, row, strict=True)) for row in table[list(_COLUMNS)].itertuples(index=False)]
