"""The paper's Table 5: layers of full and of half size."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fusion.reproduction.audit import kept_audit
from fusion.reproduction.cifar10 import CIFAR
from fusion.reproduction.esc50 import ESC_MFCC, Clips, with_shared
from fusion.reproduction.hmdb51 import JHMDB
from fusion.reproduction.study import functa_result
from fusion.reproduction.table import Check, Result, Table
from fusion.reproduction.uci_har import HAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fusion.reproduction.study import Encoding, Study

_SIZES = {"full": "paper", "half": "paper-half"}


@dataclass(frozen=True)
class _Data:
    """One data set, what the paper reaches on it by size, and how it is trained on."""

    title: str
    name: str
    encoding: Encoding
    paper: Mapping[str, float | None]
    how: Mapping[str, Any] = field(default_factory=dict)

    def stores(self) -> dict[str, tuple[str, Encoding]]:
        """Name and encoding of the store of each size."""
        return {
            size: (f"ablation-{self.name}-{size}", self.encoding.changed(architecture=architecture))
            for size, architecture in _SIZES.items()
        }


def ablation(study: Study) -> Table:
    """Encode and train each modality with full and with half layers."""
    clips = Clips.of(study)
    measured = (
        _Data("images (CIFAR-10)", "cifar", CIFAR, {"full": 0.779, "half": 0.652}),
        _Data("videos (JHMDB)", "jhmdb", JHMDB, {"full": 0.324, "half": 0.288}),
        _Data("HAR (UCI-HAR)", "har", HAR, {"full": 0.865, "half": 0.811}),
        _sound(clips),
    )
    pairs = {data.title: _pair(study, data) for data in measured}
    faster = {title: _encoding(full) / _encoding(half) for title, (full, half) in pairs.items()}
    partial = ["CIFAR-10", "JHMDB for HMDB-51", *([] if clips.complete else ["ESC-10 for ESC-50"])]
    return Table(
        name="ablation",
        title="Layers of full and half size (paper, Table 5)",
        protocol=f"the fast preset; each data set's own split, {clips.title} in its five folds",
        differs=f"Data are partial ({', '.join(partial)}). With half layers encoding was faster by "
        + ", ".join(f"{ratio:.1f}x ({title})" for title, ratio in faster.items())
        + ", reading and preparing the samples included",
        results=tuple(with_shared(result) for pair in pairs.values() for result in pair),
        audit=tuple(check for data in measured for check in _audit(study, data)),
        command=study.command("ablation"),
        extra={"time_ratio": faster},
    )


def _sound(clips: Clips) -> _Data:
    """Name what the paper reaches on ESC-50 beside all of its clips, and beside nothing else."""
    paper = {"full": 0.465, "half": 0.36} if clips.complete else dict.fromkeys(_SIZES)
    encoding = replace(ESC_MFCC, layout=clips.layout)
    return _Data(f"sound ({clips.title}, MFCC)", clips.layout, encoding, paper, clips.how)


def _encoding(result: Result) -> float:
    return sum(result.stores.values())


def _pair(study: Study, data: _Data) -> list[Result]:
    return [
        functa_result(
            study,
            f"{data.title}, {size} layers",
            encoding,
            name=name,
            paper=data.paper[size],
            preset="fast",
            **data.how,
        )
        for size, (name, encoding) in data.stores().items()
    ]


def _audit(study: Study, data: _Data) -> list[Check]:
    test_splits = ("fold-1",) if "cv" in data.how else ("test",)
    stores = data.stores()
    others = {f"{data.title}, half layers": stores["half"]}
    return kept_audit(study, *stores["full"], about=data.title, others=others, test_splits=test_splits)
