"""One self-contained HTML page: no script, no request, every label escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np

from fusion.reporting.charts import accuracy_chart, missing_chart, png_image, psnr_chart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fusion.reporting.content import ModelFigures, Reconstruction, Report

_BINS = 4
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
        confusions=[(model, _shares(model)) for model in report.models],
        quarters=[(part.name, _quarters(part)) for part in report.reconstructions],
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


def _quarters(part: Reconstruction) -> Sequence[dict[str, float]]:
    """Accuracy in each quarter of the PSNR."""
    psnr, correct = np.asarray(part.psnr, dtype=float), np.asarray(part.correct, dtype=bool)
    chosen = np.array_split(np.argsort(psnr, kind="stable"), _BINS)
    return [
        {
            "low": float(psnr[rows].min()),
            "high": float(psnr[rows].max()),
            "rows": len(rows),
            "accuracy": float(correct[rows].mean()),
        }
        for rows in chosen
        if len(rows)
    ]
