"""Measures this machine: the engine beside a Keras loop, training presets, collections that grow, the first seconds."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
