"""Rows of models that read values instead of weights: the conventional ones, and the plain controls."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fusion.baselines.models import BaselineResult, measure_baseline
from fusion.baselines.prepared import Prepared, raw_matrix
from fusion.encoders.options import EncodeOptions
from fusion.encoders.survey import survey_samples
from fusion.metrics import mean_accuracy_interval
from fusion.reproduction.table import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fusion.reproduction.study import Encoding, Study

_CONVENTIONAL = {
    "Conv1D": "convolution",
    "Conv2D": "convolution",
    "Conv3D": "convolution",
    "Conv1D, augmented": "convolution-augmented",
    "Conv2D, augmented": "convolution-augmented",
    "Conv3D, augmented": "convolution-augmented",
    "logistic regression": "logistic-regression",
    "logistic regression, standardised and converged": "logistic-regression-converged",
    "MiniRocket": "minirocket",
}
_CONTROLS = {"XGBoost on raw values": "raw-xgboost", "XGBoost on simple statistics": "statistics-xgboost"}
_TEST = ("test",)
_MOST_RAW_COLUMNS = 20_000
_MOST_LSTMS = 2000


def control_results(
    study: Study,
    encoding: Encoding,
    conventional: Mapping[str, float | None],
    *,
    name: str,
    controls: tuple[str, ...] = tuple(_CONTROLS),
    cv: Literal["folds"] | None = None,
    test_splits: tuple[str, ...] = _TEST,
    shared_groups: bool = False,
) -> list[Result]:
    """Measure conventional models and controls on the samples that an encoding reads.

    Parameters
    ----------
    study : Study
    encoding : Encoding
        Its data set, modality and options of the modality.
    conventional : mapping of str to float or None
        "Conv1D", "Conv2D", "Conv3D", each also ", augmented", "logistic regression" (scikit-learn's defaults),
        "logistic regression, standardised and converged" or "MiniRocket", with what the paper claims.
    name : str
        Of the results in the study's folder.
    controls : tuple of str
        "XGBoost on raw values", "XGBoost on simple statistics".
    cv : {"folds"}, optional
        Each split is the test once.
    test_splits : tuple of str
        Without `cv`: what is tested, of the encoding's training splits.
    shared_groups : bool
        Take splits with a group on both sides as they are.
    """
    samples = _Samples(study, encoding, cv, test_splits, shared_groups=shared_groups)
    rows = [(model, _CONVENTIONAL[model], paper) for model, paper in conventional.items()]
    rows += [(model, _CONTROLS[model], None) for model in controls]
    return [samples.measured(model, baseline, f"{name}-{baseline}", paper) for model, baseline, paper in rows]


def kernel_results(study: Study, encoding: Encoding, *, name: str) -> tuple[list[Result], str]:
    """Measure random kernels on series, and say nothing; or say why not, where aeon is not installed."""
    if find_spec("aeon") is None:
        return [], "; MiniRocket is left out, which needs pip install 'functa-fusion[controls]'"
    return control_results(study, encoding, {"MiniRocket": None}, name=name, controls=()), ""


def lstm_result(study: Study, encoding: Encoding, *, name: str) -> Result:
    """Measure XGBoost on the weights of autoregressive LSTMs (paper, Section 4.2), of some samples: they take long."""
    study = replace(study, limit=min(study.limit or _MOST_LSTMS, _MOST_LSTMS))
    samples = _Samples(study, encoding, None)
    note = f"given 8 values it predicts the next (Section 4.2); {study.limit:,} samples at most"
    return samples.measured("autoregressive LSTM as INR + XGBoost", "lstm-functa", f"{name}-lstm", None, note)


class _Samples:
    """Prepared samples, read when the first model asks for them."""

    def __init__(
        self,
        study: Study,
        encoding: Encoding,
        cv: Literal["folds"] | None,
        test_splits: tuple[str, ...] = _TEST,
        *,
        shared_groups: bool = False,
    ) -> None:
        self.study, self.encoding, self.cv = study, encoding, cv
        self.test_splits, self.shared_groups = test_splits, shared_groups
        self._prepared: Prepared | None = None

    def measured(self, model: str, baseline: str, name: str, paper: float | None, note: str = "") -> Result:
        settings: dict[str, Any] = {
            "encoding": self.study.described(self.encoding),
            "baseline": baseline,
            "cv": self.cv,
        }
        if self.test_splits != _TEST:
            settings["test_splits"] = list(self.test_splits)
        made = partial(self._measure, model, baseline, paper, note)
        return self.study.once(name, settings, made, model=model, paper=paper, control=True)

    def _measure(self, model: str, baseline: str, paper: float | None, note: str) -> Result:
        prepared = self.prepared()
        if baseline == "raw-xgboost" and (columns := int(np.prod(prepared.values.shape[1:]))) > _MOST_RAW_COLUMNS:
            prepared, note = _thinned(prepared), f"one in {-(-columns // _MOST_RAW_COLUMNS)} of {columns:,} values"
        found = measure_baseline(
            baseline,
            prepared,
            train_splits=self.encoding.train_splits,
            test_splits=self.test_splits,
            cv=self.cv,
            shared_groups=self.shared_groups,
            seed=self.study.seed,
        )
        return _result(model, found, paper, note)

    def prepared(self) -> Prepared:
        if self._prepared is None:
            with self.study.dataset(self.encoding) as dataset:
                modality = self.study.config(dataset, self.encoding).modality
                chosen = survey_samples(dataset, EncodeOptions(limit=self.study.limit), self.study.seed).chosen
                samples = (sample for sample in dataset if chosen is None or sample.id in chosen)
                splits = None if self.cv else self.encoding.train_splits
                self._prepared = raw_matrix(samples, modality, train_splits=splits, folder=self.study.folder)
        return self._prepared


def _thinned(prepared: Prepared) -> Prepared:
    values = prepared.values.reshape(len(prepared), -1)
    step = -(-values.shape[1] // _MOST_RAW_COLUMNS)
    return replace(prepared, values=np.ascontiguousarray(values[:, ::step])[..., None])


def _result(model: str, found: BaselineResult, paper: float | None, note: str) -> Result:
    result = Result(
        model=model,
        measured=float(np.mean(found.folds)) if found.folds else found.evaluation.accuracy,
        interval=mean_accuracy_interval(found.folds) if found.folds else found.evaluation.accuracy_interval,
        paper=paper,
        psnr=None,
        seconds=found.seconds,
        rows_train=found.rows_train,
        rows_test=found.rows_test,
        note=note,
        extra={"macro_f1": found.evaluation.macro_f1, "folds": list(found.folds)},
    )
    return result if found.weights is None else result.noted(f"{found.weights:,} weights")
