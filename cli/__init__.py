"""The `functa` command of functa-fusion: each command parses, calls one library function and prints."""

import sys

try:
    from fusion.errors import require_ours

    require_ours("cli")
except ImportError as error:  # a foreign `store`, or a foreign `cli` in the place of this one
    sys.exit(f"functa: {error}")
