"""One self-contained HTML page: no script, no request, every label escaped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np

from fusion.metrics import Evaluation
from fusion.reporting.breakdown import by_quarter
from fusion.reporting.charts import calibration_chart, missing_chart, png_image, psnr_chart, score_chart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fusion.reporting.content import Report

_KINDS = ("folds", "groups", "rows")


@dataclass(frozen=True)
class _Words:
    """How the page speaks of one task's figures.

    `figures` and `columns` are titles by names of `to_dict`, of all rows and of each class or label; `share` says that
    they are parts of a whole, written in per cent; `size` and `mistake` name the columns of errors, `group` that of
    each group's figure.
    """

    score: str
    figures: Mapping[str, str]
    share: bool = True
    each: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    mistake: tuple[str, str] = ("class", "taken for")
    size: str = "probability"
    group: str = "accuracy"


_CLASSES = {"precision": "precision", "recall": "recall", "f1": "F1"}
_WORDS = {
    "accuracy": _Words(
        "accuracy", {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1"}, each="class", columns=_CLASSES
    ),
    "r2": _Words(
        "R2",
        {"mae": "mean absolute error", "rmse": "root mean squared error"},
        share=False,
        mistake=("true", "predicted"),
        size="predicted less true",
        group="mean absolute error",
    ),
    "micro_f1": _Words(
        "micro F1",
        {"macro_f1": "macro F1", "map": "mean average precision", "exact": "all labels right"},
        each="label",
        columns=_CLASSES | {"average_precision": "average precision"},
        mistake=("labels", "predicted"),
        size="",
        group="all labels right",
    ),
}
_BASELINES = {
    "majority": "always the largest class",
    "chance": "by chance",
    "mean": "always the mean of the training rows",
    "most frequent": "always the most frequent label",
}


def render(report: Report) -> str:
    """Give the page's HTML."""
    main = report.models[0].evaluation
    words = _WORDS[main.measure]
    environment = page_environment()
    written = _percent if words.share else _decimal
    environment.filters |= {"percent": _percent, "figure": written, "decimal": _decimal, "png": png_image}
    page: str = environment.get_template("page.html").render(
        report=report,
        main=main,
        words=words,
        measured=[(model, model.evaluation.to_dict()) for model in report.models],
        baselines=[(_BASELINES[name], score) for name, score in report.baselines.items()],
        kinds=[kind for kind in _KINDS if any(kind in model.evaluation.intervals for model in report.models)],
        score_chart=score_chart(report.models, words.score, written),
        psnr_chart=psnr_chart(report.reconstructions) if report.reconstructions else None,
        missing_chart=missing_chart(report.parts, words.score) if any(part.missing for part in report.parts) else None,
        calibration_chart=calibration_chart(report.calibration) if report.calibration else None,
        confusions=[
            (model, model.evaluation.classes, _shares(model.evaluation))
            for model in report.models
            if isinstance(model.evaluation, Evaluation)
        ],
        same_rows=next((model.same_rows.rows for model in report.models if model.same_rows is not None), 0),
        quarters=[
            (part.name, by_quarter(part.psnr, part.correct)) for part in report.reconstructions if len(part.correct)
        ],
    )
    return page


def page_environment() -> jinja2.Environment:
    """Return what renders pages: every value is escaped, and one that is missing is an error."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("fusion.reporting", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}" if abs(value) < 100 else f"{value:,.4g}"


def _shares(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Rows of the confusion matrix with the share that colours each cell."""
    counts = evaluation.confusion
    totals = counts.sum(axis=1)
    shares = counts / np.maximum(totals[:, None], 1)
    return [
        {
            "label": name,
            "total": int(totals[row]),
            "cells": [
                {"count": int(count), "share": float(share)}
                for count, share in zip(counts[row], shares[row], strict=True)
            ],
        }
        for row, name in enumerate(evaluation.classes)
    ]
