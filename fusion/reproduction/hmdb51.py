"""The paper's Table 2: HMDB-51, or its annotated part JHMDB."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fusion.errors import DataError
from fusion.reproduction.audit import audit
from fusion.reproduction.controls import control_results
from fusion.reproduction.places import find_data
from fusion.reproduction.study import Encoding, functa_result
from fusion.reproduction.table import Result, Table

if TYPE_CHECKING:
    from fusion.reproduction.study import Study

JHMDB = Encoding("jhmdb", "jhmdb", "video")
_SPLITS = (1, 2, 3)


def hmdb51(study: Study) -> Table:
    """Reproduce Table 2 on the three official splits."""
    base = _data(study)
    results: list[Result] = []
    for split in _SPLITS:
        encoding = replace(base, reader={**base.reader, "split": split})
        siren = encoding.changed(architecture="siren")
        where = f", split {split}"
        results += [
            functa_result(
                study,
                f"paper functa + XGBoost{where}",
                encoding,
                name=f"{base.data}-paper-{split}",
                paper=0.324,
                paper_psnr=62.77,
            ),
            functa_result(
                study,
                f"SIREN functa + XGBoost{where}",
                siren,
                name=f"{base.data}-siren-{split}",
                paper=0.09,
                paper_psnr=61.4,
            ),
        ]
        if split == 1:
            results += control_results(study, encoding, {"Conv3D": 0.386}, name=base.data)
    first = replace(base, reader={**base.reader, "split": 1})
    store, _ = study.store(f"{base.data}-paper-1", first)
    return Table(
        name="hmdb51",
        title=f"{'HMDB-51' if base.data == 'hmdb51' else 'JHMDB, 21 classes of HMDB-51'} (paper, Table 2)",
        protocol="the three official splits of HMDB-51; Conv3D and the controls on the first",
        differs="all classes are there"
        if base.data == "hmdb51"
        else "928 clips of 21 classes instead of 6,766 of 51: the paper's figures are of a harder task with more data",
        results=tuple(results),
        audit=tuple(audit(study, first, store)),
        command="functa reproduce hmdb51 --data DIR",
        pictures={},
        extra={},
    )


def _data(study: Study) -> Encoding:
    try:
        find_data("hmdb51", study.data, study.folder / "data")
    except DataError:
        return JHMDB
    return Encoding("hmdb51", "hmdb51", "video")
