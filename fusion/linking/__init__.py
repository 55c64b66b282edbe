"""Joins stores into a link table: which samples belong to one item, by their IDs and never by their position."""

from fusion.linking.labels import label_maps, read_label_map
from fusion.linking.linker import link
from fusion.linking.table import LinkedStore, LinkSummary, LinkTable, read_link

__all__ = ["LinkSummary", "LinkTable", "LinkedStore", "label_maps", "link", "read_label_map", "read_link"]
