"""Work on a Dask cluster: encoding by its workers, and trees grown where the rows are."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
