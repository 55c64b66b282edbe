"""Encoders turn samples into rows of a store: one frozen configuration and a state learned on training samples."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
