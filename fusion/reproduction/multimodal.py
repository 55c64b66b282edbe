"""The paper's Section 11: video and sensor joined by what people do; and spoken with written digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fusion.reproduction.audit import kept_audit
from fusion.reproduction.hmdb51 import JHMDB
from fusion.reproduction.linked import fused_result, linked_audit
from fusion.reproduction.study import Encoding, Study
from fusion.reproduction.table import Check, Result, Table
from fusion.reproduction.uci_har import HAR

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAIR = {"video": JHMDB, "sensor": HAR}
_DIGITS = {
    "spoken": Encoding("digits", "digits", "audio", options={"modality": {"transform": "log-mel"}}),
    "written": Encoding("digits", "digits", "image"),
}
_MAP = "hmdb51-uci-har"
_ONCE, _AGAIN = "video + sensor, each sample once", "video + sensor, videos used again"
_SPOKEN = "spoken + written digits"


def multimodal(study: Study) -> Table:
    """Join by label and fuse in every way, each modality alone beside it."""
    once = {"on": "label", "labels": _MAP}
    results = _pair(study, _ONCE, _PAIR, "pair", paper=None, joined=once)
    results += _pair(study, _AGAIN, _PAIR, "pair-again", paper=0.775, joined={**once, "reuse": True})
    results += _pair(study, _SPOKEN, _DIGITS, "digits", paper=None, joined={"on": "label"})
    return Table(
        name="multimodal",
        title="Modalities joined by label (paper, Section 11)",
        protocol="pairs are drawn at random inside one split and one class; the paper does not say how often a sample "
        "may be used, so both ways are measured",
        differs="A join by label gives each item two independent views of one class: where either modality knows the "
        "class, the pair does. It shows that the machinery works, not that the two say more about one event. JHMDB "
        "stands for HMDB-51; four of its classes have a counterpart in UCI-HAR",
        results=tuple(results),
        audit=tuple(_audit(study)),
        command=study.command("multimodal"),
        pictures=study.confusion({f"{_AGAIN}, stacked": "pair-again-stacked"}),
    )


def _audit(study: Study) -> list[Check]:
    stores = {"pair": _PAIR, "digits": _DIGITS}
    audited = [
        kept_audit(study, f"{name}-{branch}", encoding, about=branch)
        for name, encodings in stores.items()
        for branch, encoding in encodings.items()
    ]
    links = {"pair": _ONCE, "pair-again": _AGAIN, "digits": _SPOKEN}
    audited += [linked_audit(study, f"{name}-early", about=title) for name, title in links.items()]
    return [check for checks in audited for check in checks]


def _pair(
    study: Study,
    title: str,
    encodings: Mapping[str, Encoding],
    name: str,
    *,
    paper: float | None,
    joined: Mapping[str, Any],
) -> list[Result]:
    fused = [
        fused_result(
            study,
            f"{title}, {fusion}",
            encodings,
            name=f"{name}-{fusion}",
            joined=joined,
            paper=paper,
            preset="fast",
            fusion=fusion,
        )
        for fusion in ("early", "late", "stacked")
    ]
    alone = (fused[0].extra or {}).get("modalities", {})
    return [_alone(title, branch, figures["accuracy"], fused[0]) for branch, figures in alone.items()] + fused


def _alone(title: str, branch: str, accuracy: float, beside: Result) -> Result:
    return Result(
        model=f"{title}: {branch} alone",
        measured=accuracy,
        interval=None,
        paper=None,
        psnr=None,
        seconds=0.0,
        rows_train=beside.rows_train,
        rows_test=beside.rows_test,
        note="on the same linked items, trained in the run of the early fusion",
    )
