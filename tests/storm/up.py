"""`bufa up` that restarts what dies at once: `python -m tests.storm.up PORT FOLDER`. All else is the product's."""

from __future__ import annotations

import sys
from pathlib import Path

from bufa.host import supervisor, up


def main(port: str, data: str) -> None:
    # A person's Bufa waits up to half a minute before it tries again; three hundred such waits would be hours.
    supervisor.FIRST_PAUSE_S = supervisor.LONGEST_PAUSE_S = 0.2
    supervisor._Life.__init__.__defaults__ = tuple(
        0.2 if value == 1.0 else value for value in supervisor._Life.__init__.__defaults__ or ()
    )
    up.up(up.Wishes(Path(data), "127.0.0.1", int(port)))


if __name__ == "__main__":
    main(*sys.argv[1:3])
