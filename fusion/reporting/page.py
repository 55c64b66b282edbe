"""One self-contained HTML page: no script, no request, every label escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np

from fusion.reporting.breakdown import by_quarter
from fusion.reporting.charts import accuracy_chart, calibration_chart, missing_chart, png_image, psnr_chart

if TYPE_CHECKING:
    from fusion.reporting.content import ModelFigures, Report

_KINDS = ("folds", "groups", "rows")


def render(report: Report) -> str:
    """Give the page's HTML."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fusion.reporting", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"percent": _percent, "png": png_image}
    page: str = environment.get_template("page.html").render(
        report=report,
        main=report.models[0].evaluation,
        kinds=[kind for kind in _KINDS if any(kind in model.evaluation.accuracy_intervals for model in report.models)],
        accuracy_chart=accuracy_chart(report.models),
        psnr_chart=psnr_chart(report.reconstructions) if report.reconstructions else None,
        missing_chart=missing_chart(report.parts) if any(part.missing for part in report.parts) else None,
        calibration_chart=calibration_chart(report.calibration) if report.calibration else None,
        confusions=[(model, _shares(model)) for model in report.models],
        same_rows=next((model.same_rows.rows for model in report.models if model.same_rows is not None), 0),
        quarters=[(part.name, by_quarter(part.psnr, part.correct)) for part in report.reconstructions],
    )
    return page


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _shares(model: ModelFigures) -> list[dict[str, Any]]:
    """Rows of the confusion matrix with the share that colours each cell."""
    counts = model.evaluation.confusion
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
        for row, name in enumerate(model.evaluation.classes)
    ]
