"""`python -m bufa` is the `bufa` command."""

from __future__ import annotations

import sys

from bufa.cli import main

if __name__ == "__main__":
    sys.exit(main())
