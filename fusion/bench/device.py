"""How fast a device fits the networks of the four modalities, transfers there and back included."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from time import perf_counter
from typing import Any

from fusion.bench.fit import QUICK_WORK, WORK, Problem
from fusion.inr.engine import chosen_backend, fit

_SAMPLES = {"sensor": 8192, "image": 4096, "video": 512, "audio": 1024}


def bench_device(device: str, *, quick: bool = False, repeats: int = 3) -> dict[str, Any]:
    """Measure gradient steps of one network per second.

    Parameters
    ----------
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
    quick : bool
        An eighth of the samples.
    repeats : int
        Medians of so many runs, after one that compiles.

    Returns
    -------
    dict
        ``device``, and ``modalities``: for each, ``samples``, ``steps``, ``steps_per_second``.
    """
    where = chosen_backend(device)
    found = {}
    for name, work in (QUICK_WORK if quick else WORK).items():
        samples = _SAMPLES[name] // (8 if quick else 1)
        problem = Problem.of(replace(work, samples=samples, steps=10))
        given = work.architecture, problem.start, problem.coordinates, problem.values, problem.settings
        seconds = []
        for _ in range(repeats + 1):
            begin = perf_counter()
            fit(*given, backend=where)
            seconds.append(perf_counter() - begin)
        rate = samples * 10 / median(seconds[1:])
        found[name] = {"samples": samples, "steps": 10, "steps_per_second": rate}
    return {"device": where, "modalities": found}
