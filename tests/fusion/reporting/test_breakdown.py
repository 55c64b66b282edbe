from __future__ import annotations

import numpy as np
import pandas as pd

from fusion.estimators.tasks import TASKS
from fusion.reporting.breakdown import by_group, by_quarter, calibration, mistakes

CLASSES = TASKS["classification"]


def table(rows: int = 200, *, groups: bool = True) -> pd.DataFrame:
    random = np.random.default_rng(0)
    probability = random.uniform(0.3, 1, rows)
    right = random.random(rows) < probability
    return pd.DataFrame(
        {
            "id": [f"r{row:03}" for row in range(rows)],
            "label": "a",
            "predicted": np.where(right, "a", "b"),
            "probability": probability,
            "group": [f"g{row % 4}" if groups else None for row in range(rows)],
        }
    )


def test_groups_come_worst_first_and_hold_all_rows() -> None:
    parts = by_group(table(), CLASSES)
    assert [part.accuracy for part in parts] == sorted(part.accuracy for part in parts)
    assert sum(part.rows for part in parts) == 200
    assert by_group(table(groups=False), CLASSES) == []


def test_mistakes_are_counted_and_the_surest_are_listed() -> None:
    made = table()
    worst, wrong = mistakes(made, CLASSES)
    assert wrong == int((made["label"] != made["predicted"]).sum())
    assert len(worst) == min(wrong, 50)
    assert [one.size for one in worst] == sorted((one.size for one in worst), reverse=True)
    assert {(one.truth, one.predicted) for one in worst} == {("a", "b")}


def test_calibration_of_a_model_that_is_as_often_right_as_it_says() -> None:
    parts = calibration(table(20_000))
    assert sum(part.rows for part in parts) == 20_000
    assert all(abs(part.accuracy - part.sure) < 0.04 for part in parts)
    assert parts[0].name == "30% to 40%"


def test_quarters_have_limits_that_differ() -> None:
    close = by_quarter([30.001, 30.002, 30.003, 30.004, 30.005, 30.006], [True] * 6)
    assert len({part.name for part in close}) == len(close) == 4
    assert sum(part.rows for part in close) == 6
    tied = by_quarter([20.0] * 90 + [25.0] * 10, [True] * 90 + [False] * 10)
    assert [(part.rows, part.accuracy) for part in tied] == [(100, 0.9)]
    assert [part.name for part in tied] == ["20.0 to 25.0"]
    assert by_quarter([22.0, 22.0], [True, False])[0].name == "22.0"
