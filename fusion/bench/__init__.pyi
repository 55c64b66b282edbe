from .doctor import Finding as Finding
from .doctor import examine as examine
from .fit import bench_fit as bench_fit
from .train import bench_train as bench_train
