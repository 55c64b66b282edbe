"""`functa explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import JsonFlag, print_json, print_table, say
from cli.reporting import moved_store, named_source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fusion.explaining import BranchEvidence, DeletionCheck, Explanation

_PARTS = 5


def explain(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    item: Annotated[
        str | None, typer.Argument(help="ID of an evaluated item, or of a sample in the model's stores.", metavar="ID")
    ] = None,
    *,
    out: Annotated[Path | None, typer.Option(help="Picture to write, a PNG.")] = None,
    label: Annotated[str | None, typer.Option(help="Class or label to explain. [the most probable]")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="Data set behind the stores, for places of windows (local functas); name=PATH for one of several."
        ),
    ] = None,
    store: Annotated[
        list[str] | None, typer.Option(help="Where the store of a modality was moved to, as name=PATH; repeatable.")
    ] = None,
    check: Annotated[
        int | None,
        typer.Option(
            min=2, help="Instead of one item: check this many by deletion of the windows with the most evidence."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the items to check.")] = 42,
    json: JsonFlag = False,
) -> None:
    """Show what a model looked at in an item. Places of a signal, layers of a functa, or columns.

    Of local functas each window's evidence is what the margin loses without it; of functas and plain columns it is what
    layers and columns add to the margin.
    """
    from fusion import explaining

    stores, sources = dict(map(moved_store, store or ())), dict(map(named_source, source or ()))
    if (check is None) == (item is None):
        raise typer.BadParameter("expected the ID of an item, or --check with a number of items")
    if check is not None:
        checks = explaining.check_deletion(model, items=check, stores=stores, sources=sources, seed=seed)
        if json:
            print_json({"checks": [each.to_dict() for each in checks]})
        else:
            _show_checks(checks)
        return
    found = explaining.explain(model, str(item), label=label, stores=stores, sources=sources)
    if out is not None:
        found.draw(out)
    if json:
        print_json(found.to_dict() | ({} if out is None else {"out": str(out)}))
    else:
        _show(found, out)


def _show(found: Explanation, out: Path | None) -> None:
    typer.echo(str(found))
    rows = [row for branch in found.branches for row in _rows(branch)]
    print_table("", ("modality", "where", "added to the margin"), rows)
    if out is not None:
        say(f"wrote {out}")


def _show_checks(checks: Sequence[DeletionCheck]) -> None:
    heads = ("modality", "items", "lost, strongest", "lost, random", "difference", "ahead", "passed")
    rows = [
        (
            each.modality,
            each.items,
            f"{each.lost_strongest:.3f}",
            f"{each.lost_random:.3f}",
            "{:.3f} to {:.3f}".format(*each.difference_interval),
            f"{each.ahead:.0%}",
            "yes" if each.passed else "no",
        )
        for each in checks
    ]
    print_table("margin lost without a fifth of the windows", heads, rows)


def _rows(branch: BranchEvidence) -> list[tuple[str, str, str]]:
    if branch.strongest:
        return [(branch.name, branch.place(window), f"{window['evidence']:+.3f}") for window in branch.strongest]
    parts = sorted(branch.parts.items(), key=lambda entry: -abs(entry[1]))[:_PARTS]
    return [(branch.name, name, f"{value:+.3f}") for name, value in parts]
