"""Multimodal fusion on functas: the one import that scripts need.

Every sample of any modality becomes the weights of a small network fitted to it from one shared start - a functa, a
vector of fixed length - kept on disk under the sample's ID and classified with XGBoost.

What most scripts need stands here; the rest in one namespace for each step of the way of the data: `fusion.datasets`,
`fusion.modalities`, `fusion.inr`, `fusion.encoders`, `fusion.linking`, `fusion.features`, `fusion.estimators`,
`fusion.models`, `fusion.explaining`, `fusion.reporting`, and beside them `fusion.baselines`, `fusion.reproduction`,
`fusion.bench`, `fusion.cluster`. Names are loaded when they are first used, so that ``import fusion`` itself takes
milliseconds.
"""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fusion.comparing import compare
    from fusion.datasets import ArrayDataset, FrameDataset, Sample, open_dataset
    from fusion.encoders import FunctaEncoder, decode, encode
    from fusion.errors import (
        ConfigError,
        DataError,
        FusionError,
        IntegrityError,
        ModelError,
        NameTakenError,
        SampleError,
        StoreError,
        StoreMismatchError,
    )
    from fusion.estimators import FunctaClassifier
    from fusion.explaining import explain
    from fusion.features import FunctaFeatures
    from fusion.linking import link
    from fusion.models import evaluate, load_model, predict, train
    from fusion.reporting import report
    from store import open_store

# OpenMP threads that wait by spinning take cores from others: on a busy machine training took four times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_NAMES = {
    "fusion.comparing": "compare",
    "fusion.datasets": "ArrayDataset FrameDataset Sample open_dataset",
    "fusion.encoders": "FunctaEncoder decode encode",
    "fusion.errors": "ConfigError DataError FusionError IntegrityError ModelError NameTakenError SampleError "
    "StoreError StoreMismatchError",
    "fusion.estimators": "FunctaClassifier",
    "fusion.explaining": "explain",
    "fusion.features": "FunctaFeatures",
    "fusion.linking": "link",
    "fusion.models": "evaluate load_model predict train",
    "fusion.reporting": "report",
    "store": "open_store",
}
_MOVED = {
    "fusion.baselines": "measure_baseline raw_matrix",
    "fusion.cluster": "dask_pool dask_trainer",
    "fusion.datasets": "CATALOGUE Cifar10 Dataset Esc10 Esc50 FigureConfig FigureDataset FileTable FolderDataset "
    "Hmdb51 Jhmdb SensorTable SpokenDigits UciHar UtdDepth UtdInertial UtdSkeleton WrittenDigits check_dataset "
    "dataset_source fetch_dataset",
    "fusion.encoders": "EncodeOptions EncodeReport FunctaConfig LocalConfig ModulationConfig encoder_config plan",
    "fusion.estimators": "LocalTrainer tune_classifier",
    "fusion.inr": "Architecture FitSettings fit flatten psnr unflatten",
    "fusion.linking": "LinkTable read_link",
    "fusion.modalities": "AudioModality ImageModality Recording VideoModality read_recording",
    "fusion.models": "FilePrediction Model TrainResult",
    "fusion.reproduction": "Study reproduce",
    "store": "FunctaStore create_store",
}
_RENAMED = {
    "PRESETS": "fusion.estimators.TRAINING_PRESETS",
    "predict_files": "fusion.predict",
    "training_preset": "fusion.estimators.training_settings",
    "write_report": "fusion.report",
}
_ROOMS = {
    *("baselines", "bench", "cluster", "comparing", "datasets", "demo", "encoders", "errors"),
    *("estimators", "features", "inr", "linking", "metrics", "modalities", "models", "plugins"),
    *("progress", "reporting", "reproduction", "settings", "splits"),
}


def _places(names: dict[str, str]) -> dict[str, str]:
    return {name: f"{module}.{name}" for module, listed in names.items() for name in listed.split()}


_PLACES = _places(_NAMES)
_OLD_PLACES = _places(_MOVED) | _RENAMED

__all__ = [
    "ArrayDataset",
    "ConfigError",
    "DataError",
    "FrameDataset",
    "FunctaClassifier",
    "FunctaEncoder",
    "FunctaFeatures",
    "FusionError",
    "IntegrityError",
    "ModelError",
    "NameTakenError",
    "Sample",
    "SampleError",
    "StoreError",
    "StoreMismatchError",
    "compare",
    "decode",
    "encode",
    "evaluate",
    "explain",
    "link",
    "load_model",
    "open_dataset",
    "open_store",
    "predict",
    "report",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"fusion.{name}")
    place = _PLACES.get(name) or _OLD_PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'fusion' has no attribute {name!r}")
    import_module("fusion.errors")  # which makes sure that `store` is ours
    module, _, attribute = place.rpartition(".")
    value = __getattr__(attribute) if module == "fusion" else getattr(import_module(module), attribute)
    if name in _OLD_PLACES:
        warnings.warn(f"fusion.{name} is now {place}; the old name goes in 0.3", DeprecationWarning, stacklevel=2)
    else:
        globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
