"""Modalities: each turns a raw sample into values in [0, 1] on a grid, and back.

Each is loaded when it is first used, so that a sensor user never imports what reads videos. Other distributions add
theirs by the entry point group ``functa.modalities``: a name, and a subclass of `Modality` that has that name.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
