"""What the fast preset saves: both presets on the same rows, one after the other, in one run."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.encoders.options import Progress
from fusion.estimators.presets import training_settings
from fusion.models.training import train
from store import open_store

if TYPE_CHECKING:
    from store import FunctaStore

__all__ = ["bench_train", "made_store"]


def bench_train(
    source: FunctaStore | str | Path | None = None,
    *,
    threads: int | None = None,
    seed: int = 42,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train and test with each preset, and return seconds and accuracies.

    Parameters
    ----------
    source : FunctaStore or path, optional
        Store with training and test rows; None = a small one of generated people, made and removed again.
    threads : int, optional
        None = one per core.
    seed : int
        Of XGBoost and of the rows held out for early stopping.
    progress : callable, optional
        As of `train`.

    Returns
    -------
    dict
        ``seconds_paper``, ``seconds_fast`` (reading, training and testing), their ``ratio``, ``accuracy_paper``,
        ``accuracy_fast``, and rows, columns and rounds.

    See Also
    --------
    functa bench train : The command that prints this; docs/settings.md.
    """
    if source is None:
        with tempfile.TemporaryDirectory(prefix="functa-bench-") as folder:
            return bench_train(made_store(Path(folder) / "figure.zarr"), threads=threads, seed=seed, progress=progress)
    if isinstance(source, str | Path):
        with open_store(source) as opened:
            return bench_train(opened, threads=threads, seed=seed, progress=progress)
    for _ in source.iter_blocks():  # so that the first of the two does not read from disk for the other
        pass
    found: dict[str, Any] = {}
    for name in ("paper", "fast"):
        settings = training_settings(name, n_jobs=threads, seed=seed)
        result = train(source, preset=settings, progress=progress)
        found |= {f"seconds_{name}": result.seconds, f"accuracy_{name}": result.accuracy}
        found |= {f"columns_{name}": result.columns, f"rounds_{name}": result.rounds}
    rows = {"rows_train": result.rows_train, "rows_test": result.rows_test}
    return found | {"ratio": found["seconds_paper"] / found["seconds_fast"]} | rows


def made_store(path: Path) -> Path:
    """Encode generated people in motion into a new store, and return its path."""
    from fusion.datasets.figure import FigureConfig, FigureDataset
    from fusion.encoders.encoding import encode
    from fusion.encoders.presets import encoder_config

    dataset = FigureDataset(FigureConfig())
    encode(dataset, path, encoder_config(dataset))
    return path
