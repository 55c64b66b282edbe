from .fused import FusedClassifier as FusedClassifier
from .linear import LinearSettings as LinearSettings
from .presets import TRAINING_PRESETS as TRAINING_PRESETS
from .presets import training_preset as training_preset
from .trainers import LocalTrainer as LocalTrainer
from .tuning import Tuning as Tuning
from .tuning import tune_classifier as tune_classifier
from .xgboost import FunctaClassifier as FunctaClassifier
