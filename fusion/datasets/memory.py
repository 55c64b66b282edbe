"""Arrays in memory as a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from fusion.datasets.base import Sample
from fusion.datasets.by_place import cells_of, samples_by_place
from fusion.datasets.files import SplitCount, check_test_share, failing_loader
from fusion.datasets.targets import target_of
from fusion.errors import DataError, SampleError
from fusion.modalities import Modality, Recording, modality_from_dict
from fusion.modalities.cells import without_mask
from fusion.modalities.recording import mono
from fusion.names import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray


class ArrayDataset:
    """Samples that are in memory already.

    Parameters
    ----------
    arrays : sequence
        A raw sample each, such as a window of shape (readings, channels), an image, a `Recording` or a mapping
        ``{"array": ..., "sampling_rate": ...}``, a picture of Pillow's, or a mapping of column names to cells. This and
        all that stands beside it is taken by position, also from columns of pandas, whatever their index.
    labels, groups, splits : sequence of str or None, optional
        Class, what must not stand on both sides of a split, and split of each.
    targets : sequence of float or None, optional
        Number to predict of each; labels that are all numbers need none.
    ids : sequence of str, optional
        Names; without them samples are called after the modality and their number, and can be joined to others by
        group or table only.
    modality : str or Modality
        What the samples are.
    test_share : float
        Without splits, this share of the groups, or of the samples that have none, is for testing; which ones says a
        seeded hash of their names.
    seed : int
        Of that hash.

    Raises
    ------
    DataError
        When there is not one label, group, split, ID and target for each array, or a target is no number.
    """

    name = "arrays"

    def __init__(
        self,
        arrays: Sequence[Any],
        *,
        labels: Sequence[Any] | None = None,
        targets: Sequence[Any] | None = None,
        ids: Sequence[Any] | None = None,
        groups: Sequence[Any] | None = None,
        splits: Sequence[Any] | None = None,
        modality: str | Modality = "sensor",
        test_share: float = 0.2,
        seed: int = 42,
    ) -> None:
        self._arrays = samples_by_place(arrays)
        self._modality = modality if isinstance(modality, Modality) else modality_from_dict({"name": modality})
        self.modality = self._modality.name
        given = {"labels": labels, "ids": ids, "groups": groups, "splits": splits, "targets": targets}
        columns = {name: None if cells is None else cells_of(cells, name) for name, cells in given.items()}
        for name, column in columns.items():
            if column is not None and len(column) != len(arrays):
                raise DataError(f"{len(column)} {name} for {len(arrays)} arrays; expected as many of both")
        numbers = columns.pop("targets")
        names = {name: None if column is None else _names(column, name) for name, column in columns.items()}
        self._ids = names["ids"] or [f"{self.modality}:{number}" for number in range(1, len(arrays) + 1)]
        self._labels, self._groups, self._splits = names["labels"], names["groups"], names["splits"]
        pairs = None if numbers is None else zip(numbers, self._ids, strict=True)
        self._targets = None if pairs is None else [target_of(cell, name) for cell, name in pairs]
        nameless = next((number for number, name in enumerate(self._ids) if name is None), None)
        if nameless is not None:
            raise DataError(f"array {nameless} has no ID; expected one for each")
        self._count = SplitCount("samples" if groups is None else "groups", check_test_share(test_share), seed)

    def default_modality(self) -> Modality:
        """Give what was asked for."""
        return self._modality

    @property
    def notes(self) -> tuple[str, ...]:
        """How the samples were split, where they came without."""
        return (*self._count.notes, *(() if self._splits is not None else (self._count.note("splits"),)))

    def __iter__(self) -> Iterator[Sample]:
        counted = self._count.afresh()
        for place, sample_id in enumerate(self._ids):
            label = None if self._labels is None else self._labels[place]
            group = None if self._groups is None else counted.grouped(self._groups[place])
            split = (
                counted.split(group or str(sample_id)) if self._splits is None else counted.named(self._splits[place])
            )
            target = None if self._targets is None else self._targets[place]
            yield Sample(str(sample_id), label, split, group, self._load(place), target)
        self._count = counted

    def _load(self, place: int) -> Callable[[], Any]:
        return Held(self._arrays.__getitem__, place)


@dataclass(frozen=True, eq=False)
class Held:
    """Reads a sample that is held in memory; what is sent to another process is that sample alone.

    Parameters
    ----------
    take : callable
        Gives the sample at a place.
    place : int
    """

    take: Callable[[int], Any]
    place: int

    def __call__(self) -> Any:
        """Give the raw sample."""
        return raw_of(self.take(self.place))

    def __reduce__(self) -> tuple[Any, ...]:
        try:
            raw = self()
        except Exception as error:  # noqa: BLE001 - it becomes a failed row, under its ID
            reason = error.reason if isinstance(error, SampleError) else f"{type(error).__name__}: {error}"
            return failing_loader, (reason,)
        return partial, (_given, raw)


def raw_of(value: Any) -> Any:
    """Turn what libraries hold in memory into what modalities take: sounds with their rate, Pillow's pictures."""
    if isinstance(value, Mapping) and {"array", "sampling_rate"} <= set(value):
        return Recording(mono(_channels_last(without_mask(value["array"], "sound"))), float(value["sampling_rate"]))
    if hasattr(value, "convert") and hasattr(value, "getbands"):
        from fusion.modalities.image_files import picture_levels

        return picture_levels(value)
    return without_mask(value, "sample") if isinstance(value, list | tuple) else value


def _channels_last(sound: NDArray[Any]) -> NDArray[Any]:
    """Lay out several channels as (n, channels), where there are more samples than channels."""
    return sound.T if sound.ndim == 2 and sound.shape[0] < sound.shape[1] else sound


def _names(column: Sequence[Any], name: str) -> list[str | None]:
    what = name.removesuffix("s")
    return [name_of(cell, f"{what} of array {place}") for place, cell in enumerate(column, 1)]


def _given(raw: Any) -> Any:
    return raw
