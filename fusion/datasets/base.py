"""What every reader yields: a sample with an ID, known before its data are read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from fusion.datasets.targets import target_of
from fusion.errors import DataError
from fusion.names import name_of

MAX_ID_BYTES = 512


def check_id(sample_id: str) -> str:
    """Return `sample_id` if a store can hold it.

    Raises
    ------
    DataError
        If it is empty, is longer than 512 bytes of UTF-8, holds NUL or cannot be written as UTF-8.
    """
    try:
        size = len(sample_id.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise DataError(f"sample ID {sample_id!r} is not valid Unicode ({error.reason}). Rename the sample.") from error
    if not 1 <= size <= MAX_ID_BYTES:
        shown = f"{sample_id[:40]!r}{'...' if len(sample_id) > 40 else ''}"
        expected = f"expected 1 to {MAX_ID_BYTES}"
        raise DataError(f"sample ID {shown} has {size} bytes of UTF-8, {expected}. Rename the sample.")
    if "\0" in sample_id:
        raise DataError(f"sample ID {sample_id!r} holds a NUL character, which no store can keep. Rename the sample.")
    return sample_id


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of a data set; its data are read only when asked for.

    What stands for a name is taken as `fusion.ArrayDataset` takes it: a number as its text, bytes as UTF-8, and NaN,
    NaT or an empty text as None.

    Parameters
    ----------
    id : str
        Unique in its data set, 1 to 512 bytes of UTF-8, no NUL. The same event seen by two modalities has the same ID.
    label : str or None
        Class name; None when it is not known.
    split : str or None
        "train", "test", "val" or a fold such as "fold-1".
    group : str or None
        What must not stand on both sides of a split: a subject, a source film, a source recording.
    load : callable
        Reads the raw data, of the kind that their modality's `prepare` takes, without arguments.
        Comparison and printing leave it out.
    target : float or None
        Number to predict, besides the class or in its place; None when there is none.

    Raises
    ------
    DataError
        If `id` is not one that a store can hold, a name holds several values, `target` is no finite number, or `load`
        cannot be called.
    """

    id: str
    label: str | None
    split: str | None
    group: str | None
    load: Callable[[], Any] = field(compare=False, repr=False)
    target: float | None = None

    def __post_init__(self) -> None:
        for what in ("id", "label", "split", "group"):
            given: Any = getattr(self, what)
            if type(given) is str and (given or what == "id"):
                continue
            named = name_of(given, what if what == "id" else f"{what} of sample {self.id!r}")
            if named is None and what == "id":
                raise DataError("a sample has no ID; expected text of its own for each")
            if named is not given:
                object.__setattr__(self, what, named)
        check_id(self.id)
        load: Any = self.load
        if not callable(load):
            got = type(load).__name__
            raise DataError(f"load of sample {self.id!r} is of type {got}; expected a function that reads its data")
        target = target_of(self.target, self.id)
        if target is not self.target:
            object.__setattr__(self, "target", target)

    @property
    def raw(self) -> Any:
        """The data as the source has them, read anew at each access."""
        return self.load()


@runtime_checkable
class Dataset(Protocol):
    """A named source of samples of one modality, read lazily and as often as asked."""

    @property
    def name(self) -> str:
        """Name of the data set, e.g. "uci-har"."""
        ...

    @property
    def modality(self) -> str:
        """Name of the modality that the raw data belong to, e.g. "sensor"."""
        ...

    def __iter__(self) -> Iterator[Sample]:
        """Start again at the first sample."""
        ...


def samples_in(dataset: Dataset) -> Iterator[Sample]:
    """Give the samples of a data set of one's own; DataError where it yields something else."""
    sample: Any
    for number, sample in enumerate(dataset, 1):
        if not isinstance(sample, Sample):
            got = type(sample).__name__
            raise DataError(f"{dataset.name}: sample {number} is of type {got}; expected a fusion.datasets.Sample")
        yield sample
