"""The `functa` command and what all its commands share: errors as one line, documented exit codes."""

from __future__ import annotations

import gc
import os
import signal
import sys
import warnings
from typing import Annotated, Any

import typer

from cli import (
    benching,
    comparing,
    datasets,
    encoding,
    explaining,
    inspecting,
    linking,
    listing,
    logs,
    modelling,
    predicting,
    reporting,
    reproducing,
)
from cli.groups import CommandList
from cli.output import say
from fusion.encoders.interrupts import raise_when_terminated
from fusion.errors import EngineWarning
from store.errors import FusionError, StoreWarning

USAGE = 2
EXIT_CODES = (
    "Exit codes: 0 ok, 1 failure, 2 usage, 3 integrity, 4 finished with failed samples, 130 interrupted, 143 and 129 "
    "ended by SIGTERM and SIGHUP."
)

_UsageError: type[Any] = next(cls for cls in typer.BadParameter.__mro__ if cls.__name__ == "ClickException")


class _OneLineErrors(CommandList):
    """Turns every error, a full disk and Ctrl-C into one line on stderr and an exit code."""

    def main(self, *arguments: Any, standalone_mode: bool = True, **more: Any) -> Any:
        """Run the command; a wrong option is one line, too."""
        if not standalone_mode:
            return super().main(*arguments, standalone_mode=False, **more)  # type: ignore[misc]
        try:
            code = super().main(*arguments, standalone_mode=False, **more)  # type: ignore[misc]
        except _UsageError as error:
            if type(error).__name__ != "NoArgsIsHelpError":
                say(f"{error.format_message().rstrip('.')}. {_help_on(error)}")
            elif help_page := error.format_message():  # empty where rich has shown it already
                typer.echo(help_page)
            sys.exit(error.exit_code)
        except typer.Abort:
            sys.exit(1)
        sys.exit(code or 0)

    def invoke(self, ctx: Any) -> Any:
        if ctx.params.get("debug"):
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except FusionError as error:
            say(str(error))
            raise typer.Exit(error.exit_code) from error
        except OSError as error:
            say(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            number = getattr(error, "number", signal.SIGINT)
            how = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
            say(f"{how}; what was committed is kept, and the same command goes on from there")
            raise typer.Exit(128 + number) from error
        except (typer.Exit, typer.Abort, _UsageError):
            raise
        except Exception as error:
            say(f"unexpected {type(error).__name__}: {error}. `functa --debug ...` shows where; please report it")
            raise typer.Exit(1) from error


def _help_on(error: Any) -> str:
    path = getattr(getattr(error, "ctx", None), "command_path", "functa")
    return f"See {path} --help"


app = typer.Typer(
    name="functa",
    cls=_OneLineErrors,
    help="Multimodal fusion on functas: every sample becomes the weights of a small network, kept on disk by ID.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(encoding.demo)
app.command()(encoding.encode)
app.command()(encoding.decode)
app.command()(linking.link)
app.command()(modelling.train)
app.command()(modelling.evaluate)
app.command()(comparing.compare)
app.command()(predicting.predict)
app.command()(reporting.report)
app.command()(explaining.explain)
app.command()(listing.runs)
app.command()(reproducing.reproduce)
app.command()(benching.doctor)
app.add_typer(inspecting.app, name="store", help="Look into a store and check it.")
app.add_typer(datasets.app, name="datasets", help="Find, fetch and check public data sets.")
app.add_typer(benching.app, name="bench", help="Measure this machine.")


def _show_version(asked: bool) -> None:  # noqa: FBT001 - Typer's callback
    if asked:
        from importlib.metadata import version

        sys.stdout.write(f"functa-fusion {version('functa-fusion')}\n")
        raise typer.Exit


@app.callback()
def _functa(
    *,
    version: Annotated[  # noqa: ARG001 - its callback acts
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", hidden=True)] = False,  # noqa: ARG001 - read from the context
    log_file: logs.LogFile = None,
    verbose: logs.Verbose = 0,
    quiet: logs.Quiet = False,
) -> None:
    logs.start_logging(log_file, verbose, quiet=quiet)


def main() -> None:
    """Run the command line."""
    # Threads that wait for each other sleep: beside other work, waiting awake made training four times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for stream in (sys.stdout, sys.stderr):
        # Names that the terminal's encoding lacks are escaped, not an error.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    warnings.simplefilter("always", StoreWarning)
    warnings.simplefilter("once", EngineWarning)
    show = warnings.showwarning

    def in_one_line(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, StoreWarning | EngineWarning):
            say(str(message))
        else:
            show(message, category, *where, **more)

    warnings.showwarning = in_one_line
    raise_when_terminated()
    try:
        app(prog_name="functa")
    finally:
        gc.freeze()  # else Python looks once more for garbage in all that was imported, for a fifth of a second
