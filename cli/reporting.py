"""`functa report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.output import JsonFlag, print_json


def report(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Page to write; report.html in the folder if not given.")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="Data set behind the stores, for pictures beside the originals; name=PATH for one modality of several."
        ),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Write the report of a model: one HTML page that needs no network."""
    import fusion

    page = fusion.report(model, out, sources=dict(_named(text) for text in source or ()))
    if json:
        print_json({"report": str(page), "bytes": page.stat().st_size})
    else:
        typer.echo(f"{page} ({page.stat().st_size / 1e6:.1f} MB)")


def _named(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    return (name, Path(path)) if equals and not Path(text).exists() else ("", Path(text))
