"""The `functa` command and what all its commands share: errors as one line, documented exit codes."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli import benching, datasets, encoding, inspecting, linking, modelling, predicting, reporting, reproducing
from cli.output import say
from store.errors import FusionError, StoreWarning

EXIT_CODES = """Exit codes: 0 ok, 1 failure, 2 usage, 3 integrity, 4 finished with failed samples, 130 interrupted."""


class _OneLineErrors(TyperGroup):
    """Turns the toolkit's errors, a full disk and Ctrl-C into one line on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except FusionError as error:
            say(str(error))
            raise typer.Exit(error.exit_code) from error
        except OSError as error:
            say(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            say("interrupted; what was committed is kept, and the same command goes on from there")
            raise typer.Exit(130) from error


app = typer.Typer(
    name="functa",
    cls=_OneLineErrors,
    help="Multimodal fusion on functas: every sample becomes the weights of a small network, kept on disk by ID.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(encoding.demo)
app.command()(encoding.encode)
app.command()(encoding.decode)
app.command()(linking.link)
app.command()(modelling.train)
app.command()(modelling.evaluate)
app.command()(predicting.predict)
app.command()(reporting.report)
app.command()(reproducing.reproduce)
app.add_typer(inspecting.app, name="store", help="Look into a store and check it.")
app.add_typer(datasets.app, name="datasets", help="Find, fetch and check public data sets.")
app.add_typer(benching.app, name="bench", help="Measure this machine.")


@app.callback()
def _functa(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        sys.stdout.write(f"functa-fusion {installed('functa-fusion')}\n")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    warnings.simplefilter("always", StoreWarning)
    show = warnings.showwarning

    def in_one_line(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, StoreWarning):
            say(str(message))
        else:
            show(message, category, *where, **more)

    warnings.showwarning = in_one_line
    app()
