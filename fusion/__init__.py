"""Multimodal fusion on functas: the one import that scripts need.

Every sample of any modality becomes the weights of a small network fitted to it from one shared start - a functa, a
vector of fixed length - kept on disk under the sample's ID and classified with XGBoost.

Names are loaded when they are first used, so that ``import fusion`` itself takes milliseconds.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fusion.baselines.models import measure_baseline
    from fusion.baselines.prepared import raw_matrix
    from fusion.boosting import LocalTrainer
    from fusion.classifiers import FunctaClassifier
    from fusion.datasets.base import Dataset, Sample
    from fusion.datasets.catalogue import CATALOGUE, check_dataset, dataset_source
    from fusion.datasets.cifar10 import Cifar10
    from fusion.datasets.digits import SpokenDigits, WrittenDigits
    from fusion.datasets.esc50 import Esc10, Esc50
    from fusion.datasets.fetching import fetch_dataset
    from fusion.datasets.figure import FigureConfig, FigureDataset
    from fusion.datasets.file_table import FileTable
    from fusion.datasets.folder import FolderDataset
    from fusion.datasets.hmdb51 import Hmdb51
    from fusion.datasets.jhmdb import Jhmdb
    from fusion.datasets.open import open_dataset
    from fusion.datasets.sensor_table import SensorTable
    from fusion.datasets.uci_har import UciHar
    from fusion.datasets.utd_depth import UtdDepth
    from fusion.datasets.utd_mhad import UtdInertial, UtdSkeleton
    from fusion.distributed import dask_pool
    from fusion.distributed_training import dask_trainer
    from fusion.encoders.config import FunctaConfig
    from fusion.encoders.decode import decode
    from fusion.encoders.encode import encode
    from fusion.encoders.estimator import FunctaEncoder
    from fusion.encoders.local.config import LocalConfig
    from fusion.encoders.modulation import ModulationConfig
    from fusion.encoders.options import EncodeOptions, EncodeReport
    from fusion.encoders.plan import plan
    from fusion.encoders.presets import encoder_config
    from fusion.errors import ConfigError, DataError, FusionError, ModelError, SampleError
    from fusion.features import FunctaFeatures
    from fusion.inr.architecture import Architecture, flatten, unflatten
    from fusion.inr.engine import fit
    from fusion.inr.metrics import psnr
    from fusion.inr.settings import FitSettings
    from fusion.linking import LinkTable, link, read_link
    from fusion.modalities.audio import AudioModality
    from fusion.modalities.image import ImageModality
    from fusion.modalities.recording import Recording, read_recording
    from fusion.modalities.video import VideoModality
    from fusion.model import Model, load_model
    from fusion.predict import FilePrediction, predict_files
    from fusion.presets import PRESETS, training_preset
    from fusion.report import write_report
    from fusion.reproduction import Study, reproduce
    from fusion.results import TrainResult
    from fusion.training import evaluate, train
    from fusion.tuning import tune_classifier
    from store import FunctaStore, create_store, open_store

# OpenMP threads that wait by spinning take cores from others: on a busy machine training took four times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_HOME = {
    "fusion.baselines.models": ("measure_baseline",),
    "fusion.baselines.prepared": ("raw_matrix",),
    "fusion.boosting": ("LocalTrainer",),
    "fusion.classifiers": ("FunctaClassifier",),
    "fusion.datasets.base": ("Dataset", "Sample"),
    "fusion.datasets.catalogue": ("CATALOGUE", "check_dataset", "dataset_source"),
    "fusion.datasets.cifar10": ("Cifar10",),
    "fusion.datasets.digits": ("SpokenDigits", "WrittenDigits"),
    "fusion.datasets.esc50": ("Esc10", "Esc50"),
    "fusion.datasets.fetching": ("fetch_dataset",),
    "fusion.datasets.figure": ("FigureConfig", "FigureDataset"),
    "fusion.datasets.file_table": ("FileTable",),
    "fusion.datasets.folder": ("FolderDataset",),
    "fusion.datasets.hmdb51": ("Hmdb51",),
    "fusion.datasets.jhmdb": ("Jhmdb",),
    "fusion.datasets.open": ("open_dataset",),
    "fusion.datasets.sensor_table": ("SensorTable",),
    "fusion.datasets.uci_har": ("UciHar",),
    "fusion.datasets.utd_depth": ("UtdDepth",),
    "fusion.datasets.utd_mhad": ("UtdInertial", "UtdSkeleton"),
    "fusion.distributed": ("dask_pool",),
    "fusion.distributed_training": ("dask_trainer",),
    "fusion.encoders.config": ("FunctaConfig",),
    "fusion.encoders.decode": ("decode",),
    "fusion.encoders.encode": ("encode",),
    "fusion.encoders.estimator": ("FunctaEncoder",),
    "fusion.encoders.local.config": ("LocalConfig",),
    "fusion.encoders.modulation": ("ModulationConfig",),
    "fusion.encoders.options": ("EncodeOptions", "EncodeReport"),
    "fusion.encoders.plan": ("plan",),
    "fusion.encoders.presets": ("encoder_config",),
    "fusion.errors": ("ConfigError", "DataError", "FusionError", "ModelError", "SampleError"),
    "fusion.features": ("FunctaFeatures",),
    "fusion.inr.architecture": ("Architecture", "flatten", "unflatten"),
    "fusion.inr.engine": ("fit",),
    "fusion.inr.metrics": ("psnr",),
    "fusion.inr.settings": ("FitSettings",),
    "fusion.linking": ("LinkTable", "link", "read_link"),
    "fusion.modalities.audio": ("AudioModality",),
    "fusion.modalities.image": ("ImageModality",),
    "fusion.modalities.recording": ("Recording", "read_recording"),
    "fusion.modalities.video": ("VideoModality",),
    "fusion.model": ("Model", "load_model"),
    "fusion.predict": ("FilePrediction", "predict_files"),
    "fusion.presets": ("PRESETS", "training_preset"),
    "fusion.report": ("write_report",),
    "fusion.reproduction": ("Study", "reproduce"),
    "fusion.results": ("TrainResult",),
    "fusion.training": ("evaluate", "train"),
    "fusion.tuning": ("tune_classifier",),
    "store": ("FunctaStore", "create_store", "open_store"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "CATALOGUE",
    "PRESETS",
    "Architecture",
    "AudioModality",
    "Cifar10",
    "ConfigError",
    "DataError",
    "Dataset",
    "EncodeOptions",
    "EncodeReport",
    "Esc10",
    "Esc50",
    "FigureConfig",
    "FigureDataset",
    "FilePrediction",
    "FileTable",
    "FitSettings",
    "FolderDataset",
    "FunctaClassifier",
    "FunctaConfig",
    "FunctaEncoder",
    "FunctaFeatures",
    "FunctaStore",
    "FusionError",
    "Hmdb51",
    "ImageModality",
    "Jhmdb",
    "LinkTable",
    "LocalConfig",
    "LocalTrainer",
    "Model",
    "ModelError",
    "ModulationConfig",
    "Recording",
    "Sample",
    "SampleError",
    "SensorTable",
    "SpokenDigits",
    "Study",
    "TrainResult",
    "UciHar",
    "UtdDepth",
    "UtdInertial",
    "UtdSkeleton",
    "VideoModality",
    "WrittenDigits",
    "check_dataset",
    "create_store",
    "dask_pool",
    "dask_trainer",
    "dataset_source",
    "decode",
    "encode",
    "encoder_config",
    "evaluate",
    "fetch_dataset",
    "fit",
    "flatten",
    "link",
    "load_model",
    "measure_baseline",
    "open_dataset",
    "open_store",
    "plan",
    "predict_files",
    "psnr",
    "raw_matrix",
    "read_link",
    "read_recording",
    "reproduce",
    "train",
    "training_preset",
    "tune_classifier",
    "unflatten",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'fusion' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
