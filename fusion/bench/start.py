"""The first seconds: how long a new process takes for what a person types first."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.bench.bytecode import compiled_anew
from fusion.encoders.options import Progress, silent
from fusion.errors import DataError

if TYPE_CHECKING:
    from fusion.datasets.figure import FigureDataset

__all__ = ["START_BARS", "bench_start"]

START_BARS: Mapping[str, float] = {"help": 0.2, "import": 0.05, "predict": 1.5, "train": 3.0, "demo": 45.0}
"""Seconds that each may take on two quiet cores; of ``import`` what comes on top of Python's own start."""

_COMMAND = ("-c", "from cli.main import main; main()")


def bench_start(
    *, repeats: int = 7, demo: bool = True, folder: str | Path | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Run what is typed first in new processes, and return seconds on the clock.

    Parameters
    ----------
    repeats : int >= 1
        Runs of each; their medians count. One run before them, not counted, fills caches.
    demo : bool
        Also the whole demo, which takes most of the time.
    folder : path, optional
        Where stores and models are made, in a folder that is removed again; None = the system's for temporary files.
    progress : callable, optional
        Called with what is measured, how often it was, and how often it will be.

    Returns
    -------
    dict
        ``seconds``, ``slowest`` and ``bars`` by name: ``help`` (``functa --help``), ``import`` (``import fusion``
        beyond an empty script), ``predict`` (one file), ``train`` (504 rows, the preset ``fast``) and ``demo``;
        ``repeats``; ``load``: processes that wanted a core just before, a mean over a minute; and
        ``compiled_anew``: libraries whose Python code every start compiles again, which doubles these seconds.

    Raises
    ------
    DataError
        One of the commands failed; the message has its last line.

    See Also
    --------
    functa bench start : The command that prints this; docs/settings.md.
    """
    report = progress or silent
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    with tempfile.TemporaryDirectory(prefix="functa-bench-", dir=folder) as name:
        lines = _lines(Path(name), demo=demo)
        taken: dict[str, list[float]] = {}
        for what, line in lines.items():
            if what != "demo":
                _seconds(line, Path(name) / "warm")
            for number in range(repeats):
                report(what, number, repeats)
                taken.setdefault(what, []).append(_seconds(line, Path(name) / f"{what}-{number}"))
    empty = statistics.median(taken.pop("python"))
    taken["import"] = [max(seconds - empty, 0.0) for seconds in taken["import"]]
    return {
        "seconds": {what: statistics.median(all_of) for what, all_of in taken.items()},
        "slowest": {what: max(all_of) for what, all_of in taken.items()},
        "bars": {what: START_BARS[what] for what in taken},
        "repeats": repeats,
        "load": load,
        "compiled_anew": compiled_anew(),
    }


def _lines(folder: Path, *, demo: bool) -> dict[str, Sequence[str]]:
    """Prepare a store, a model and a file; give what is run after the interpreter, by name."""
    from fusion.datasets.figure import FigureConfig, FigureDataset
    from fusion.encoders.encoding import encode
    from fusion.encoders.presets import encoder_config
    from fusion.models.training import train

    data = FigureDataset(FigureConfig(subjects=9, test_subjects=2, windows=8))
    store, model, window = folder / "people.zarr", folder / "model", folder / "window.npy"
    encode(data, store, encoder_config(data))
    train(store, model, preset="fast")
    _write_window(data, window)
    lines: dict[str, Sequence[str]] = {
        "python": ("-c", "pass"),
        "import": ("-c", "import fusion"),
        "help": (*_COMMAND, "--help"),
        "predict": (*_COMMAND, "predict", str(model), str(window)),
        "train": (*_COMMAND, "train", str(store), "--model", "new-model", "--preset", "fast"),
    }
    return lines | ({"demo": (*_COMMAND, "demo")} if demo else {})


def _write_window(data: FigureDataset, path: Path) -> None:
    import numpy as np

    np.save(path, next(iter(data)).raw, allow_pickle=False)


def _seconds(line: Sequence[str], folder: Path) -> float:
    """Run a line in a folder of its own."""
    folder.mkdir(exist_ok=True)
    begin = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - this interpreter, with words of this module
        [sys.executable, *line], cwd=folder, env=_environment(), capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise DataError(f"functa {' '.join(line[2:])} ended with {done.returncode}: {' '.join(last)}")
    return seconds


def _environment() -> dict[str, str]:
    """Let a process in another folder import the same packages as this one does."""
    own = str(Path(__file__).parents[2])
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (own, os.environ.get("PYTHONPATH"))))}
