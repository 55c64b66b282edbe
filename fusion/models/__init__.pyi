from .folder import load_model as load_model
from .folder import save_model as save_model
from .model import Model as Model
from .prediction import FilePrediction as FilePrediction
from .prediction import predict as predict
from .results import TrainResult as TrainResult
from .training import evaluate as evaluate
from .training import train as train
