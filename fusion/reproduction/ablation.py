"""The paper's Table 5: layers of full and of half size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fusion.reproduction.audit import kept_audit
from fusion.reproduction.cifar10 import CIFAR
from fusion.reproduction.esc50 import ESC_MFCC
from fusion.reproduction.hmdb51 import JHMDB
from fusion.reproduction.study import Study, functa_result
from fusion.reproduction.table import Check, Result, Table
from fusion.reproduction.uci_har import HAR

if TYPE_CHECKING:
    from fusion.reproduction.study import Encoding

_ROWS: dict[str, tuple[str, Encoding, dict[str, Any], float, float]] = {
    "images (CIFAR-10)": ("cifar", CIFAR, {}, 0.779, 0.652),
    "videos (JHMDB)": ("jhmdb", JHMDB, {}, 0.324, 0.288),
    "HAR (UCI-HAR)": ("har", HAR, {}, 0.865, 0.811),
    "sound (ESC-10, MFCC)": ("esc", ESC_MFCC, {"cv": "folds"}, 0.465, 0.36),
}
_SIZES = {"full": "paper", "half": "paper-half"}


def ablation(study: Study) -> Table:
    """Encode and train each modality with full and with half layers."""
    pairs = {title: _pair(study, title) for title in _ROWS}
    faster = {title: _encoding(full) / _encoding(half) for title, (full, half) in pairs.items()}
    return Table(
        name="ablation",
        title="Layers of full and half size (paper, Table 5)",
        protocol="the fast preset; each data set's own split, ESC-10 in its five folds",
        differs="Data are partial (CIFAR-10, JHMDB for HMDB-51, ESC-10 for ESC-50). With half layers encoding was "
        "faster by "
        + ", ".join(f"{ratio:.1f}x ({title})" for title, ratio in faster.items())
        + ", reading and preparing the samples included",
        results=tuple(result for pair in pairs.values() for result in pair),
        audit=tuple(check for title in _ROWS for check in _audit(study, title)),
        command=study.command("ablation"),
        extra={"time_ratio": faster},
    )


def _encoding(result: Result) -> float:
    return sum(result.stores.values())


def _pair(study: Study, title: str) -> list[Result]:
    _, _, how, *claimed = _ROWS[title]
    return [
        functa_result(study, f"{title}, {size} layers", encoding, name=name, paper=paper, preset="fast", **how)
        for (size, (name, encoding)), paper in zip(_stores(title).items(), claimed, strict=True)
    ]


def _audit(study: Study, title: str) -> list[Check]:
    test_splits = ("fold-1",) if "cv" in _ROWS[title][2] else ("test",)
    stores = _stores(title)
    others = {f"{title}, half layers": stores["half"]}
    return kept_audit(study, *stores["full"], about=title, others=others, test_splits=test_splits)


def _stores(title: str) -> dict[str, tuple[str, Encoding]]:
    """Name and encoding of the store of each size."""
    name, encoding, *_ = _ROWS[title]
    return {size: (f"ablation-{name}-{size}", encoding.changed(architecture=of)) for size, of in _SIZES.items()}
