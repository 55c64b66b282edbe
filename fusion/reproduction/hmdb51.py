"""The paper's Table 2: HMDB-51, or its annotated part JHMDB."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fusion.errors import DataError
from fusion.reproduction.audit import kept_audit
from fusion.reproduction.controls import control_results
from fusion.reproduction.linked import fused_result
from fusion.reproduction.places import find_data
from fusion.reproduction.study import LOCAL_NOTE, OF_RAW, RAW, Encoding, functa_result
from fusion.reproduction.table import Result, Table, mean_result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fusion.reproduction.study import Study

JHMDB = Encoding("jhmdb", "jhmdb", "video")
_SPLITS = (1, 2, 3)


@dataclass(frozen=True)
class _Model:
    """A kind of functa, and what the paper claims of it."""

    title: str
    name: str
    options: Mapping[str, Any]
    accuracy: float | None = None
    psnr: float | None = None
    preset: str = "paper"
    note: str = "the splits overlap, so the interval over them is no more than a hint"


_SIREN: dict[str, Any] = {"architecture": "siren"}
_FRAMES: dict[str, Any] = {"kind": "local", "mirrored": [2]}
_LOCAL: dict[str, Any] = {**_FRAMES, "modality": {"transform": "flow"}}
_BOTH = "local functas of optical flow and of frames, early fusion"
_BOTH_NOTE = "the same clips in two stores, joined by ID, with the linear booster"
_MODELS = (
    _Model("paper functa + XGBoost", "paper", {}, 0.324, 62.77),
    _Model("SIREN functa + XGBoost", "siren", _SIREN, 0.09, 61.4),
    _Model(
        "local functas of optical flow + XGBoost",
        "local",
        _LOCAL,
        preset="linear",
        note=LOCAL_NOTE,
    ),
)


def hmdb51(study: Study) -> Table:
    """Reproduce Table 2 on the three official splits."""
    base = _data(study)
    networks = {"Conv3D": 0.386, "Conv3D, augmented": None}
    splits = {split: replace(base, reader={**base.reader, "split": split}) for split in _SPLITS}
    rows = [row for model in _MODELS for row in _rows(study, model, splits)]
    fused = [_fused(study, split, encoding) for split, encoding in splits.items()]
    both = _with_mean(f"{_BOTH}, mean of the splits", fused, note=_BOTH_NOTE)
    first = splits[1]
    others = {
        "SIREN functa": (f"{base.data}-siren-1", first.changed(**_SIREN)),
        "local functas": (f"{base.data}-local-1", first.changed(**_LOCAL)),
    }
    return Table(
        name="hmdb51",
        title=f"{'HMDB-51' if base.data == 'hmdb51' else 'JHMDB, 21 classes of HMDB-51'} (paper, Table 2)",
        protocol="the three official splits of HMDB-51; Conv3D and the controls on the first",
        differs="all classes are there"
        if base.data == "hmdb51"
        else "928 clips of 21 classes instead of 6,766 of 51: the paper's figures are of a harder task with five times "
        "the training clips, which Conv3D, trained from scratch, lacks most",
        results=(*rows, *both, _raw(study, first), *control_results(study, first, networks, name=base.data)),
        audit=tuple(kept_audit(study, f"{base.data}-paper-1", first, others=others)),
        command=study.command("hmdb51"),
        pictures=study.confusion({"paper functa, split 1": f"{base.data}-paper-1"}),
    )


def _rows(study: Study, model: _Model, splits: Mapping[int, Encoding]) -> list[Result]:
    """Measure a model on every split, and give the mean first."""
    each = [
        functa_result(
            study,
            f"{model.title}, split {split}",
            encoding.changed(**model.options),
            name=f"{encoding.data}-{model.name}-{split}",
            preset=model.preset,
        )
        for split, encoding in splits.items()
    ]
    title = f"{model.title}, mean of the splits"
    return _with_mean(title, each, paper=model.accuracy, paper_psnr=model.psnr, note=model.note)


def _with_mean(title: str, each: list[Result], **told: Any) -> list[Result]:
    """Give the mean first, of no seconds of its own."""
    return [replace(mean_result(title, each, **told), seconds=0.0, stores={}), *each]


def _fused(study: Study, split: int, encoding: Encoding) -> Result:
    """Join local functas of flow with those of the frames themselves."""
    names = {"flow": "local", "frames": "frames"}
    return fused_result(
        study,
        f"{_BOTH}, split {split}",
        {"flow": encoding.changed(**_LOCAL), "frames": encoding.changed(**_FRAMES)},
        name=f"{encoding.data}-both-{split}",
        stores={branch: f"{encoding.data}-{name}-{split}" for branch, name in names.items()},
        joined={"on": "id"},
        preset="linear",
        fusion="early",
    )


def _raw(study: Study, first: Encoding) -> Result:
    encoding, name = first.changed(**_LOCAL, raw=True), f"{first.data}-windows-1"
    return functa_result(study, f"{RAW}, split 1", encoding, name=name, **OF_RAW)


def _data(study: Study) -> Encoding:
    try:
        find_data("hmdb51", study.data, study.folder / "data")
    except DataError:
        return JHMDB
    return Encoding("hmdb51", "hmdb51", "video")
