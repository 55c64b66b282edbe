"""How fast the built-in figure walks, read off raw windows: what docs/tasks.md sets functas beside.

python benchmarks/figure_speed.py
"""

from __future__ import annotations

import numpy as np
from sklearn.metrics import r2_score

from fusion.datasets import FigureDataset
from fusion.estimators import FunctaRegressor


def main() -> None:
    """Print R2 on the people who are not trained on, of XGBoost's trees and of its linear booster on raw windows."""
    samples = [sample for sample in FigureDataset() if sample.target is not None]
    rows = np.stack([np.asarray(sample.raw, np.float32).ravel() for sample in samples])
    targets = np.array([sample.target for sample in samples])
    groups = np.array([sample.group for sample in samples], dtype=object)
    training = np.array([sample.split == "train" for sample in samples])
    for booster in ("gbtree", "gblinear"):
        estimator = FunctaRegressor(booster=booster, n_jobs=2).fit(rows[training], targets[training], groups[training])
        found = estimator.predict(rows[~training])
        print(f"{booster}: R2 {r2_score(targets[~training], found):.3f} on {int((~training).sum())} windows")


if __name__ == "__main__":
    main()
