"""`functa demo`, `functa encode`, `functa decode`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import encode_options as options
from cli.encode_output import print_plan, print_report
from cli.output import (
    FAILED_SAMPLES,
    DeviceOption,
    JsonFlag,
    SeedOption,
    print_facts,
    print_json,
    print_table,
    progress_bar,
)
from cli.reader_help import print_reader


def demo(
    *,
    folder: Annotated[Path, typer.Option("--out", help="Folder for stores, model and report.")] = Path("functa-demo"),
    seed: SeedOption = 42,
    workers: options.Workers = None,
    json: JsonFlag = False,
) -> None:
    """Run the whole way on built-in data: encode, link, fuse, report. Two modalities, tested; no download."""
    from cli.modelling import print_training
    from fusion.demo import run_demo

    with progress_bar() as progress:
        result = run_demo(folder, seed=seed, workers=workers, progress=progress)
    if json:
        print_json(result.to_dict())
        return
    print_facts("Built-in data: a jointed figure moves; a sensor feels it, a camera sees it", result.story())
    print_training(result.training)
    views = list(result.encodings)
    rows = [(label, *(f"{found[name]:.0%}" for name in (*views, "fused"))) for label, found in result.by_class()]
    print_table("Who recognises what: part of each class that is found", ("class", *views, "fused"), rows)


def encode(
    source: options.Source,
    *,
    store: options.Store,
    modality: options.ModalityName,
    dataset: options.Layout = None,
    reader: options.Reader = None,
    split: options.Split = None,
    limit: options.Limit = None,
    shard: options.Shard = None,
    transform: options.Transform = None,
    size: options.Size = None,
    frames: options.Frames = None,
    rate: options.Rate = None,
    seconds: options.Seconds = None,
    encoder: options.Kind = None,
    config: options.ConfigFile = None,
    augment: options.Augment = None,
    architecture: options.ArchitectureName = None,
    omegas: options.Omegas = None,
    initialisation: options.Start = None,
    initialiser: options.Initialiser = None,
    train_split: options.TrainSplit = None,
    like: options.Like = None,
    seed: options.Seed = None,
    steps: options.Steps = None,
    learning_rate: options.LearningRate = None,
    schedule: options.Schedule = None,
    psnr_target: options.Target = None,
    workers: options.Workers = None,
    device: DeviceOption = "auto",
    scheduler: options.Scheduler = None,
    on_change: options.OnChange = "error",
    block_rows: options.BlockRows = None,
    part_rows: options.PartRows = None,
    retry_failed: options.RetryFailed = False,
    prune: options.Prune = False,
    dry_run: options.DryRun = False,
    json: JsonFlag = False,
) -> None:
    """Fit all samples of a data set into a store, or go on. Defaults in brackets."""
    asked = locals()
    import fusion

    if reader and "help" in reader:
        print_reader(dataset or fusion.datasets.layout_of(source, modality), modality)
        return
    fusion.inr.use_device(device)
    how = options.how_to_encode(asked)
    with fusion.open_dataset(dataset, source, modality=modality, options=options.reader_options(reader)) as opened:
        settings = options.settings_of(asked, opened)
        if dry_run:
            _require_store(like)
            gone = {"pruned": _gone(opened, store)} if prune else {}
            print_plan(fusion.encoders.plan(opened, settings, how, source=source).to_dict() | gone, json=json)
            return
        pool = None if scheduler is None else fusion.cluster.dask_pool(scheduler)
        with progress_bar() as progress:
            report = fusion.encode(opened, store, settings, how, like=like, pool=pool, progress=progress)
    print_report(report, json=json)
    if report.failed or report.spared:
        raise typer.Exit(FAILED_SAMPLES)


def decode(
    store: Annotated[Path, typer.Argument(help="Store of functas.")],
    sample_id: Annotated[str, typer.Argument(metavar="ID", help="ID of the sample.")],
    *,
    out: Annotated[
        Path, typer.Option(help="File to write; its suffix says the format, such as .png, .wav, .csv or .npy.")
    ],
    scale: Annotated[
        float, typer.Option(min=0.01, max=64.0, help="Resolution, as a multiple of the original's.")
    ] = 1.0,
    compare: Annotated[Path | None, typer.Option(help="PNG of original beside reconstruction; needs --source.")] = None,
    source: Annotated[Path | None, typer.Option(help="The data set that the store was made from.")] = None,
    device: DeviceOption = "auto",
    json: JsonFlag = False,
) -> None:
    """Turn a functa back into data, at any resolution."""
    import fusion

    fusion.inr.use_device(device)
    result = fusion.decode(store, sample_id, out, scale=scale, compare=compare, source=source)
    if json:
        print_json(result)
        return
    notes, channels = result.pop("notes", ()), result.pop("psnr_channels", {})
    print_facts(f"Decoded {sample_id}", result)
    if channels:
        rows = [(name, "constant" if value is None else f"{value:.1f}") for name, value in channels.items()]
        print_table("PSNR of each channel against its own range in the sample", ("channel", "dB"), rows)
    for note in notes:
        typer.echo(f"note: {note}", err=True)


def _require_store(path: Path | None) -> None:
    import fusion

    if path is not None:
        fusion.open_store(path).close()


def _gone(dataset: Any, path: str) -> list[str]:
    import fusion
    from store.collection.collection import exists

    if not exists(path):
        return []
    with fusion.open_store(path) as store:
        return fusion.encoders.gone_ids(dataset, store)
