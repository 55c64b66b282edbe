"""Data sets: files to samples. Public layouts, class folders, tables, and built-in data; each yields samples lazily.

Other distributions add theirs by the entry point group ``functa.datasets``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
