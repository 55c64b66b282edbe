"""From rows of stores to the matrix that an estimator reads: which items there are, and what is learned of columns."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
