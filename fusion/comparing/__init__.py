"""What works best on given data: encoders, presets and fusions under one cross-validation of the training groups."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
