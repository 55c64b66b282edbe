"""Fits of small networks by the CUDA engine in Numba's simulator, in a process of its own.

The simulator has to be asked for before Numba is imported: ``NUMBA_ENABLE_CUDASIM=1 python -m helpers.simulated_fits
FILE`` runs every case and writes what came out.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.inr.architecture import Architecture, paper, siren
from fusion.inr.initialisation import random_start
from fusion.inr.settings import FitSettings

SMALL = Architecture(2, 3, (8, 8), (3.0, 1.0))


@dataclass(frozen=True)
class Case:
    """A fit: which network, on how many points and samples, how; `memory` is the shared memory there is, in bytes,
    and `tolerance` how far weights may be from the reference, as a part of their length."""

    architecture: Architecture
    points: int
    samples: int
    settings: FitSettings
    plain: bool = False
    memory: int = 227 * 1024
    spoilt: bool = False
    tolerance: float = 1e-6

    def problem(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Random points, and smooth values there; the first value is no number where that is `spoilt`."""
        rng, architecture = np.random.default_rng(5), self.architecture
        x = rng.uniform(-1, 1, (self.points, architecture.d_in)).astype(np.float32)
        waves = rng.normal(0, 3, (self.samples, architecture.d_in, architecture.d_out))
        phases = rng.uniform(0, 6, (self.samples, 1, architecture.d_out))
        y = (0.5 + 0.4 * np.sin(np.einsum("nd,bdc->bnc", x, waves) + phases)).astype(np.float32)
        if self.spoilt:
            y[0, 0, 0] = np.nan
        return x, y

    def start(self) -> NDArray[np.float32]:
        return random_start(self.architecture, 1)

    def sizes(self) -> NDArray[np.float32] | None:
        """Rates of the weights, for plain steps."""
        if not self.plain:
            return None
        return np.random.default_rng(2).uniform(0, 0.002, self.architecture.size).astype(np.float32)


CASES = {
    "two layers, sigmoid": Case(SMALL, 70, 3, FitSettings(steps=2)),
    "one layer": Case(Architecture(1, 2, (8,), (30.0,)), 40, 1, FitSettings(steps=2)),
    "odd widths, linear": Case(Architecture(3, 2, (5, 7, 6), (3.0, 1.0, 1.0), output="linear"), 33, 1, FitSettings(2)),
    "plain steps, one layer": Case(Architecture(1, 1, (5,), (3.0,)), 30, 1, FitSettings(steps=2), plain=True),
    "subsets": Case(SMALL, 80, 1, FitSettings(steps=3, coordinates_per_step=66)),
    "no steps": Case(SMALL, 20, 2, FitSettings(steps=0)),
    "no number": Case(SMALL, 20, 2, FitSettings(steps=1, psnr_target=40.0), spoilt=True),
    "PSNR target": Case(
        Architecture(1, 1, (8, 8), (3.0, 1.0)), 12, 3, FitSettings(9, 3e-2, psnr_target=14.5), tolerance=1e-4
    ),
}
SLOW_CASES = {
    "five layers": Case(Architecture(2, 3, (8, 4, 4, 4, 8), (3.0, 1.0, 1.0, 1.0, 1.0)), 20, 1, FitSettings(steps=2)),
    "one point": Case(SMALL, 1, 1, FitSettings(steps=2)),
    "plain steps, odd widths": Case(Architecture(1, 5, (9, 6), (3.0, 1.0)), 50, 1, FitSettings(3), plain=True),
    "cosine schedule": Case(SMALL, 20, 1, FitSettings(steps=3, schedule="cosine")),
    "subsets and target": Case(
        Architecture(1, 1, (8, 8), (3.0, 1.0)),
        30,
        2,
        FitSettings(6, 3e-2, psnr_target=13.0, coordinates_per_step=9),
        tolerance=1e-4,
    ),
    "60 outputs": Case(Architecture(1, 60, (8, 4), (3.0, 1.0)), 10, 1, FitSettings(steps=1)),
    "little shared memory": Case(SMALL, 20, 1, FitSettings(steps=2), memory=6000),
    "paper": Case(paper(2, 3), 64, 1, FitSettings(steps=2)),
    "siren halves": Case(siren(1, 1).half(), 64, 1, FitSettings(steps=2)),
    "wider than a pass": Case(Architecture(1, 2, (260, 40), (3.0, 1.0)), 70, 1, FitSettings(steps=2), memory=20_000),
    "60 outputs of one layer": Case(Architecture(1, 60, (70,), (3.0,)), 70, 1, FitSettings(steps=2), plain=True),
    "plain, wider than a pass": Case(Architecture(1, 2, (70, 268), (3.0, 1.0)), 20, 1, FitSettings(1), plain=True),
}


def run(cases: dict[str, Case]) -> dict[str, Any]:
    """Fit every case on the simulator; gives weights, errors and steps by name."""
    from fusion.inr import cuda_engine
    from fusion.inr.cuda.device import Simulator

    found = {}
    for name, case in cases.items():
        Simulator.shared_limit = case.memory
        x, y = case.problem()
        fitted = cuda_engine.fit(case.architecture, case.start(), x, y, case.settings, case.sizes())
        found |= {f"{name}/{part}": array for part, array in zip(("weights", "mse", "steps"), fitted, strict=True)}
    return found


def run_more() -> dict[str, Any]:
    """Fit the first case again in blocks and another order, and evaluate what was fitted."""
    from fusion.inr import cuda_engine

    case = CASES["two layers, sigmoid"]
    x, y = case.problem()
    weights, _, _ = cuda_engine.fit(case.architecture, case.start(), x, y[::-1], case.settings, block=2)
    return {"backwards/weights": weights[::-1], "decoded": cuda_engine.decode(case.architecture, weights[::-1], x)}


if __name__ == "__main__":
    cases = SLOW_CASES if sys.argv[2:] == ["slow"] else CASES
    np.savez(sys.argv[1], **run(cases), **run_more())
