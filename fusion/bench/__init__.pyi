from .fit import bench_fit as bench_fit
from .train import bench_train as bench_train
