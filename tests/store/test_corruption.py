"""Damage to any byte of any file is noticed, named and repaired."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store import IntegrityError, Rows, StoreError, open_store, repair, rows_equal
from store.testing import K, make_rows, new_store, numbered

ROWS = make_rows(numbered(0, 10))


@pytest.fixture
def base(path: Path, fast_folder: Path) -> Path:
    base = fast_folder / "base" / path.name
    base.parent.mkdir()
    with new_store(base) as store:
        store.append(ROWS)
        store.append(Rows.failed("broken", "fit", "diverged", K))
        store.add_column("age", {"sample-3": 30})
    return base


def everything(path: Path) -> Any:
    """Read all that a store says."""
    store = open_store(path)
    rows = store.read()
    blocks = Rows.concatenate(list(store.iter_blocks()))
    assert rows_equal(rows, blocks)
    state = {name: array.tobytes() for name, array in store.state.items()}
    columns = {name: getattr(rows, name).tolist() for name in ("ids", "labels", "splits", "groups", "errors", "steps")}
    floats = [rows.functas.tobytes(), rows.psnr.tobytes(), rows.loss.tobytes(), rows.target.tobytes()]
    extra = {name: values.tolist() for name, values in rows.extra.items()}
    return store.header, state, columns, floats, extra, store.known(), store.failed(), store.finished


def outcome(path: Path) -> Any:
    try:
        return everything(path)
    except StoreError as error:
        return error


def files_of(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def flips(step: int) -> Callable[[Path], Iterator[tuple[str, Callable[[], None]]]]:
    def damages(file: Path) -> Iterator[tuple[str, Callable[[], None]]]:
        data = file.read_bytes()
        for at in range(0, len(data), step):
            broken = data[:at] + bytes([data[at] ^ 0x15]) + data[at + 1 :]
            yield f"{file.name} byte {at}", lambda broken=broken: file.write_bytes(broken)  # type: ignore[misc]

    return damages


def cuts(file: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    data = file.read_bytes()
    for length in {0, 1, len(data) // 2, len(data) - 1}:
        yield f"{file.name} cut to {length}", lambda length=length: file.write_bytes(data[:length])  # type: ignore[misc]


def deletions(file: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    yield f"{file.name} deleted", file.unlink


@pytest.mark.parametrize("damages", [flips(197), cuts, deletions], ids=["flip", "cut", "delete"])
def test_no_damage_is_silent(base: Path, damages: Callable[[Path], Any]) -> None:
    sound, noticed = everything(base), 0
    for file in files_of(base):
        data = file.read_bytes()
        for what, damage in damages(file):
            damage()
            found = outcome(base)
            if isinstance(found, StoreError):
                noticed += 1
                assert str(base) in str(found), what
                gone = not base.exists() or base.stat().st_size < 8
                assert isinstance(found, IntegrityError) or gone, (what, found)
            else:
                assert found == sound, what
            file.write_bytes(data)
    assert noticed > 0
    assert everything(base) == sound


@pytest.mark.parametrize("damages", [flips(97), cuts, deletions], ids=["flip", "cut", "delete"])
@pytest.mark.parametrize("step", [29, pytest.param(1, marks=pytest.mark.slow)])
def test_repair_and_refitting_restore_the_store(base: Path, damages: Callable[[Path], Any], step: int) -> None:
    sound = open_store(base).read()
    number, restored, hopeless = 0, 0, []
    for file in files_of(base):
        data = file.read_bytes()
        for what, damage in damages(file):
            number += 1
            if number % step:
                continue
            damage()
            run = base.parent.parent / "run"
            shutil.copytree(base.parent, run)
            file.write_bytes(data)
            path = run / base.name
            try:
                repair(path)
            except StoreError:
                hopeless.append(what)
            else:
                refit(path, sound)
                restored += 1
            shutil.rmtree(run)
    if base.suffix == ".zarr":
        assert hopeless == []
    else:  # one file has no second place for its structure, and nothing is left of it when it is gone
        assert len(hopeless) <= max(number // step / 5, 3), hopeless


def refit(path: Path, sound: Rows) -> None:
    with open_store(path, "a") as store:
        known = store.known()
        missing = [i for i, name in enumerate(sound.ids) if name not in known]
        store.append(ROWS.take(missing))
    after = open_store(path)
    assert after.verify().ok
    found = after.read(sound.ids.tolist())
    assert np.array_equal(found.functas, sound.functas)
    assert found.labels.tolist() == sound.labels.tolist()


def test_verify_names_every_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "store.zarr"
    with new_store(path) as store:
        store.append(ROWS)
    for file in files_of(path):
        data = file.read_bytes()
        file.write_bytes(data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])
        problems = problems_of(path)
        assert any(str(file.relative_to(path)) in problem for problem in problems), (file, problems)
        file.write_bytes(data)


def problems_of(path: Path) -> list[str]:
    try:
        return open_store(path).verify().problems
    except IntegrityError as error:
        return [str(error)]


def test_reading_a_few_rows_names_the_damaged_ones(path: Path) -> None:
    with new_store(path) as store:
        store.append(ROWS)
    place = ROWS.functas[5].tobytes()
    for file in files_of(path):
        data = file.read_bytes()
        file.write_bytes(data.replace(place, place[::-1]))
    store = open_store(path)
    assert rows_equal(store.read(["sample-9", "sample-4", "sample-0"]), ROWS.take([9, 4, 0]))
    with pytest.raises(IntegrityError, match=r"1 rows .* do not match their checksums: 5 \('sample-5'\)"):
        store.read(["sample-9", "sample-5", "sample-0"])
