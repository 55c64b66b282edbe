"""The paper's Table 1: CIFAR-10."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fusion.presets import training_preset
from fusion.reproduction.audit import audit
from fusion.reproduction.controls import control_results
from fusion.reproduction.matrices import Matrices, fit_and_test
from fusion.reproduction.plots import plot_curve
from fusion.reproduction.study import Encoding, functa_result
from fusion.reproduction.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from fusion.reproduction.study import Study

CIFAR = Encoding("cifar10", "cifar10", "image")
_CURVE = (500, 1000, 2000, 5000, 10_000, 20_000, 50_000)


def cifar10(study: Study) -> Table:
    """Reproduce Table 1, with controls and a learning curve over the training rows there are."""
    siren = CIFAR.changed(architecture="siren")
    results = [
        functa_result(study, "paper functa + XGBoost", CIFAR, name="cifar-paper", paper=0.779, paper_psnr=60.24),
        functa_result(study, "SIREN functa + XGBoost", siren, name="cifar-siren", paper=0.752, paper_psnr=52.63),
        *control_results(study, CIFAR, {"Conv2D": 0.795}, name="cifar"),
    ]
    store, _ = study.store("cifar-paper", CIFAR)
    curve = learning_curve(study, store)
    picture = "cifar10-learning-curve.png"
    plot_curve({"paper functa, fast preset": curve}, study.folder / "pictures" / picture, "CIFAR-10", "training images")
    return Table(
        name="cifar10",
        title="CIFAR-10 (paper, Table 1)",
        protocol="the published training and test images",
        differs=f"{results[0].rows_train:,} training and {results[0].rows_test:,} test images are there, of 50,000 and "
        "10,000. Published results on plain INR weights are between 44 and 60 % without augmentation, the paper's "
        "77.9 % far above them",
        results=tuple(results),
        audit=tuple(audit(study, CIFAR, store)),
        command="functa reproduce cifar10 --data DIR",
        pictures={"Accuracy over training images": picture},
        extra={"learning_curve": [{"rows": int(rows), "accuracy": accuracy} for rows, accuracy in curve]},
    )


def learning_curve(study: Study, store: Path) -> list[tuple[float, float]]:
    """Train the fast preset on nested random parts of the training rows; (rows, accuracy on all test rows)."""
    matrices = Matrices.of_store(store)
    order = np.random.default_rng(study.seed).permutation(len(matrices.training))
    sizes = [size for size in _CURVE if size < len(order)] + [len(order)]
    preset = training_preset("fast")
    curve = []
    for number, size in enumerate(sizes):
        study.tell("learning curve", number, len(sizes))
        evaluation, _ = fit_and_test(
            matrices,
            features={"max_columns": preset.max_columns},
            classifier=preset.classifier(),
            rows=np.sort(order[:size]),
        )
        curve.append((float(size), evaluation.accuracy))
    return curve
