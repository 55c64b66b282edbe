"""Measures this machine: the fitting engine beside a Keras loop, and the training presets beside each other."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
