"""The work behind a table: stores, models and results in one folder, so that what is done is not done again."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusion.datasets.open import open_dataset
from fusion.encoders.encoding import encode
from fusion.encoders.options import EncodeOptions
from fusion.encoders.presets import encoder_config
from fusion.errors import DataError
from fusion.models.plots import plot_figures
from fusion.models.training import train
from fusion.reproduction.places import find_data
from fusion.reproduction.table import Result
from store.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fusion.datasets.base import Dataset
    from fusion.encoders.encoder import EncoderConfig
    from fusion.models.results import TrainResult

LOCAL_NOTE = "beyond the paper, with the linear booster, see local-functas.md"
RAW = "the same on raw windows"
"""What a row is called whose windows are not fitted, all else as in the row above it."""
OF_RAW: Mapping[str, Any] = {
    "preset": "linear",
    "control": True,
    "note": "the control of local functas: windows are whitened as they are, so the difference is what networks add",
}
"""How such a row is measured, and what is said of it."""


@dataclass(frozen=True)
class Encoding:
    """How one data set becomes one store.

    Parameters
    ----------
    data : str
        Name of the data, as `find_data` knows it.
    layout, modality : str
        As `open_dataset` takes them.
    options, fit, reader : mapping
        Of the encoder's configuration, of its fit, and of the reader.
    train_splits : tuple of str
        Splits that the start and the scaling are learned from.
    """

    data: str
    layout: str
    modality: str
    options: Mapping[str, Any] = field(default_factory=dict)
    fit: Mapping[str, Any] = field(default_factory=dict)
    reader: Mapping[str, Any] = field(default_factory=dict)
    train_splits: tuple[str, ...] = ("train",)

    def changed(self, *, fit: Mapping[str, Any] | None = None, **options: Any) -> Encoding:
        """Give the same with other options."""
        return replace(self, options={**self.options, **options}, fit={**self.fit, **(fit or {})})


@dataclass(frozen=True)
class Study:
    """One folder of stores, models and results.

    Parameters
    ----------
    data : Path
        Folder of the public data.
    folder : Path
        Where everything is kept; the same study again goes on from there.
    limit : int or None
        At most so many samples of each data set.
    workers : int or None
        Processes that encode; None is one per core.
    seed : int
    progress : callable or None
        Called with what is done now, how far it is, and how much there is.
    """

    data: Path
    folder: Path
    limit: int | None = None
    workers: int | None = None
    seed: int = 42
    progress: Callable[[str, int, int], None] | None = None
    _compared: set[tuple[str, ...]] = field(default_factory=set, init=False, repr=False, compare=False)

    @contextmanager
    def dataset(self, encoding: Encoding) -> Iterator[Dataset]:
        """Open the data set of an encoding."""
        source = find_data(encoding.data, self.data, self.folder / "data")
        with open_dataset(
            encoding.layout, source, modality=encoding.modality, options=dict(encoding.reader)
        ) as dataset:
            yield dataset

    def described(self, encoding: Encoding) -> dict[str, Any]:
        """Say all that makes a store what it is: the encoding, and the configuration that presets complete it to.

        Raises
        ------
        DataError
            The samples are not those that the study's folder holds results of.
        """
        with self.dataset(encoding) as dataset:
            self._require_same(encoding, dataset)
            return {**asdict(encoding), "config": self.config(dataset, encoding).to_dict()}

    def _require_same(self, encoding: Encoding, dataset: Dataset) -> None:
        """Refuse other samples than those of earlier runs, whose stores and results would be taken for theirs."""
        key = (encoding.layout, encoding.modality, self._digest(encoding.reader))
        if key in self._compared:
            return
        names = sorted(f"{sample.id}\0{sample.split}\0{sample.label}" for sample in dataset)
        found = {"samples": len(names), "digest": hashlib.blake2b("\n".join(names).encode()).hexdigest()}
        before = self.kept("samples", f"{encoding.layout}-{encoding.modality}", encoding.reader, lambda: found)
        if before != found:
            raise DataError(
                f"{self.folder} holds results of {before['samples']:,} samples of {encoding.layout}, but {self.data} "
                f"has {found['samples']:,}, or others; expected the same data. Name another folder with --out."
            )
        self._compared.add(key)

    def store(self, name: str, encoding: Encoding) -> tuple[Path, float]:
        """Fill a store, or go on filling it; give its path and the seconds that all runs took together."""
        path = self.place("stores", f"{name}-{self._digest(self.described(encoding))}.zarr")
        clock = path.with_suffix(".seconds.json")
        before = json.loads(clock.read_text()) if clock.exists() else {"seconds": 0.0, "finished": False}
        if before["finished"]:
            return path, before["seconds"]
        begin, finished = time.perf_counter(), False
        try:
            with self.dataset(encoding) as dataset:
                options = EncodeOptions(workers=self.workers, limit=self.limit, train_splits=encoding.train_splits)
                told = partial(self._tell_stage, name)
                encode(dataset, path, self.config(dataset, encoding), options, progress=told)
            finished = True
        finally:
            seconds = before["seconds"] + time.perf_counter() - begin
            clock.write_text(json.dumps({"seconds": seconds, "finished": finished}))
        return path, seconds

    def config(self, dataset: Dataset, encoding: Encoding) -> EncoderConfig:
        """Give the configuration that an encoding asks for, presets and the study's seed included."""
        return encoder_config(dataset, options={"seed": self.seed, **encoding.options}, fit=encoding.fit)

    def model(self, name: str, source: Path, **how: Any) -> TrainResult:
        """Train on a store or a link table, as the paper unless told otherwise; keep the model, and its picture."""
        told, folder = partial(self._tell_stage, name), self.place("models", name)
        result = train(source, folder, progress=told, **{"preset": "paper", **how})
        plot_figures(result.evaluation, result.predictions, folder)
        return result

    def _tell_stage(self, name: str, stage: str, done: int, most: int) -> None:
        self.tell(f"{name}: {stage}", done, most)

    def once(self, name: str, settings: Mapping[str, Any], make: Callable[[], Result], **told: Any) -> Result:
        """Give a result that is kept under its settings, or make it; `told` are its fields that measure nothing."""
        values = self.kept("results", name, settings, lambda: make().to_dict())
        return replace(Result.from_dict(values), **told)

    def kept(self, kind: str, name: str, settings: Mapping[str, Any], make: Callable[[], Any]) -> Any:
        """Give JSON values that are kept under their settings in the folder of their kind, or make them."""
        path = self.place(kind, f"{name}-{self._digest(settings)}.json")
        if path.exists():
            return json.loads(path.read_text(encoding="utf-8"))
        self.tell(name, 0, 1)
        text = json.dumps(make(), indent=1, ensure_ascii=False)
        write_whole(path, text)
        return json.loads(text)

    def place(self, kind: str, name: str) -> Path:
        """Give the path of a file or folder of some kind, inside a folder that exists."""
        path = self.folder / kind / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def confusion(self, models: Mapping[str, str]) -> dict[str, str]:
        """Put the confusion matrices of models, by title, beside the study's other pictures; give these by caption."""
        pictures = {f"Confusion of {title}": f"{name}-confusion.png" for title, name in models.items()}
        for name, picture in zip(models.values(), pictures.values(), strict=True):
            shutil.copyfile(self.folder / "models" / name / "confusion.png", self.place("pictures", picture))
        return pictures

    def command(self, table: str) -> str:
        """Give the command that makes a table as this study does."""
        options = [f" --limit {self.limit}"] if self.limit is not None else []
        options += [f" --seed {self.seed}"] if self.seed != Study.seed else []
        return f"functa reproduce {table} --data DIR{''.join(options)}"

    def tell(self, what: str, done: int, most: int) -> None:
        """Report progress."""
        if self.progress is not None:
            self.progress(what, done, most)

    def _digest(self, settings: Mapping[str, Any]) -> str:
        text = json.dumps([dict(settings), self.limit, self.seed], sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def functa_result(
    study: Study,
    model: str,
    encoding: Encoding,
    *,
    name: str,
    paper: float | None = None,
    paper_psnr: float | None = None,
    note: str = "",
    control: bool = False,
    **how: Any,
) -> Result:
    """Encode and train: one row of a table.

    Parameters
    ----------
    study : Study
    model : str
        What the row is called.
    encoding : Encoding
    name : str
        Of store and model in the study's folder.
    paper, paper_psnr : float, optional
        What the paper claims.
    note : str
    control : bool
        As in `Result`.
    **how
        Of `fusion.train`, such as ``preset``, ``cv`` or ``features``.
    """
    told: dict[str, Any] = {
        "model": model,
        "paper": paper,
        "paper_psnr": paper_psnr,
        "note": note,
        "control": control,
    }

    def make() -> Result:
        store, seconds = study.store(name, encoding)
        trained = study.model(name, store, **how)
        extra: dict[str, Any] = {"folds": list(trained.folds), "columns": trained.columns}
        if trained.shared_groups is not None:
            extra["shared_groups"] = trained.shared_groups.to_dict()
        return trained_result(trained, {store.name: seconds}, extra, psnr=mean_psnr(store), **told)

    result = study.once(name, {"encoding": study.described(encoding), "how": how}, make, **told)
    columns = (result.extra or {}).get("columns")
    if columns is None or how.get("preset") != "linear":
        return result
    return result.noted(f"{columns:,} columns, each with a weight for each class")


def trained_result(
    trained: TrainResult,
    stores: Mapping[str, float],
    extra: Mapping[str, Any],
    *,
    psnr: float | None = None,
    **told: Any,
) -> Result:
    """Put what training on stores, with the seconds of each, reached into a row; `told` are fields it does not know."""
    return Result(
        measured=trained.accuracy,
        interval=trained.accuracy_interval,
        psnr=psnr,
        seconds=sum(stores.values()) + trained.seconds,
        rows_train=trained.rows_train,
        rows_test=trained.rows_test,
        stores=stores,
        extra={"macro_f1": trained.macro_f1, **extra},
        **told,
    )


def mean_psnr(store: Path) -> float:
    """Mean PSNR in dB over the usable rows of a store."""
    from store import open_store

    with open_store(store) as opened:
        return float(opened.info()["psnr_mean"])
