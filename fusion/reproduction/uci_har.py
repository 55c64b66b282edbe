"""The paper's Table 3: UCI-HAR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusion.reproduction.audit import audit
from fusion.reproduction.controls import control_results, lstm_result
from fusion.reproduction.matrices import Matrices, fit_and_test
from fusion.reproduction.study import Encoding, functa_result, mean_psnr
from fusion.reproduction.table import Result, Table

if TYPE_CHECKING:
    from fusion.reproduction.study import Study

HAR = Encoding("uci-har", "uci-har", "sensor")
SIREN = HAR.changed(architecture="siren")


def uci_har(study: Study) -> Table:
    """Reproduce Table 3, with what the paper raises beside it and the controls that a reader asks for."""
    results = [
        functa_result(study, "paper functa + XGBoost", HAR, name="har-paper", paper=0.865, paper_psnr=20.81),
        functa_result(study, "SIREN functa + XGBoost", SIREN, name="har-siren", paper=0.839, paper_psnr=22.5),
        *control_results(study, HAR, {"logistic regression": 0.527}, name="har"),
        lstm_result(study, HAR, name="har"),
        functa_result(
            study,
            "random start",
            HAR.changed(initialisation="random"),
            name="har-random",
            note="the averaged start left out (Section 5.1.2)",
        ),
        _unprepared(study),
    ]
    store, _ = study.store("har-paper", HAR)
    return Table(
        name="uci-har",
        title="UCI-HAR (paper, Table 3)",
        protocol="official subjects: 21 people for training, 9 others for the test",
        differs="training windows are recomputed from the raw recordings where the copy says so; see its own README",
        results=tuple(results),
        audit=tuple(audit(study, HAR, store)),
        command="functa reproduce uci-har --data DIR",
        pictures={},
        extra={},
    )


def _unprepared(study: Study) -> Result:
    """Leave out filter and normalisation (Section 5.1.3)."""
    store, encoding_seconds = study.store("har-paper", HAR)
    left_out = {"filter_invariant": False, "normalise": False}

    def measured() -> Result:
        matrices = Matrices.of_store(store)
        evaluation, seconds = fit_and_test(matrices, features=left_out)
        return Result(
            model="no filter, no normalisation",
            measured=evaluation.accuracy,
            interval=evaluation.accuracy_interval,
            paper=None,
            psnr=mean_psnr(store),
            seconds=encoding_seconds + seconds,
            rows_train=len(matrices.training),
            rows_test=len(matrices.test),
            note="Section 5.1.3 left out; trees read columns in any units, so only the bins of the histograms move",
        )

    return study.once("har-unprepared", {"encoding": study.described(HAR), **left_out}, measured)
