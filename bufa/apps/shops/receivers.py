"""Who reads what is pushed to a hook: checked against the shop's connection, and remembered for a moment.

Providers push hundreds of times a second to one address. What this process remembers holds for `REMEMBERED` seconds;
a connection that is changed or switched off here is asked for again at once. Wrong addresses are never remembered.
"""

from __future__ import annotations

import threading
import time
from typing import Any, NamedTuple

from django.db import connection

from bufa.apps.shops import queries
from bufa.apps.shops.clients import push_for
from bufa.apps.shops.remembered import hooks
from bufa.lib.tenancy import for_shops

REMEMBERED = 2.0
_MOST = 4096

_turn = threading.Lock()


class Receiver(NamedTuple):
    """The shop whose hook it is, and what checks and reads its pushes (ports.CanReceivePush)."""

    shop_id: int
    push: Any


def receiver(token: str, kind: str) -> Receiver | None:
    """Of the hook `/hooks/<token>/<kind>`; None for a wrong address. Raises Refused when the connection is no use."""
    if (found := _at_hand(token, kind)) is not None:
        return found
    if (token, kind) not in hooks:
        return _asked(token, kind)
    with _turn:  # known, and asked for again by all that push to it at this moment: one of them is enough
        return _at_hand(token, kind) or _asked(token, kind)


def _at_hand(token: str, kind: str) -> Receiver | None:
    until, found = hooks.get((token, kind), (0.0, None))
    return found if until > time.monotonic() else None


def _asked(token: str, kind: str) -> Receiver | None:
    try:
        return _read(token, kind)
    finally:
        if not connection.in_atomic_block:
            connection.close()  # back to its pool: this thread may wait next, for one that needs it


def _read(token: str, kind: str) -> Receiver | None:
    named = queries.shop_of_hook(token)
    with for_shops([] if named is None else [named]):
        shop_id = queries.check_hook(token, kind)
        if shop_id is None:
            return None
        made = Receiver(shop_id, push_for(shop_id, kind))
    if len(hooks) >= _MOST:
        hooks.clear()
    hooks[token, kind] = (time.monotonic() + REMEMBERED, made)
    return made
