"""What functas are compared with: conventional models on raw values, plain controls, and the paper's Keras loop."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
