"""What the web server loads."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

from bufa.host.processes import tie_to_parent

if os.environ.get("BUFA_TIED") == "1":
    # The web server's workers are its children, not ours: without this they would outlive it after a kill -9 and
    # keep the port.
    tie_to_parent(signal.SIGKILL)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bufa.config.settings")

PAGES_AT_ONCE = int(os.environ.get("BUFA_WEB_THREADS", "16"))
STREAMS = "/live/"


class Turns:
    """Lets so many pages be made at once, however many threads there are: most of those only hold a stream of events
    open. More pages at once would wait for a connection to the database, and for each other."""

    def __init__(self, made: Callable[..., Iterable[bytes]], at_once: int) -> None:
        self._made = made
        self._free = threading.BoundedSemaphore(at_once)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == STREAMS:
            return self._made(environ, start)
        with self._free:
            return self._made(environ, start)


application = Turns(get_wsgi_application(), PAGES_AT_ONCE)
