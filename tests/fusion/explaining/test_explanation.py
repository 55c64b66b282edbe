"""What a model looked at is where the class is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.made_bursts import BURST, Bursts
from PIL import Image

import fusion
from fusion.datasets import ArrayDataset
from fusion.encoders import EncodeOptions
from fusion.errors import ConfigError, DataError
from fusion.explaining import explain


def test_the_evidence_lies_where_the_burst_is(bursts: Bursts) -> None:
    tested = [name for name in bursts.places if name >= "w60"]
    inside, near = [], 0
    for name in tested:
        found = explain(bursts.model, name, label="burst", sources={"": bursts.data})
        (branch,) = found.branches
        assert branch.heat is not None
        here = slice(bursts.places[name], bursts.places[name] + BURST)
        inside.append(float(branch.heat[here].mean() - branch.heat.mean()))
        start = branch.strongest[0]["start"][0]
        near += here.start - 8 < start < here.stop
    assert np.mean(np.array(inside) > 0) > 0.9
    assert near / len(tested) > 0.9


def test_it_is_drawn_and_told_as_plain_values(bursts: Bursts, tmp_path: Path) -> None:
    found = explain(bursts.model, "w60", sources={"": bursts.data})
    with Image.open(found.draw(tmp_path / "why.png")) as picture:
        assert picture.size[0] > 800
    told = found.to_dict()
    assert told["modalities"]["sensor"]["strongest"][0]["size"] == [8]
    assert set(told) == {"id", "class", "label", "predicted", "probabilities", "modalities"}


def test_layers_of_functas_and_columns_need_no_source(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    people = [{"height": 150 + 40 * (n % 2) + random.normal(), "eyes": ["blue", "brown"][n % 3 % 2]} for n in range(40)]
    labels = ["tall" if n % 2 else "short" for n in range(40)]
    splits = ["train"] * 30 + ["test"] * 10
    data = ArrayDataset(people, labels=labels, splits=splits, modality="columns")
    fusion.encode(data, tmp_path / "people.zarr", options=EncodeOptions(workers=1))
    fusion.train(tmp_path / "people.zarr", tmp_path / "m", preset="fast")
    found = explain(tmp_path / "m", "columns:40")
    (branch,) = found.branches
    assert branch.heat is None
    assert max(branch.parts, key=lambda name: abs(branch.parts[name])) == "height"
    assert found.draw(tmp_path / "why.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"item": "nobody"}, DataError, "no store of the model has an item 'nobody'; expected an ID such as 'w6"),
        ({"label": "jump"}, ConfigError, "class 'jump'; the model has burst, plain"),
        ({"sources": {}}, ConfigError, "--source sensor=PATH"),
        ({"sources": {"video": "."}}, ConfigError, "a path is given for video; the model has sensor"),
        ({"sources": {"": ArrayDataset([])}}, DataError, "has no sample 'w60'"),
    ],
)
def test_what_cannot_be_explained_is_refused(
    bursts: Bursts, changes: dict[str, object], error: type[Exception], message: str
) -> None:
    arguments = {"item": "w60", "sources": {"": bursts.data}} | changes
    with pytest.raises(error, match=message.replace("(", r"\(")):
        explain(bursts.model, **arguments)  # type: ignore[arg-type]
