"""`functa report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.output import JsonFlag, print_json, say


def report(
    model: Annotated[Path, typer.Argument(help="Model folder, or the folder of a comparison.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Page to write; report.html in the folder if not given.")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="Data set behind the stores, for pictures beside the originals; name=PATH for one modality of several."
        ),
    ] = None,
    store: Annotated[
        list[str] | None, typer.Option(help="Where the store of a modality was moved to, as name=PATH; repeatable.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Write the report of a model or comparison as one HTML page. It needs no network."""
    import fusion

    notes: list[str] = []
    sources = dict(named_source(text) for text in source or ())
    page = fusion.report(
        model, out, sources=sources, stores=dict(moved_store(text) for text in store or ()), said=notes.append
    )
    for note in notes:
        say(note)
    if json:
        print_json({"report": str(page), "bytes": page.stat().st_size, "notes": notes})
    else:
        typer.echo(f"{page} ({page.stat().st_size / 1e6:.1f} MB)")


def moved_store(text: str) -> tuple[str, Path]:
    """Read name=PATH of a store."""
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise typer.BadParameter(
            f"--store {text}: expected a modality and a path, such as inertial=moved/inertial.zarr"
        )
    return name, Path(path)


def named_source(text: str) -> tuple[str, Path]:
    """Read name=PATH, or a path alone, which is for all modalities."""
    name, equals, path = text.partition("=")
    return (name, Path(path)) if equals and not Path(text).exists() else ("", Path(text))
