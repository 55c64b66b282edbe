from __future__ import annotations

import os
import pickle
import tarfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from helpers.cifar_files import cifar_rows, write_cifar
from helpers.mutants import edits, mutated
from hypothesis import given, settings

import fusion
from fusion.datasets.cifar10 import CLASSES, Cifar10
from fusion.datasets.open import open_dataset
from fusion.datasets.plain_pickle import load_plain_pickle
from fusion.errors import DataError


@pytest.mark.parametrize(("layout", "protocol"), [("py", 2), ("py", 3), ("py", 4), ("bin", 0)])
def test_images_labels_and_splits_are_read_from_each_layout(tmp_path: Path, layout: str, protocol: int) -> None:
    samples = list(Cifar10(write_cifar(tmp_path, layout=layout, protocol=protocol)))
    assert [samples[i].id for i in (0, 20, 59)] == ["train-1-00000", "train-3-00000", "test-00019"]
    assert Counter(sample.split for sample in samples) == {"train": 40, "test": 20}
    assert [sample.label for sample in samples[:10]] == list(CLASSES)
    data, _ = cifar_rows(20, seed=1)
    np.testing.assert_array_equal(samples[23].raw, data[3].reshape(3, 32, 32).transpose(1, 2, 0))


def test_a_pickle_of_python_2_is_read(tmp_path: Path) -> None:
    # Written by hand: text and array contents as the byte strings that Python 2 wrote.
    data, _ = cifar_rows(1, seed=0)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR(K\x01(K\x01M\x00\x0ct"
        b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"T\x00\x0c\x00\x00" + data.tobytes() + b"tb"
    )
    (tmp_path / "test_batch").write_bytes(b"\x80\x02}(U\x04data" + array + b"U\x06labels](K\x07eu.")
    (sample,) = Cifar10(tmp_path)
    assert (sample.id, sample.label) == ("test-00000", "horse")
    np.testing.assert_array_equal(sample.raw, data.reshape(3, 32, 32).transpose(1, 2, 0))


def test_it_is_read_from_the_archive_and_the_folder_above(tmp_path: Path) -> None:
    root = write_cifar(tmp_path / "a")
    with tarfile.open(tmp_path / "cifar.tar.gz", "w:gz") as archive:
        archive.add(root, root.name)
    with open_dataset("cifar10", tmp_path / "cifar.tar.gz") as dataset:
        assert [sample.id for sample in dataset] == [sample.id for sample in Cifar10(tmp_path / "a")]


class _Malicious:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("pwned",)


@pytest.mark.parametrize("place", ["alone", "as data", "as a label"])
def test_a_pickle_that_would_run_code_is_refused_and_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    data, labels = cifar_rows(2, seed=0)
    evil = _Malicious()
    content = {
        "alone": evil,
        "as data": {"data": evil, "labels": labels},
        "as a label": {"data": data, "labels": [evil]},
    }
    (tmp_path / "test_batch").write_bytes(pickle.dumps(content[place]))
    with pytest.raises(DataError, match=r"test_batch is refused: it asks for posix.mkdir, which data never need"):
        list(Cifar10(tmp_path))
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"data": np.zeros((2, 3072), np.float64), "labels": [0, 1]}, "an array of 'f8'; expected bytes"),
        ({"data": np.zeros((2, 30), np.uint8), "labels": [0, 1]}, r"data of shape \(2, 30\)"),
        ({"data": "none", "labels": [0, 1]}, "data of str"),
        ({"data": np.zeros((2, 3072), np.uint8), "fine_labels": [0, 1]}, "no list of labels; .* CIFAR-100"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [0]}, "has 1 labels for 2 images"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [0, 10]}, "has label 10; expected 0 to 9"),
        ([1, 2], "data of NoneType"),
    ],
)
def test_a_batch_that_is_something_else_is_named(tmp_path: Path, content: object, message: str) -> None:
    (tmp_path / "data_batch_5").write_bytes(pickle.dumps(content, 2))
    with pytest.raises(DataError, match=f"data_batch_5.*{message}"):
        list(Cifar10(tmp_path))


def test_a_few_bytes_cannot_ask_for_gigabytes(tmp_path: Path) -> None:
    import tracemalloc

    tracemalloc.start()
    for number, content in enumerate((b"\x80\x02}r\xff\xff\xff\x7f.", b"\x80\x04\x8e\0\0\0\0\x01\0\0\0.")):
        (tmp_path / f"data_batch_{number + 1}").write_bytes(content)
        with pytest.raises(DataError):
            load_batch(tmp_path / f"data_batch_{number + 1}")
    assert tracemalloc.get_traced_memory()[1] < 1 << 22
    tracemalloc.stop()


def load_batch(path: Path) -> None:
    folder = path.parent / f"only-{path.name}"
    folder.mkdir()
    list(Cifar10(path.rename(folder / path.name).parent))


@settings(max_examples=100, deadline=None)
@given(edits)
def test_a_mutated_pickle_gives_images_or_one_error(changes: list[tuple[str, float, int | bytes]]) -> None:
    data, labels = cifar_rows(1, seed=0)
    batch = {"labels": labels, "batch_label": "x", "filenames": ["x.png"], "data": data[:, :3]}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "test_batch"
        path.write_bytes(mutated(pickle.dumps(batch, 2), changes))
        with suppress(DataError):
            load_plain_pickle(path)


@pytest.mark.parametrize("layout", ["py", "bin"])
def test_a_batch_cut_short_is_named(tmp_path: Path, layout: str) -> None:
    root = write_cifar(tmp_path, layout=layout)
    path = next(root.glob("data_batch_3*"))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match=f"{path.name}.*ownload it again"):
        list(Cifar10(root))


def test_a_folder_without_batches_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not CIFAR-10: no batch in it; expected data_batch_1 to"):
        Cifar10(tmp_path)
    with pytest.raises(DataError, match="nowhere is no folder"):
        Cifar10(tmp_path / "nowhere")


@pytest.mark.slow
@pytest.mark.real_data
def test_real_images_go_the_whole_way(public_data: Path, tmp_path: Path) -> None:
    options = fusion.encoders.EncodeOptions(workers=2, limit=300)
    with open_dataset("cifar10", public_data / "cifar10" / "cifar-10-batches-py-subset.tar.xz") as dataset:
        counts = Counter((sample.split, sample.label) for sample in dataset)
        config = fusion.encoders.encoder_config(dataset, options={"meta": {"steps": 60}})
        report = fusion.encode(dataset, tmp_path / "s.zarr", config, options)
    assert [counts["train", name] for name in CLASSES] == [1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981]
    assert [counts["test", name] for name in CLASSES] == [1000] * 10
    assert (report.rows, report.failed) == (300, 0)
    assert report.psnr_mean > 15
    classifier = fusion.FunctaClassifier(n_estimators=10, early_stopping_rounds=None, n_jobs=2)
    assert fusion.train(tmp_path / "s.zarr", tmp_path / "m", classifier=classifier).accuracy > 0.12
