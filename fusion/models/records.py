"""The record of every run of a model, ``run.json`` in its folder: what was asked, of which data, and what came out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.errors import DataError
from fusion.models.model import library_versions, now
from store.files import write_whole
from store.portable import folder_locked

if TYPE_CHECKING:
    import pandas as pd

    from fusion.features.source import Source

__all__ = ["RUN_FILE", "Run", "add_run", "collect_runs", "data_of", "run_document", "runs_table", "shown_columns"]

RUN_FILE = "run.json"
FORMAT = "functa-fusion-runs"
FORMAT_VERSION = 1
_SHOWN = ("accuracy", "macro_f1", "r2", "mae", "rmse", "micro_f1", "mean", "sd")


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes
    ----------
    kind : {"train", "evaluate", "compare"}
    settings : mapping of str to object
        What was asked for, the seed among it.
    data : mapping of str to object
        As `data_of` tells it.
    figures : mapping of str to object
        What came out.
    seconds : float
        Of the whole run.
    command : str or None
        The command that does it again, if there is one.
    created : str
        ISO 8601, UTC.
    versions : mapping of str to str
        Of the libraries.
    """

    kind: str
    settings: Mapping[str, Any]
    data: Mapping[str, Any]
    figures: Mapping[str, Any]
    seconds: float
    command: str | None = None
    created: str = field(default_factory=now)
    versions: Mapping[str, str] = field(default_factory=library_versions)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return dict(vars(self))


def data_of(source: Source) -> dict[str, Any]:
    """Tell which data these are: path, fingerprint, commit and rows of each store, and a digest of the items' names.

    The digest is of ID, label, split and group of every item and of its ID in each store: data with the same digest and
    the same fingerprints and commits are the same. A sample's items are those drawn and tested.
    """
    items = source.items
    columns = [items.ids, items.labels, items.splits, items.groups, *items.rows.values()]
    digest = hashlib.blake2b(digest_size=16)
    for row in zip(*columns, strict=True):
        digest.update(json.dumps([None if value is None else str(value) for value in row]).encode())
    places = source.places
    stores = {
        name: {
            "path": places[name],
            "dataset": store.header.dataset,
            "fingerprint": store.fingerprint,
            "generation": store.generation,
            "rows": len(store),
        }
        for name, store in source.stores.items()
    }
    return {"stores": stores, "items": len(items), "digest": digest.hexdigest()}


def run_document(runs: Sequence[Run | Mapping[str, Any]]) -> str:
    """Write runs as the text of ``run.json``."""
    plain = [each.to_dict() if isinstance(each, Run) else dict(each) for each in runs]
    found = {"format": FORMAT, "format_version": FORMAT_VERSION, "runs": plain}
    return json.dumps(found, indent=1, ensure_ascii=False, default=_plain) + "\n"


def add_run(folder: Path, run: Run) -> str | None:
    """Add a run to the record of a model folder; the reason where that cannot be written.

    Runs that end at the same time wait for each other, so none is lost.
    """
    try:
        with folder_locked(folder):
            path = folder / RUN_FILE
            before = _read(path) if path.exists() else []
            write_whole(path, run_document([*before, run]))
    except (OSError, DataError) as error:
        return f"this run is not in {folder / RUN_FILE}: {getattr(error, 'strerror', None) or error}"
    return None


def collect_runs(folder: str | Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Read every ``run.json`` below a folder, the oldest run first, and say which cannot be read.

    Returns
    -------
    runs : list of dict
        As `Run` has them, and ``folder``, where the record lies.
    notes : list of str
        One line for each record that is damaged or of a newer release.

    Raises
    ------
    DataError
        There is no such folder, or no record in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DataError(f"there is no folder {root}; expected one with models below it. Check the path.")
    found, notes = [], []
    for path in sorted(root.rglob(RUN_FILE)):
        try:
            found += [{"folder": str(path.parent), **run} for run in _read(path)]
        except (OSError, DataError) as error:
            notes.append(str(error))
    if not found and not notes:
        raise DataError(f"{root} has no {RUN_FILE} in it or below; expected model folders, which training writes.")
    return sorted(found, key=lambda run: str(run.get("created"))), notes


def runs_table(runs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Put runs into a table, one row each: what differs most, every setting and every figure that is one value."""
    import pandas as pd

    rows = []
    for run in runs:
        data = run.get("data", {})
        rows.append(
            {
                "folder": run["folder"],
                "kind": run.get("kind"),
                "created": run.get("created"),
                "stores": " ".join(str(store.get("path")) for store in data.get("stores", {}).values()),
                "digest": data.get("digest"),
                **_single("", run.get("settings", {})),
                **_single("", run.get("figures", {})),
                "seconds": run.get("seconds"),
                "command": run.get("command"),
            }
        )
    return pd.DataFrame(rows)


def shown_columns(table: pd.DataFrame) -> list[str]:
    """Name the columns of `runs_table` that a terminal has room for, where any run has them."""
    wanted = ("folder", "kind", "created", "preset", "estimator", "fusion", "cv", "seed", "rows_train", "rows_test")
    return [name for name in (*wanted, *_SHOWN, "seconds") if name in table and table[name].notna().any()]


def _single(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _single(f"{prefix}{name}.", value)
        elif isinstance(value, list):
            found[f"{prefix}{name}"] = json.dumps(value, ensure_ascii=False)
        else:
            found[f"{prefix}{name}"] = value
    return found


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no record of runs: {error}. Move it away.") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("runs"), list):
        raise DataError(f"{path} does not say format = {FORMAT!r}, so it is no record of runs. Move it away.")
    if not isinstance(found.get("format_version"), int) or found["format_version"] > FORMAT_VERSION:
        raise DataError(
            f"{path} has format version {found.get('format_version')!r}; this release reads up to {FORMAT_VERSION}. "
            "Upgrade functa-fusion."
        )
    wrong = [run for run in found["runs"] if not isinstance(run, dict) or not _mappings(run)]
    if wrong:
        raise DataError(f"{path} holds a run that is none: {str(wrong[0])[:80]}. Move it away.")
    runs: list[dict[str, Any]] = found["runs"]
    return runs


def _mappings(run: Mapping[str, Any]) -> bool:
    parts = [run.get(name, {}) for name in ("settings", "data", "figures")]
    stores = run.get("data", {}).get("stores", {}) if all(isinstance(part, dict) for part in parts) else None
    return isinstance(stores, dict) and all(isinstance(store, dict) for store in stores.values())


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)
