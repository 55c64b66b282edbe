from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.made_functas import CLASSES, functa_rows

from fusion.estimators.trainers import LocalTrainer
from fusion.estimators.xgboost import FunctaClassifier
from store import Rows, create_store

ROWS, K = 80_000, 2_000
FLOAT32 = 4 * ROWS * K


class Recorder:
    """A source that notes how many rows it is asked for at once."""

    def __init__(self, matrix):
        self.matrix, self.shape, self.asked = matrix, matrix.shape, []

    def __getitem__(self, positions):
        self.asked.append(len(positions))
        return self.matrix[positions]


def test_no_more_than_a_chunk_of_rows_is_asked_for_at_once():
    small = LocalTrainer(chunk_bytes=4 * 12 * 16)
    rows = functa_rows(20, 6)
    source = Recorder(rows.functas)
    FunctaClassifier(n_estimators=5, n_jobs=1).fit_rows(source, rows.labels, rows.groups, trainer=small)
    assert max(source.asked) == 16
    assert set(source.asked) <= {16, 8}


def test_limits_of_bins_come_from_rows_drawn_by_the_seed():
    few = LocalTrainer(sketched_rows=50)
    rows = functa_rows(20, 6)
    drawn = [
        FunctaClassifier(n_estimators=5, n_jobs=1, seed=seed).fit_rows(
            rows.functas, rows.labels, rows.groups, trainer=few
        )
        for seed in (1, 1, 2)
    ]
    first, again, other = (bytes(classifier.booster_.save_raw()) for classifier in drawn)
    assert first == again != other
    assert np.mean(drawn[2].predict(rows.functas) == rows.labels) > 0.95


def large_store(path: Path) -> None:
    random = np.random.default_rng(0)
    layout = [("dense/kernel", (K,), 0)]
    with create_store(path, modality="sensor", layout=layout, encoder={"kind": "functa"}, state={}) as store:
        for first in range(0, ROWS, 4_000):
            codes = np.arange(first, first + 4_000) % 3
            functas = random.standard_normal((4_000, K), dtype=np.float32)
            functas[:, 0] += 3 * codes
            store.append(
                Rows.build(
                    [f"{number:06d}" for number in range(first, first + 4_000)],
                    functas,
                    labels=[CLASSES[code] for code in codes],
                    splits=["train" if number % 10 else "test" for number in range(4_000)],
                )
            )


@pytest.mark.slow
@pytest.mark.parametrize(("where", "most"), [("inside", 0.75), ("external", 0.45)])
def test_training_takes_less_memory_than_its_rows(tmp_path, where, most):
    large_store(tmp_path / "large.zarr")
    root = Path(__file__).parents[3]
    command = [sys.executable, str(Path(__file__).with_name("train_and_watch.py")), str(tmp_path / "large.zarr"), where]
    done = subprocess.run(command, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=True)
    peak, accuracy = (float(word) for word in done.stdout.split())
    assert accuracy > 0.9
    assert peak < most * FLOAT32, f"{peak / FLOAT32:.2f} of the float32 rows"
