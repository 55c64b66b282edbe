"""A finished comparison as a file of its folder, ``comparison.json``: what its report is made from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from fusion.comparing.ranking import CompareResult, Place
from fusion.errors import DataError
from fusion.models.model import library_versions, now
from store.files import write_whole

__all__ = ["COMPARISON_FILE", "KeptComparison", "keep_result", "read_result"]

COMPARISON_FILE = "comparison.json"
FORMAT, FORMAT_VERSION = "functa-fusion-comparison", 1
_AGAIN = "Compare again; finished cells are kept."
_OPEN = ("sd", "difference", "p", "balanced_accuracy")
"""Figures of a place that may be unknown: NaN, which JSON lacks, is null."""


class _Place(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    encoder: str
    preset: str
    fusion: str | None
    mean: float
    sd: float | None
    interval: tuple[float, float]
    seconds: float
    seeds: int
    difference: float | None
    p: float | None
    balanced_accuracy: float | None

    def place(self) -> Place:
        values = self.model_dump()
        return Place(**values | {name: math.nan for name in _OPEN if values[name] is None})


class KeptComparison(BaseModel):
    """What stands in the file.

    Attributes
    ----------
    created : str
        ISO 8601, UTC.
    versions : mapping of str to str
        Of the libraries.
    settings : mapping of str to object
        What was asked for.
    """

    model_config = ConfigDict(strict=True, extra="forbid")
    format: str
    format_version: int
    created: str
    versions: dict[str, str]
    settings: dict[str, Any]
    places: list[_Place]
    test: str
    folds: int
    rows: int
    groups: int
    measure: str
    notes: list[str]
    winner: dict[str, Any] | None

    def result(self) -> CompareResult:
        """Return the comparison as `fusion.compare` did, without the trained model."""
        places = tuple(each.place() for each in self.places)
        numbers = (self.folds, self.rows, self.groups, self.measure)
        return CompareResult(places, self.test, *numbers, notes=tuple(self.notes), winner=self.winner)


def keep_result(folder: Path, result: CompareResult, settings: Mapping[str, Any]) -> None:
    """Write a comparison into its folder, in the place of the one that was finished there before."""
    told = {name: getattr(result, name) for name in ("test", "folds", "rows", "groups", "measure", "notes", "winner")}
    places = [{name: _known(value) for name, value in place.to_dict().items()} for place in result.places]
    made = {"format": FORMAT, "format_version": FORMAT_VERSION, "created": now(), "versions": library_versions()}
    document = {**made, "settings": dict(settings), "places": places, **told}
    write_whole(folder / COMPARISON_FILE, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def read_result(folder: str | Path) -> KeptComparison:
    """Read the comparison that was finished in a folder.

    Raises
    ------
    DataError
        None was, or its file is damaged or of a newer format.
    """
    path = Path(folder) / COMPARISON_FILE
    try:
        document = json.loads(path.read_bytes())
        found = document.get("format_version") if isinstance(document, dict) else None
        if isinstance(found, int) and found > FORMAT_VERSION:
            raise DataError(
                f"{path} has format version {found}; this release reads up to {FORMAT_VERSION}. Upgrade functa-fusion."
            )
        kept = KeptComparison.model_validate_json(json.dumps(document))
    except FileNotFoundError:
        raise DataError(
            f"no comparison is finished in {folder}; expected a folder of functa compare. Run the same command again."
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DataError(
            f"{path} is damaged at {place!r}: {first['msg']}. Compare again; finished cells are kept."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read: {error}. {_AGAIN}") from error
    if not kept.places or kept.format != FORMAT:
        raise DataError(f"{path} holds no comparison. {_AGAIN}")
    return kept


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
