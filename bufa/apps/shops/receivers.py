"""Who reads what is pushed to a hook: checked against the shop's connection, and remembered for a moment.

Providers push hundreds of times a second to one address. What this process remembers holds for `REMEMBERED` seconds;
a connection that is changed or switched off here is asked for again at once. Wrong addresses are never remembered.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from bufa.apps.shops import queries
from bufa.apps.shops.clients import push_for
from bufa.apps.shops.remembered import hooks
from bufa.lib.tenancy import for_shops

REMEMBERED = 2.0
_MOST = 4096


class Receiver(NamedTuple):
    """The shop whose hook it is, and what checks and reads its pushes (ports.CanReceivePush)."""

    shop_id: int
    push: Any


def receiver(token: str, kind: str) -> Receiver | None:
    """Of the hook `/hooks/<token>/<kind>`; None for a wrong address. Raises Refused when the connection is no use."""
    there = hooks.get((token, kind))
    if there is not None and there[0] > time.monotonic():
        found: Receiver = there[1]
        return found
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
