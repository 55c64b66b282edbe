"""The paper's Figures 11 to 13: whether a functa that reproduces more classifies better."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scipy.stats import spearmanr

from fusion.reproduction.audit import kept_audit
from fusion.reproduction.cifar10 import CIFAR
from fusion.reproduction.hmdb51 import JHMDB
from fusion.reproduction.plots import plot_psnr_accuracy
from fusion.reproduction.study import Encoding, Study, functa_result
from fusion.reproduction.table import Table
from fusion.reproduction.uci_har import HAR

if TYPE_CHECKING:
    from fusion.reproduction.plots import Point
    from fusion.reproduction.table import Check, Result

_STEPS = (3, 10, 30, 100)
_ARCHITECTURES = ("paper", "paper-half", "siren")
_SAMPLES = 3000
_AUDITED = ("paper", 10)
_DATA = {"UCI-HAR": ("har", HAR), "CIFAR-10": ("cifar", CIFAR), "JHMDB": ("jhmdb", JHMDB)}


def psnr(study: Study) -> Table:
    """Encode the same samples with several step counts and architectures, and rank PSNR against accuracy."""
    command = study.command("psnr")
    study = replace(study, limit=min(study.limit or _SAMPLES, _SAMPLES))
    results: list[Result] = []
    pictures: dict[str, str] = {}
    extra: dict[str, Any] = {}
    audited: list[Check] = []
    for title, (name, encoding) in _DATA.items():
        found = _series(study, title, name, encoding)
        results += [result for series in found.values() for result in series]
        picture = f"psnr-{name}.png"
        points = {architecture: _points(series) for architecture, series in found.items()}
        plot_psnr_accuracy(points, study.place("pictures", picture), f"{title}, after so many steps")
        pictures[f"{title}: accuracy against PSNR"] = picture
        extra[title] = _rank_correlation([result for series in found.values() for result in series])
        audited += kept_audit(study, *_store(name, encoding, *_AUDITED), about=title)
    return Table(
        name="psnr",
        title="PSNR against accuracy (paper, Figures 11 to 13)",
        protocol=f"{study.limit:,} samples at most of each data set, the fast preset, each data set's own split",
        differs="Spearman's rank correlation: " + "; ".join(_sentence(title, found) for title, found in extra.items()),
        results=tuple(results),
        audit=tuple(audited),
        command=command,
        pictures=pictures,
        extra=extra,
    )


def _series(study: Study, title: str, name: str, encoding: Encoding) -> dict[str, list[Result]]:
    return {
        architecture: [
            _measured(study, f"{title}, {architecture}, {steps} steps", *_store(name, encoding, architecture, steps))
            for steps in _STEPS
        ]
        for architecture in _ARCHITECTURES
    }


def _measured(study: Study, model: str, name: str, encoding: Encoding) -> Result:
    return functa_result(study, model, encoding, name=name, preset="fast")


def _store(name: str, encoding: Encoding, architecture: str, steps: int) -> tuple[str, Encoding]:
    changed = encoding.changed(architecture=architecture, fit={"steps": steps})
    return f"psnr-{name}-{architecture}-{steps}", changed


def _points(series: list[Result]) -> list[Point]:
    named = zip(_STEPS, series, strict=True)
    return [(str(steps), result.psnr or 0.0, result.measured) for steps, result in named]


def _rank_correlation(results: list[Result]) -> dict[str, float]:
    found = spearmanr([result.psnr for result in results], [result.measured for result in results])
    return {"spearman": float(found.statistic), "p": float(found.pvalue), "settings": len(results)}


def _sentence(title: str, found: dict[str, float]) -> str:
    return f"{title} {found['spearman']:+.2f} (p = {found['p']:.2f}, {found['settings']} settings)"
