"""A worker that carries out what is due in a shop and is killed by SIGKILL at one point: `victim.py SHOP POINT`.

The kill points stand around each commit and each send of one attempt; everything else is the product as it is.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn


def killed(*_: object, **__: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def before(module: Any, name: str) -> None:
    setattr(module, name, killed)


def after(module: Any, name: str) -> None:
    real: Callable[..., Any] = getattr(module, name)

    def done_then_killed(*args: Any, **kwargs: Any) -> NoReturn:
        real(*args, **kwargs)
        killed()

    setattr(module, name, done_then_killed)


def arm(point: str) -> None:
    from bufa.apps.effects import actions as effects
    from bufa.jobs import effects as jobs

    when, _, name = point.partition(" ")
    module = jobs if name in ("_send", "tell_owner", "_finish") else effects
    {"before": before, "after": after}[when](module, name)


POINTS = (
    "before begin",
    "after begin",
    "before _send",
    "after _send",
    "after keep_answer",
    "before finish",
    "after finish",
    "before tell_owner",
    "after tell_owner",
    "after _finish",
)
"""`after finish` and both of `tell_owner` lie inside the transaction that ends the attempt: it is undone."""


def main(shop_id: int, point: str) -> None:
    import django

    django.setup()
    arm(point)
    from bufa.jobs.effects import carry_out

    carry_out(shop_id)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
