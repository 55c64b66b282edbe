"""Joins stores into a link table: which samples belong to one item, by their IDs and never by their position."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
