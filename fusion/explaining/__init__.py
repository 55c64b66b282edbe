"""What a model looked at: columns, layers, or places of a signal, and whether taking them away shows."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
