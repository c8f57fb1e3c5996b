"""A recipient in plain text at the moment of use: from what the shop was given, else by opening the platform's ciphers.

Every look is in the audit chain before anything is opened, and is reported to the platform by an effect of its own, so
that a report that could not be delivered at once is not lost. Nothing plain is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from bufa.apps.audit import actions as audit
from bufa.apps.effects import actions as effects
from bufa.apps.effects.models import EffectKind
from bufa.apps.orders import queries
from bufa.apps.orders.people import Plain
from bufa.apps.shops import queries as shops
from bufa.apps.shops.clients import client_for
from bufa.integrations.ciphers import Opened
from bufa.integrations.ports import ProviderError
from bufa.lib.clock import real_now
from bufa.lib.tenancy import writing

PLATFORM = "doudian"
FIELDS = ("name", "phone", "address")


@dataclass(frozen=True, slots=True)
class Where:
    """Where somebody looks from, as the platform wants it told. The defaults are those of our own background work."""

    url: str = "https://localhost/tracking"
    ip: str = "127.0.0.1"
    user_agent: str = "bufa"
    referer: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What could be opened. `failed`: field → what the platform said; `why`: nothing could be asked at all.
    `virtual_until`: the phone is the platform's stand-in and works until then."""

    plain: Plain = field(repr=False)
    failed: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    is_virtual: bool = False
    virtual_until: datetime | None = None


def look(
    *,
    shop_id: int,
    order_id: int,
    by: str,
    action: str,
    subject: str,
    where: Where,
    fields: Sequence[str] = FIELDS,
    purpose: str = "",
) -> Seen:
    """Open these fields of an order's recipient, once, for `by` (`operator:<id>` or `system`).

    Call it outside of any transaction: it may wait for the network. What fails is said in the answer, never raised.
    """
    given = queries.open_plain(shop_id, order_id)
    there = queries.ciphers(shop_id, order_id)
    wanted = {name: there[name] for name in fields if not getattr(given, name) and there.get(name)}
    noted = {"order": order_id, "fields": list(fields), "ciphers": sorted(wanted)}
    if purpose:
        noted["for"] = purpose
    audit.record(shop_id, by, action, subject, noted)
    if not wanted:
        return Seen(given)
    if shops.connection(shop_id, PLATFORM) is None:
        return Seen(given, why="not_connected")
    number = queries.number_of(shop_id, order_id)
    try:
        opened: Opened = client_for(shop_id, PLATFORM).decrypt(number, wanted, by)
    except ProviderError as error:
        return Seen(given, why=error.why)
    if opened.plain:
        shown = {name: cipher for name, cipher in wanted.items() if name in opened.plain}
        _report(shop_id, order_id, number, by, where, shown)
    whole = {name: getattr(given, name) or opened.plain.get(name, "") for name in FIELDS}
    return Seen(
        Plain(**whole, email=given.email),
        failed=opened.failed,
        is_virtual=opened.is_virtual,
        virtual_until=opened.virtual_until,
    )


def _report(shop_id: int, order_id: int, number: str, by: str, where: Where, shown: Mapping[str, str]) -> None:
    """Wanted as an effect: the platform hears of every look, once, also when it can't be reached right now."""
    event_id = str(uuid4())
    intent = {
        "event_id": event_id,
        "account": by,
        "order_number": number,
        "at": real_now().isoformat(),
        "url": where.url,
        "ip": where.ip,
        "user_agent": where.user_agent,
        "referer": where.referer or where.url,
        "fields": sorted(shown),
        "ciphers": dict(shown),
    }
    with writing([shop_id]):
        effects.want(
            shop_id=shop_id,
            kind=EffectKind.REPORT_VIEW,
            key=f"view:{event_id}",
            subject=f"view:{order_id}",
            intent=intent,
            by=by,
        )
