"""The `functa` command: makes sure that the packages it runs are this distribution's own, then runs it."""

from __future__ import annotations

import sys

import fusion


def main() -> None:
    """Run the command line."""
    try:
        fusion.require_ours("store", "cli")
    except fusion.NameTakenError as error:
        sys.exit(f"functa: {error}")
    from cli.main import main as run

    run()


if __name__ == "__main__":
    main()
