"""A parent that loads Bufa once and forks a process per act, each of which dies (or stops) where it was told to.

It reads JSON lines and answers each with one: `start` an act → its pid, `wait` for a pid → how it ended. A child writes
to database and platform like the worker and the web process do; only the point at which it dies is not the product's.
"""

from __future__ import annotations

import json
import os
import signal
import smtplib
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx

from bufa.host.processes import tie_to_parent

Json = dict[str, Any]


class Points:
    """Counts the moments around each commit and each send (with `statements` around each statement, too) and sends
    this process a signal at the one wanted."""

    def __init__(self, at: int, number: signal.Signals, *, statements: bool) -> None:
        self.at = at
        self.number = number
        self.statements = statements
        self.passed = 0

    def passing(self, what: str) -> None:
        self.passed += 1
        if self.passed == self.at:
            sys.stderr.write(f"{self.number.name} at point {self.at}: {what}\n")
            sys.stderr.flush()
            os.kill(os.getpid(), self.number)

    def around(self, owner: Any, name: str, what: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            self.passing(f"before {what}")
            try:
                return real(*args, **kwargs)
            finally:
                self.passing(f"after {what}")

        setattr(owner, name, watched)

    def before(self, owner: Any, name: str, what: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            self.passing(f"before {what}")
            return real(*args, **kwargs)

        setattr(owner, name, watched)

    def arm(self) -> None:
        from django.db.backends.base.base import BaseDatabaseWrapper
        from django.db.backends.utils import CursorWrapper

        self.around(BaseDatabaseWrapper, "_commit", "a commit")
        self.around(httpx.Client, "send", "a request")
        self.around(smtplib.SMTP, "send", "a line to the post office")
        self.around(smtplib.SMTP, "getreply", "its answer")
        if self.statements:  # after one is as good as before the next: nothing is written between them
            self.before(CursorWrapper, "execute", "a statement")


def click(given: Json) -> None:
    """The web process: a signed-in person presses a button."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    browser = Client(headers={"host": "localhost"})
    browser.force_login(get_user_model().objects.get(username=given["login"]))
    _dangerous(given)
    answer = browser.post(given["path"], given["fields"])
    if answer.status_code not in (303, 409):  # done, or refused: at once, or with the form as it was filled
        raise SystemExit(f"HTTP {answer.status_code}")


def carry_out(given: Json) -> None:
    """The worker: one attempt of one effect."""
    from django.db.backends.signals import connection_created

    from bufa.jobs import effects

    if given.get("leave_within"):
        effects.LEAVE_WITHIN = timedelta(seconds=given["leave_within"])
        connection_created.connect(_short_idle)
    _dangerous(given)
    effects.carry_out(given["shop_id"], [given["effect_id"]])


def climb(given: Json) -> None:
    """The worker: the rungs of the chase ladder that are due."""
    from datetime import datetime

    from bufa.apps.negotiations import ladder

    _dangerous(given)
    ladder.climb(shop_id=given["shop_id"], now=datetime.fromisoformat(given["now"]))


def sheet(given: Json) -> None:
    """The worker: the rows of a run, one after the other."""
    from bufa.jobs import bulk

    _dangerous(given)
    bulk.work_off(given["shop_id"], given["run_id"])


def _short_idle(connection: Any, **_: Any) -> None:
    """The database gives up on a stopped process inside a transaction sooner than in real life."""
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '1500ms'")


ACTS: dict[str, Callable[[Json], None]] = {
    "click": click,
    "carry_out": carry_out,
    "climb": climb,
    "sheet": sheet,
}


def _dangerous(given: Json) -> None:
    """From here on each step may be the last. With `held`, somebody else counts: wait until they watch."""
    if given.get("held"):
        os.kill(os.getpid(), signal.SIGSTOP)
    if given.get("at"):
        how = signal.Signals[given.get("signal", "SIGKILL")]
        Points(given["at"], how, statements=given.get("statements", False)).arm()


def _child(given: Json) -> None:
    from bufa.integrations import wire

    # A platform that hangs is given up sooner than after ten seconds; nothing else depends on how long that is.
    wire.TIMEOUT = httpx.Timeout(connect=3.0, write=3.0, read=given.get("patience", 0.4), pool=3.0)
    try:
        ACTS[given["act"]](given)
    except SystemExit as ended:
        sys.stderr.write(f"{ended}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def start(given: Json) -> Json:
    pid = os.fork()
    if pid == 0:
        tie_to_parent(signal.SIGKILL)  # a stopped one, too, ends with its parent
        os.close(0)
        try:
            _child(given)
        finally:
            traceback.print_exc()  # only what broke comes here; the exit itself says nothing
            sys.stderr.flush()
            os._exit(70)
    return {"pid": pid}


def wait(given: Json) -> Json:
    _, status = os.waitpid(given["pid"], 0)
    return {"code": os.waitstatus_to_exitcode(status)}


def say(answer: Json) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    import django
    from django.conf import settings

    tie_to_parent(signal.SIGKILL)
    django.setup()
    # Pages are shown here, too, and nobody gathered the static files of a throw-away folder.
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    # A pool connects in threads of its own, which strace would count beside the one that acts.
    settings.DATABASES["default"]["OPTIONS"]["pool"] = False
    import bufa.config.urls
    import bufa.jobs.bulk
    import bufa.jobs.effects  # noqa: F401 - loaded once, before anything is forked

    say({"ready": True})
    for line in sys.stdin:
        given = json.loads(line)
        say({"start": start, "wait": wait}[given["do"]](given))


if __name__ == "__main__":
    main()
