"""`functa demo`, `functa encode`, `functa decode`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import FAILED_SAMPLES, DeviceOption, JsonFlag, print_facts, print_json, print_table, progress_bar
from cli.reader_help import print_reader

if TYPE_CHECKING:
    from fusion.encoders.options import EncodeReport

WorkersOption = Annotated[int | None, typer.Option(min=1, help="Worker processes; one per core when not given.")]


def demo(
    *,
    folder: Annotated[Path, typer.Option("--out", help="Folder for stores, model and report.")] = Path("functa-demo"),
    seed: Annotated[int, typer.Option(help="Seed of the built-in data and of everything learned.")] = 42,
    workers: WorkersOption = None,
    json: JsonFlag = False,
) -> None:
    """Run the whole way on built-in data: generate, encode two modalities, link, fuse, test, report. No download."""
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
    source: Annotated[Path, typer.Argument(help="Folder, file or archive of the data set.")],
    *,
    store: Annotated[Path, typer.Option(help="Store to write, .zarr or .h5; an existing one is continued.")],
    modality: Annotated[
        str, typer.Option(help="Modality of the data, such as image, audio, video, sensor or columns.")
    ],
    dataset: Annotated[
        str | None, typer.Option(help="Layout of the source, such as uci-har; class folders or a table when not given.")
    ] = None,
    reader: Annotated[
        list[str] | None,
        typer.Option(help="Option of the layout's reader, such as window=2.5; may be given again; help lists them."),
    ] = None,
    transform: Annotated[str | None, typer.Option(help="Audio: mfcc or log-mel. Video: grey or flow.")] = None,
    size: Annotated[str | None, typer.Option(help="Image, video: height x width to resize to, such as 32x32.")] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="Video: frames to resample to.")] = None,
    rate: Annotated[float | None, typer.Option(help="Audio: samples per second to resample to.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Audio: length to pad or trim to.")] = None,
    encoder: Annotated[str | None, typer.Option(help="Kind of encoder: functa (default), modulation or local.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with encoder options.")] = None,
    architecture: Annotated[str | None, typer.Option(help="paper, siren, paper-half or siren-half.")] = None,
    omegas: Annotated[str | None, typer.Option(help="Frequency of each hidden layer, such as 30,1.")] = None,
    steps: Annotated[int | None, typer.Option(min=0, help="Gradient steps for each sample.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Adam's learning rate; of no effect where step sizes are learned.")
    ] = None,
    schedule: Annotated[str | None, typer.Option(help="Learning rate over the steps: constant or cosine.")] = None,
    psnr_target: Annotated[float | None, typer.Option(help="Stop a sample's fit at this many dB.")] = None,
    initialisation: Annotated[str | None, typer.Option(help="Shared start: class-average, random or meta.")] = None,
    initialiser: Annotated[str | None, typer.Option(help="Distribution of the random start: keras or siren.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the start.")] = None,
    split: Annotated[list[str] | None, typer.Option(help="Encode this split only; may be given again.")] = None,
    train_split: Annotated[list[str] | None, typer.Option(help="Split to learn the start from.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Encode this many samples, chosen by a seeded hash.")] = None,
    shard: Annotated[str | None, typer.Option(help="Encode one part of many, such as 3/16, for job arrays.")] = None,
    like: Annotated[Path | None, typer.Option(help="Take the start and scaling of this store.")] = None,
    workers: WorkersOption = None,
    device: DeviceOption = "auto",
    scheduler: Annotated[str | None, typer.Option(help="Work on the Dask cluster at this address.")] = None,
    on_change: Annotated[str, typer.Option(help="Stored ID, other data: error, reencode or keep.")] = "error",
    block_rows: Annotated[int | None, typer.Option(min=1, help="Rows of a commit in a new store.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try only the samples that failed.")] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Drop rows of samples that are gone from the source; --dry-run only shows them."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be encoded; write nothing.")] = False,
    json: JsonFlag = False,
) -> None:
    """Fit every sample of a data set and keep the functas in a store. The same command again resumes."""
    import fusion

    if reader and "help" in reader:
        print_reader(dataset or fusion.datasets.layout_of(source, modality), modality)
        return
    fusion.inr.use_device(device)
    fit = {"steps": steps, "learning_rate": learning_rate, "schedule": schedule, "psnr_target": psnr_target}
    options = {
        "kind": encoder,
        "architecture": architecture,
        "omegas": None if omegas is None else _numbers(omegas),
        "initialisation": initialisation,
        "initialiser": initialiser,
        "seed": seed,
        "modality": _given(
            {
                "transform": transform,
                "size": None if size is None else _size(size),
                "frames": frames,
                "rate": rate,
                "seconds": seconds,
            }
        ),
    }
    how = fusion.encoders.EncodeOptions(
        workers=workers,
        splits=tuple(split or ()),
        limit=limit,
        shard=None if shard is None else _shard(shard),
        train_splits=tuple(train_split or ("train",)),
        retry_failed=retry_failed,
        prune=prune,
        on_change=on_change,  # type: ignore[arg-type]
        block_rows=block_rows,
    )
    with fusion.open_dataset(dataset, source, modality=modality, options=_reader_options(reader)) as opened:
        settings = fusion.encoders.encoder_config(opened, config_file=config, options=_given(options), fit=_given(fit))
        if dry_run:
            gone_too = {"pruned": _gone(opened, store)} if prune else {}
            _print_plan(fusion.encoders.plan(opened, settings, how, source=source).to_dict() | gone_too, json=json)
            return
        with progress_bar() as progress:
            report = fusion.encode(
                opened,
                store,
                settings,
                how,
                like=like,
                pool=None if scheduler is None else fusion.cluster.dask_pool(scheduler),
                progress=progress,
            )
    _print_report(report, json=json)
    if report.failed:
        raise typer.Exit(FAILED_SAMPLES)


def decode(
    store: Annotated[Path, typer.Argument(help="Store of functas.")],
    sample_id: Annotated[str, typer.Argument(metavar="ID", help="ID of the sample.")],
    *,
    out: Annotated[Path, typer.Option(help="File to write; its suffix says the format: .png, .wav, .mp4 or .csv.")],
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
    else:
        print_facts(f"Decoded {sample_id}", result)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"--omegas {text}: expected numbers with commas between them, such as 30,1") from None


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.lower().partition("x")
    if not (height.isdecimal() and width.isdecimal()):
        raise typer.BadParameter(f"--size {text}: expected height x width in pixels, such as 32x32")
    return int(height), int(width)


def _reader_options(given: list[str] | None) -> dict[str, str]:
    options: dict[str, str] = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise typer.BadParameter(f"--reader {text}: expected an option and its value, such as window=2.5")
        options[key.replace("-", "_")] = value
    return options


def _shard(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal()):
        raise typer.BadParameter(f"--shard {text}: expected a number and a count, such as 3/16")
    return int(number), int(count)


def _gone(dataset: Any, path: Path) -> list[str]:
    import fusion
    from store import open_store

    if not path.exists():
        return []
    with open_store(path) as store:
        return fusion.encoders.gone_ids(dataset, store)


def _print_report(report: EncodeReport, *, json: bool) -> None:
    if json:
        print_json(report.to_dict())
        return
    facts = {
        "usable rows in the store": report.rows,
        "failed samples": report.failed,
        "fitted now": report.encoded,
        "stored already": report.skipped,
        "fitted on": report.fitted_on,
        "mean PSNR": "none" if report.psnr_mean is None else f"{report.psnr_mean:.2f} dB",
        "rate while fitting": f"{report.samples_per_second:,.0f} samples/s",
        "time of the whole command": f"{report.seconds:.1f} s",
    }
    print_facts(f"Encoded into {report.store}", facts)
    _print_reading(report.to_dict())
    if report.pruned:
        print_table("Dropped, as the source has them no more", ("ID",), [(name,) for name in report.pruned])
    if report.failures:
        print_table("Failed samples (the first ten)", ("ID", "reason"), report.failures)


def _print_plan(plan: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(plan)
        return
    facts = {
        "data set": plan["dataset"],
        "samples": plan["samples"],
        "groups": plan["groups"],
        "grid and channels": f"{' x '.join(map(str, plan['grid'])) or 'no grid'}, {_some(plan['channels'])}",
        "numbers in a functa": plan["k"],
        "source on disk": _size_in_words(plan["source_bytes"]),
        "store on disk, about": _size_in_words(plan["bytes"]),
        "time, about": _time_in_words(plan),
    }
    print_facts("Would encode", facts)
    _print_reading(plan)
    for name in ("splits", "classes"):
        print_table(name, (name, "samples"), list(plan[name].items()))
    if plan.get("pruned"):
        print_table("Would drop, as the source has them no more", ("ID",), [(name,) for name in plan["pruned"]])


def _print_reading(told: dict[str, Any]) -> None:
    """Show what the reader took for what, so that a wrong guess is seen."""
    from fusion.datasets import ReadingPlan

    if told["reading"] is not None:
        print_facts("How the table is read", ReadingPlan.from_dict(told["reading"]).lines())
    elif told["left_out"]:
        print_facts("Columns left out", told["left_out"])
    for note in told["notes"]:
        typer.echo(note)


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:9])
    return shown if len(names) <= 9 else f"{shown}, ... ({len(names)} channels)"


def _size_in_words(size: int | None) -> str:
    return "not known" if size is None else f"{size / 1e6:,.1f} MB"


def _time_in_words(plan: dict[str, Any]) -> str:
    if plan["seconds"] is None:
        return "not known before the encoder has learned"
    how = f"measured on {plan['measured']} samples, {plan['workers']} workers"
    return f"{plan['seconds']:,.0f} s ({how})" if plan["seconds"] < 120 else f"{plan['seconds'] / 60:,.0f} min ({how})"
