"""`functa datasets list`, `fetch`, `check`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.groups import CommandList
from cli.output import INTEGRITY, JsonFlag, print_facts, print_json, print_table, progress_bar
from cli.reader_help import print_reader

if TYPE_CHECKING:
    from fusion.datasets.catalogue import CheckReport

app = typer.Typer(cls=CommandList, no_args_is_help=True)


@app.command("list")
def list_datasets(*, json: JsonFlag = False) -> None:
    """List the public data sets that can be fetched. With size, licence and citation."""
    import fusion

    if json:
        print_json({"datasets": [source.to_dict() for source in fusion.datasets.CATALOGUE]})
        return
    print_facts("Public data sets", {source.name: source.in_words() for source in fusion.datasets.CATALOGUE})


@app.command()
def readers(
    name: Annotated[str | None, typer.Argument(help="Layout; all of them when not given.")] = None,
    *,
    modality: Annotated[str | None, typer.Option(help="Where the layout has several.")] = None,
    json: JsonFlag = False,
) -> None:
    """List the layouts that are read and their readers' options. `functa encode --reader` takes them."""
    from fusion.datasets import dataset_names, reader_options

    layouts = [name] if name else dataset_names()
    if json:
        found = {layout: [option.to_dict() for option in reader_options(layout, modality)] for layout in layouts}
        print_json({"readers": found})
        return
    for layout in layouts:
        print_reader(layout, modality)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="Data set, as `functa datasets list` names it.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the downloads and the unpacked data set.")] = Path("data"),
    json: JsonFlag = False,
) -> None:
    """Download a data set from its publisher, check it and unpack it. Its licence is printed first."""
    import fusion

    source = fusion.datasets.dataset_source(name)
    sys.stderr.write(f"{source.title}\nLicence: {source.licence}\nPlease cite: {source.citation}\n")
    with progress_bar() as bar:
        report = fusion.datasets.fetch_dataset(source, out, progress=bar)
    if json:
        print_json(report.to_dict())
        return
    facts = {
        "unpacked in": report.folder if report.check is not None else "",
        "downloaded now": ", ".join(report.downloaded),
        "there already": ", ".join(report.present),
        "without a published checksum": ", ".join(report.unconfirmed),
        "to unpack by hand": ", ".join(report.by_hand),
        "note": source.note,
    }
    print_facts(f"Fetched {name}", {label: value for label, value in facts.items() if value})
    if report.check is not None:
        _print_check(report.check)


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Unpacked folder of a data set.")],
    *,
    dataset: Annotated[str | None, typer.Option(help="Which data set; told from the files when not given.")] = None,
    json: JsonFlag = False,
) -> None:
    """Compare a folder with what a complete copy of its data set holds."""
    import fusion

    report = fusion.datasets.check_dataset(folder, dataset)
    if json:
        print_json(report.to_dict())
    else:
        _print_check(report)
    if not report.complete:
        raise typer.Exit(INTEGRITY)


def _print_check(report: CheckReport) -> None:
    title = f"{report.folder} holds {report.name}{'' if report.complete else ', in part'}"
    rows = [(part.what, part.expected, part.found) for part in report.parts]
    print_table(title, ("files", "expected", "found"), rows)
