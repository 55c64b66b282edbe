"""The paper's Table 3: UCI-HAR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusion.reproduction.audit import kept_audit
from fusion.reproduction.controls import control_results, kernel_results, lstm_result
from fusion.reproduction.matrices import Matrices, fit_and_test
from fusion.reproduction.study import LOCAL_NOTE, OF_RAW, RAW, Encoding, functa_result, mean_psnr
from fusion.reproduction.table import Result, Table

if TYPE_CHECKING:
    from fusion.reproduction.study import Study

HAR = Encoding("uci-har", "uci-har", "sensor")
SIREN = HAR.changed(architecture="siren")
LOCAL = HAR.changed(kind="local")
_LOGISTIC = {"logistic regression": 0.527, "logistic regression, standardised and converged": None}
_LEFT_OUT = {
    "paper functa, no filter": "filter_invariant",
    "paper functa, no normalisation": "normalise",
}
_NOTES = {
    "filter_invariant": "Section 5.1.3 left out; a column that never varies is never split",
    "normalise": "Section 5.1.3 left out; trees read columns in any units, so only the bins of the histograms move",
}


def uci_har(study: Study) -> Table:
    """Reproduce Table 3, with what the paper raises beside it and the controls that a reader asks for."""
    kernels, left_out = kernel_results(study, HAR, name="har")
    results = [
        functa_result(study, "paper functa + XGBoost", HAR, name="har-paper", paper=0.865, paper_psnr=20.81),
        functa_result(study, "SIREN functa + XGBoost", SIREN, name="har-siren", paper=0.839, paper_psnr=22.5),
        *control_results(study, HAR, _LOGISTIC | {"Conv1D, augmented": None}, name="har"),
        *kernels,
        lstm_result(study, HAR, name="har"),
        functa_result(
            study,
            "paper functa, random start",
            HAR.changed(initialisation="random"),
            name="har-random",
            note="the averaged start left out (Section 5.1.2)",
        ),
        functa_result(study, "local functas + XGBoost", LOCAL, name="har-local", preset="linear", note=LOCAL_NOTE),
        functa_result(study, RAW, LOCAL.changed(raw=True), name="har-windows", **OF_RAW),
        *(_unprepared(study, model, option) for model, option in _LEFT_OUT.items()),
    ]
    others = {"SIREN functa": ("har-siren", SIREN), "local functas": ("har-local", LOCAL)}
    return Table(
        name="uci-har",
        title="UCI-HAR (paper, Table 3)",
        protocol="official subjects: 21 people for training, 9 others for the test",
        differs="training windows are recomputed from the raw recordings where the copy says so; see its own README"
        + left_out,
        results=tuple(results),
        audit=tuple(kept_audit(study, "har-paper", HAR, others=others)),
        command=study.command("uci-har"),
        pictures=study.confusion({"paper functa": "har-paper"}),
    )


def _unprepared(study: Study, model: str, option: str) -> Result:
    """Leave out filter or normalisation (Section 5.1.3)."""
    store, encoding_seconds = study.store("har-paper", HAR)

    def measured() -> Result:
        matrices = Matrices.of_store(store)
        evaluation, seconds = fit_and_test(matrices, features={option: False})
        return Result(
            model=model,
            measured=evaluation.accuracy,
            interval=evaluation.accuracy_interval,
            paper=None,
            psnr=mean_psnr(store),
            seconds=encoding_seconds + seconds,
            rows_train=len(matrices.training),
            rows_test=len(matrices.test),
            stores={store.name: encoding_seconds},
        )

    told = {"model": model, "note": _NOTES[option]}
    return study.once(f"har-no-{option}", {"encoding": study.described(HAR), option: False}, measured, **told)
