"""What learns from a matrix of features: trees, linear boosters, and what fuses several modalities."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
