"""The store's contract as tests: subclass :class:`StoreContract`, name your format's suffix, inherit every test."""

# ruff: noqa: D102, S101 - tests say what they test by their names
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store.errors import StoreError, StoreLockedError, StoreMismatchError, UnknownIDError
from store.functa_store import FunctaStore
from store.opening import create_store, open_store
from store.rows import Rows, Status, rows_equal

LAYOUT = [("w", (2, 3), 0), ("b", (2,), 6)]
K = 8
ENCODER = {"kind": "functa", "fit": {"steps": 10, "omega_0": 30.0}}


def make_rows(ids: Sequence[str], *, seed: int = 0) -> Rows:
    """Make rows with every column set, the same for the same IDs and seed."""
    rng = np.random.default_rng(seed)
    b = len(ids)
    return Rows.build(
        list(ids),
        rng.normal(size=(b, K)),
        labels=[f"class-{i % 3}" for i in range(b)],
        splits=[("train", "test", None)[i % 3] for i in range(b)],
        groups=[f"subject-{i % 2}" if i % 5 else None for i in range(b)],
        psnr=rng.uniform(20, 40, b),
        loss=rng.uniform(size=b),
        steps=rng.integers(1, 50, b),
        fit_seconds=rng.uniform(size=b),
        source_hash=rng.integers(0, 256, (b, 16)),
        target=rng.normal(size=b),
    )


def numbered(start: int, stop: int) -> list[str]:
    """Name samples ``sample-start`` to ``sample-(stop-1)``."""
    return [f"sample-{i}" for i in range(start, stop)]


def new_store(path: Path, *, block_rows: int = 4, **changes: Any) -> FunctaStore:
    """Create a small store for tests."""
    parameters: dict[str, Any] = {"encoder": ENCODER, "state": {"start": np.arange(K, dtype=np.float32)}}
    return create_store(path, modality="sensor", layout=LAYOUT, block_rows=block_rows, **(parameters | changes))


class StoreContract:
    """What every format must do; set ``suffix`` in a subclass."""

    suffix: str

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """Give a path where nothing exists yet."""
        return tmp_path / f"store{self.suffix}"

    def test_rows_come_back_equal_in_the_order_asked(self, path: Path) -> None:
        rows = make_rows(numbered(0, 11))
        with new_store(path) as store:
            store.append(rows)
        with open_store(path) as store:
            assert store.n_rows == len(store) == 11
            assert rows_equal(store.read(), rows)
            assert rows_equal(store.read(["sample-7", "sample-0"]), rows.take([7, 0]))
            assert rows_equal(store.get("sample-10"), rows.take([10]))
            assert store.ids.tolist() == numbered(0, 11)

    def test_reading_without_functas(self, path: Path) -> None:
        with new_store(path) as store:
            store.append(make_rows(numbered(0, 5)))
        assert open_store(path).read(functas=False).functas.shape == (5, 0)

    def test_blocks_cover_every_usable_row_once(self, path: Path) -> None:
        rows = make_rows(numbered(0, 10))
        with new_store(path) as store:
            store.append(rows)
        blocks = list(open_store(path).iter_blocks())
        assert [len(block) for block in blocks] == [4, 4, 2]
        assert rows_equal(Rows.concatenate(blocks), rows)

    def test_blocks_of_one_split(self, path: Path) -> None:
        rows = make_rows(numbered(0, 10))
        with new_store(path) as store:
            store.append(rows)
        store = open_store(path)
        found = Rows.concatenate(list(store.iter_blocks(split="test")))
        assert rows_equal(found, rows.take(np.flatnonzero(rows.splits == "test")))
        assert sum(map(len, store.iter_blocks(split=("test", "train")))) == 7
        assert list(store.iter_blocks(split="fold-9")) == []

    def test_the_last_row_of_an_id_wins(self, path: Path) -> None:
        newer = make_rows(["sample-2", "sample-0"], seed=1)
        with new_store(path) as store:
            store.append(make_rows(numbered(0, 6)))
            store.append(newer)
        store = open_store(path)
        assert len(store) == 6
        assert store.n_rows == 8
        assert rows_equal(store.read(["sample-2", "sample-0"]), newer)

    def test_a_deleted_id_is_gone_until_it_is_appended_again(self, path: Path) -> None:
        with new_store(path) as store:
            store.append(make_rows(numbered(0, 3)))
            store.delete(["sample-1"])
            store.commit()
            assert "sample-1" not in store
            assert "sample-1" not in store.known()
            store.append(make_rows(["sample-1"], seed=3))
        assert rows_equal(open_store(path).get("sample-1"), make_rows(["sample-1"], seed=3))

    def test_deleting_an_unknown_id(self, path: Path) -> None:
        with new_store(path) as store, pytest.raises(UnknownIDError, match=r"no row for \['nobody'\]"):
            store.delete(["nobody"])

    def test_asking_for_an_unknown_id(self, path: Path) -> None:
        with new_store(path) as store:
            store.append(make_rows(numbered(0, 3)))
        with pytest.raises(UnknownIDError, match=r"has no usable row for \['a', 'b'\]"):
            open_store(path).read(["sample-1", "a", "b"])

    def test_failed_samples_are_listed_but_not_read(self, path: Path) -> None:
        with new_store(path) as store:
            store.append(make_rows(numbered(0, 2)))
            store.append(Rows.failed("broken", "decode", "not a\n PNG", K, label="class-1", source_hash=b"x" * 16))
        store = open_store(path)
        assert store.failed() == [("broken", "decode", "not a PNG")]
        assert "broken" not in store
        assert store.known()["broken"] == (Status.FAILED, b"x" * 16)
        assert len(store.read()) == 2

    def test_known_includes_what_is_only_buffered(self, path: Path) -> None:
        with new_store(path, block_rows=100) as store:
            rows = make_rows(numbered(0, 2))
            store.append(rows)
            assert store.n_rows == 0
            assert store.known() == {name: (1, bytes(rows.source_hash[i])) for i, name in enumerate(rows.ids)}

    def test_a_reader_sees_nothing_before_the_commit(self, path: Path) -> None:
        with new_store(path, block_rows=100) as store:
            store.append(make_rows(numbered(0, 3)))
            assert len(open_store(path)) == 0
            store.commit()
            assert len(open_store(path)) == 3

    def test_an_exception_leaves_the_last_commit_standing(self, path: Path) -> None:
        with pytest.raises(RuntimeError), new_store(path, block_rows=100) as store:  # noqa: PT012
            store.append(make_rows(numbered(0, 3)))
            store.commit()
            store.append(make_rows(numbered(3, 6)))
            raise RuntimeError
        assert open_store(path, "a").ids.tolist() == numbered(0, 3)

    def test_appending_goes_on_inside_a_partial_block(self, path: Path) -> None:
        rows = make_rows(numbered(0, 13))
        new_store(path).close()
        for start, stop in ((0, 3), (3, 4), (4, 9), (9, 13)):
            with open_store(path, "a") as store:
                store.append(rows.take(slice(start, stop)))
        assert rows_equal(open_store(path).read(), rows)

    def test_order_of_appending_never_matters(self, path: Path) -> None:
        rows = make_rows(numbered(0, 9))
        shuffled = rows.take(np.random.default_rng(0).permutation(9))
        with new_store(path) as store:
            store.append(shuffled)
        assert rows_equal(open_store(path).read(rows.ids.tolist()), rows)

    def test_finished_holds_until_there_are_new_rows(self, path: Path) -> None:
        with new_store(path) as store:
            store.append(make_rows(numbered(0, 2)))
            store.commit(finished=True)
        assert open_store(path).finished
        with open_store(path, "a") as store:
            store.append(make_rows(numbered(2, 3)))
        assert not open_store(path).finished

    def test_nothing_new_is_no_new_commit(self, path: Path) -> None:
        with new_store(path) as store:
            store.append(make_rows(numbered(0, 2)))
            store.commit()
            generation = store.generation
            store.commit()
            assert store.generation == generation

    def test_the_state_comes_back(self, path: Path) -> None:
        state = {"start": np.arange(K, dtype=np.float32), "scale": np.array(2.5), "bank": np.arange(6).reshape(2, 3)}
        new_store(path, state=state).close()
        found = open_store(path).state
        assert found.keys() == state.keys()
        assert all(np.array_equal(found[name], state[name]) for name in state)

    def test_another_configuration_is_named_field_by_field(self, path: Path) -> None:
        with new_store(path) as store:
            store.require_same(encoder=ENCODER, state=store.state)
            other = {"kind": "functa", "fit": {"steps": 10, "omega_0": 60.0}}
            with pytest.raises(
                StoreMismatchError, match=r"differs: fit\.omega_0 30\.0 -> 60\.0\. Use a new store path"
            ):
                store.require_same(encoder=other)
            with pytest.raises(StoreMismatchError, match=r"state 'start' float32\[8\] \w{8} -> float64\[8\] \w{8}"):
                store.require_same(state={"start": np.zeros(K)})

    def test_a_second_writer_is_told_who_holds_the_lock(self, path: Path) -> None:
        with new_store(path), pytest.raises(StoreLockedError, match=r"written to by process \d+ on \S+ since 2"):
            open_store(path, "a")
        open_store(path, "a").close()

    def test_a_fresh_store_verifies(self, path: Path) -> None:
        with new_store(path) as store:
            store.append(make_rows(numbered(0, 6)))
        report = open_store(path).verify()
        assert report.ok, report.problems
        assert report.rows == 6

    def test_info_counts(self, path: Path) -> None:
        with new_store(path, dataset="toy", seed=7) as store:
            store.append(make_rows(numbered(0, 6)))
            store.append(Rows.failed("broken", "fit", "NaN", K))
        info = open_store(path).info()
        assert (info["rows"], info["failed"], info["rows_on_disk"]) == (6, 1, 7)
        assert info["splits"] == {"test": 2, "train": 2}
        assert info["classes"] == {"class-0": 2, "class-1": 2, "class-2": 2}
        assert (info["groups"], info["dataset"], info["seed"], info["k"]) == (2, "toy", 7, K)
        assert 20 <= info["psnr_percentiles"]["5"] <= info["psnr_mean"] <= 40
        assert info["bytes"] > 0

    @pytest.mark.parametrize("name", ["ä/ö ü.png", "x" * 128, "日本語", " "])
    def test_unusual_ids(self, path: Path, name: str) -> None:
        with new_store(path) as store:
            store.append(make_rows([name]))
        assert open_store(path).ids.tolist() == [name]

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            (Rows.build([""], np.zeros((1, K))), "expected 1..512 bytes of UTF-8"),
            (Rows.build(["a\0"], np.zeros((1, K))), "without NUL"),
            (Rows.build(["x" * 513], np.zeros((1, K))), "expected 1..512 bytes of UTF-8"),
            (Rows.build(["a"], np.zeros((1, K + 1))), "functas have 9 values, but this store keeps k = 8"),
            (Rows.build(["a"], np.full((1, K), np.nan)), "1 rows have status ok but a functa with NaN"),
            (Rows.build(["a"], np.zeros((1, K)), status=[0]), "row 'a' has status 0, expected 1..4"),
        ],
    )
    def test_rows_that_do_not_fit_are_refused_whole(self, path: Path, rows: Rows, message: str) -> None:
        with new_store(path) as store:
            with pytest.raises(StoreError, match=message):
                store.append(rows)
            store.append(make_rows(["good"]))
        assert open_store(path).ids.tolist() == ["good"]

    def test_a_store_open_for_reading_takes_nothing(self, path: Path) -> None:
        new_store(path).close()
        with open_store(path) as store, pytest.raises(StoreError, match="Open it with mode='a' to write"):
            store.append(make_rows(["a"]))

    def test_a_taken_path_is_refused(self, path: Path) -> None:
        new_store(path).close()
        with pytest.raises(StoreError, match="exists already"):
            new_store(path)
