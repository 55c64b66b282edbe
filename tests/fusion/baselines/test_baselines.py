from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from fusion.baselines import models
from fusion.baselines.augmentation import Augmentation
from fusion.baselines.lstm import LstmSettings, lstm_functas, lstm_start
from fusion.baselines.models import BASELINES, baseline, measure_baseline
from fusion.baselines.networks import ConvNet
from fusion.baselines.prepared import Prepared, raw_matrix
from fusion.baselines.statistics import simple_statistics
from fusion.datasets.base import Sample
from fusion.errors import ConfigError, DataError
from fusion.modalities import modality_class

QUICK = {
    "convolution": {"filters": (8, 8), "epochs": 12, "batch": 16, "learning_rate": 1e-2},
    "convolution-augmented": {"filters": (8, 8), "epochs": 12, "batch": 16, "learning_rate": 1e-2},
    "raw-xgboost": {"n_estimators": 10, "n_jobs": 1},
    "statistics-xgboost": {"n_estimators": 10, "n_jobs": 1},
    "lstm-functa": {"n_estimators": 10, "n_jobs": 1, "settings": LstmSettings(4, 4, 30, 3e-2, 4)},
}


def waves(count=96, points=32, channels=2, seed=0):
    """Slow and fast waves of any phase, by subject; the last quarter of the subjects is the test split."""
    random = np.random.default_rng(seed)
    fast = np.arange(count) % 2
    time = np.linspace(0, 2 * np.pi, points)
    phase = random.uniform(0, 2 * np.pi, (count, channels, 1))
    values = 0.5 + 0.3 * np.sin((1 + 3 * fast[:, None, None]) * time + phase)
    return values.transpose(0, 2, 1).astype(np.float32), np.where(fast, "fast", "slow")


def prepared(count=96, **sizes):
    values, labels = waves(count, **sizes)
    subjects = np.arange(count) // 8
    splits = np.where(subjects >= count // 8 * 3 // 4, "test", "train")
    names = (np.arange(count).astype(str), labels, splits, np.char.add("s", subjects.astype(str)))
    sensor = modality_class("sensor")().resolved(values[0])
    return Prepared(values, *(column.astype(object) for column in names), sensor)


KERNELS = ("minirocket", "multirocket-hydra")


@pytest.mark.parametrize("name", [name for name in BASELINES if name not in KERNELS])
def test_a_baseline_tells_fast_from_slow_waves(name):
    made = prepared()
    result = measure_baseline(name, made, **QUICK.get(name, {}))
    # a plane cannot tell waves of any phase
    assert result.evaluation.accuracy > (0.2 if name.startswith("logistic") else 0.8)
    assert (result.rows_train, result.rows_test) == (72, 24)
    assert result.seconds > 0
    assert (result.weights is None) == ("xgboost" in name or name == "lstm-functa")
    assert list(result.ids) == [str(number) for number in range(72, 96)]
    assert np.mean(result.predicted == made.labels[72:]) == result.evaluation.accuracy


def test_random_kernels_tell_fast_from_slow_waves():
    pytest.importorskip("aeon")
    result = measure_baseline("minirocket", prepared(), n_kernels=168)
    assert result.evaluation.accuracy > 0.9
    images = replace(prepared(), values=np.zeros((96, 8, 8, 1), np.float32))
    with pytest.raises(ConfigError, match=r"expected samples of one axis, got a grid of \(8, 8\)"):
        measure_baseline("minirocket", images)


def test_random_kernels_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "aeon.classification.convolution_based", None)
    with pytest.raises(ConfigError, match=r"'minirocket' needs aeon; .* pip install 'functa-fusion\[controls\]'"):
        baseline("minirocket")


def test_what_is_asked_of_a_network_wins_over_its_own_choice(monkeypatch):
    asked = []

    class Recorder:
        def __init__(self, **parameters):
            asked.append(parameters)

        def fit(self, *_):
            pass

    monkeypatch.setattr(models, "ConvNet", Recorder)
    for name in ("convolution", "convolution-augmented"):
        baseline(name, annealed=False, epochs=3).fit(prepared(), np.arange(72))
    plain, augmented = asked
    assert plain == {"annealed": False, "epochs": 3}
    assert augmented == plain | {"augmentation": Augmentation(shifted=1, jitter=0.05)}


def test_an_unknown_baseline_is_refused():
    with pytest.raises(ConfigError, match="baseline is 'resnet'; expected one of convolution, convolution-augmented"):
        baseline("resnet")


def test_folds_are_each_tested_once():
    made = prepared(48)
    made.splits[:] = np.repeat(["fold-1", "fold-2", "fold-3"], 16)
    result = measure_baseline("statistics-xgboost", made, cv="folds", **QUICK["statistics-xgboost"])
    assert len(result.folds) == 3
    assert result.rows_test == 48
    assert result.evaluation.accuracy == pytest.approx(np.mean(result.folds))


def test_a_group_on_both_sides_or_no_rows_is_refused():
    made = prepared(48)
    with pytest.raises(DataError, match=r"no rows of the splits \['val'\]; the data set has \['test', 'train'\]"):
        measure_baseline("raw-xgboost", made, test_splits=("val",))
    made.groups[-1] = "s0"
    with pytest.raises(DataError, match="1 groups are on both sides of the split, first 's0'; expected each subject"):
        measure_baseline("raw-xgboost", made)


@pytest.mark.parametrize("shape", [(16, 3), (9, 8, 1), (4, 9, 8, 2)], ids=["Conv1D", "Conv2D", "Conv3D"])
def test_networks_for_any_grid_are_seeded(shape):
    random = np.random.default_rng(0)
    codes = np.arange(24) % 2
    values = (random.random((24, *shape)) * 0.2 + codes.reshape(-1, *([1] * len(shape))) * 0.5).astype(np.float32)
    rows, groups = np.arange(16), np.repeat(np.arange(8), 2)
    nets = [ConvNet(filters=(4,), epochs=3, batch=8, seed=1).fit(values, rows, codes[rows], groups) for _ in range(2)]
    kernels = [net.model_.get_weights()[4] for net in nets]
    np.testing.assert_allclose(kernels[0], kernels[1], rtol=1e-4, atol=1e-6)
    assert nets[0].predict(values, np.arange(16, 24)).shape == (8,)
    assert any(type(layer).__name__ == f"Conv{len(shape) - 1}D" for layer in nets[0].model_.layers)


def test_early_stopping_watches_whole_groups_and_keeps_the_best_weights(monkeypatch):
    values, labels = waves(64)
    watched = []
    original = ConvNet.fit.__globals__["_batches"]

    def spy(keras, given, rows, *rest):
        watched.append(set(rows // 8))
        return original(keras, given, rows, *rest)

    monkeypatch.setitem(ConvNet.fit.__globals__, "_batches", spy)
    net = ConvNet(filters=(4,), epochs=40, patience=1, batch=16, learning_rate=0.1)
    net.fit(values, np.arange(64), labels, np.arange(64) // 8)
    training, validation = watched
    assert not training & validation
    assert net.epochs_ < 40


def test_statistics_of_known_signals():
    values = np.zeros((1, 64, 2), np.float32)
    values[0, :, 1] = np.sin(2 * np.pi * 16 * np.arange(64) / 64)
    found = simple_statistics(values, modality_class("sensor")()).reshape(-1, 2)
    mean, deviation, least, largest = found[:4]
    np.testing.assert_allclose([mean[1], deviation[1], least[1], largest[1]], [0, np.sqrt(0.5), -1, 1], atol=1e-6)
    assert found[:10, 0].tolist() == [0] * 10
    bands = found[10:, 1]
    assert bands.max() > bands.min() + 5
    assert 0 < bands.argmax() < len(bands) - 1


def test_mfcc_maps_are_summarised_per_coefficient():
    audio = modality_class("audio")(transform="mfcc", rate=8000.0, seconds=0.25, coefficients=5)
    frames = audio.grid[0]
    values = np.random.default_rng(0).random((3, frames, 5, 1)).astype(np.float32)
    assert simple_statistics(values, audio).shape[1] % 5 == 0
    np.testing.assert_allclose(simple_statistics(values, audio)[:, :5], values[..., 0].mean(axis=1), rtol=1e-5)


def sample(number, value, split="train", label="a"):
    return Sample(f"{number}", label, split, f"g{number}", lambda: np.full((8, 2), value, np.float32))


def broken():
    raise ValueError("torn")


def test_values_are_scaled_by_training_samples_and_bad_ones_left_out(tmp_path):
    bad = Sample("bad", "a", "train", None, broken)
    data = [
        sample(0, 0.0),
        bad,
        sample(1, 4.0),
        sample(2, 2.0, "test"),
        sample(3, 9.0, "test"),
        sample(4, 1, None, None),
    ]
    for limit in (1 << 28, 0):
        made = raw_matrix(data, modality_class("sensor")(), folder=tmp_path, in_memory=limit)
        assert made.values.shape == (4, 8, 2)
        assert made.values[:, 0, 0].tolist() == sorted(made.values[:2, 0, 0]) + made.values[2:, 0, 0].tolist()
        assert made.values[2, 0, 0] == pytest.approx(made.values[:2, 0, 0].mean())
        assert (list(made.ids), made.failed, made.groups[3]) == (["0", "1", "2", "3"], 1, "g3")
        assert len(list(tmp_path.iterdir())) == (limit == 0)
        del made
    assert not list(tmp_path.iterdir())


def test_no_usable_sample_is_refused():
    with pytest.raises(DataError):
        raw_matrix([Sample("bad", "a", "train", None, broken)], modality_class("sensor")())


def test_an_lstm_learns_to_predict_and_does_not_depend_on_the_batch():
    values, labels = waves(40)
    settings = LstmSettings(4, 6, 40, 2e-2, 4)
    start = lstm_start(values, labels, settings)
    assert start.shape == (settings.k(2),)
    functas = lstm_functas(values, start, settings)
    assert functas.shape == (40, settings.k(2))
    alone = lstm_functas(values[35:36], start, settings)
    np.testing.assert_allclose(functas[35:36], alone, atol=1e-3)
    np.testing.assert_array_equal(lstm_functas(values.reshape(40, 4, 8, 2), start, settings), functas)
    with pytest.raises(ConfigError, match="samples have 4 points; expected more than the 4 that are given"):
        lstm_functas(values[:, :4], start, settings)


def test_baselines_load_tensorflow_only_when_a_network_is_built():
    code = "import fusion.baselines.models, sys; assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
