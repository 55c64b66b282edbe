from .pool import dask_pool as dask_pool
from .training import dask_trainer as dask_trainer
