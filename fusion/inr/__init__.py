"""Implicit neural representations: architectures as data, starts, the batched fitting engine, PSNR.

Knows nothing of modalities or files.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
