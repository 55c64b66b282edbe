from .doctor import Finding as Finding
from .doctor import examine as examine
from .fit import bench_fit as bench_fit
from .scale import bench_scale as bench_scale
from .start import START_BARS as START_BARS
from .start import bench_start as bench_start
from .train import bench_train as bench_train
