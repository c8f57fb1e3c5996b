"""Have parcels followed by the shop's tracking provider, and ask about one when a person wants to know."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from bufa.apps.cases import queries as cases
from bufa.apps.cases.taking_in import take_in
from bufa.apps.orders import opening, people
from bufa.apps.orders import queries as orders
from bufa.apps.parcels import asking, following
from bufa.apps.parcels.boxes import SUBSCRIBE
from bufa.apps.parcels.following import ToFollow
from bufa.apps.shops import queries as shops
from bufa.apps.shops.clients import client_for
from bufa.integrations import registry
from bufa.integrations.ports import ProviderError, TrackReport
from bufa.lib import clock
from bufa.lib.queue import hint

SHOP_ZONE = ZoneInfo("Asia/Shanghai")
SOON = timedelta(minutes=30)
LATER = timedelta(hours=6)

log = logging.getLogger(__name__)

RETRY = RetryStrategy(max_attempts=5, exponential_wait=5)


@app.task(name=SUBSCRIBE, retry=RETRY)
def subscribe(shop_id: int) -> None:
    """Everything of a shop that wants to be followed."""
    while subscribe_some(shop_id, clock.now()):
        pass


@app.task(name=asking.ASK)
def query(shop_id: int, parcel_id: int) -> None:
    """Ask about one parcel; that it may be asked was checked, and written down, when it was asked for."""
    query_one(shop_id, parcel_id, clock.now())


@app.task(name=asking.PLAN)
def follow_plan(shop_id: int) -> None:
    """Ask what the shop's plan says may be asked now."""
    ask_planned(shop_id, clock.now())


def subscribe_some(shop_id: int, now: datetime) -> int:
    """Subscribe a handful of parcels; returns how many were taken up. One that fails waits, the others go on."""
    how = shops.asking(shop_id)
    kind = how.kind
    if not kind or not how.pushes:
        return 0
    wanted = following.claim_wanted(shop_id, now)
    if not wanted:
        return 0
    client = client_for(shop_id, kind)
    address = shops.hook_url(shop_id, kind)
    salt = str((shops.provider_settings(shop_id, kind) or {}).get("salt", ""))
    for one in wanted:
        _subscribe_one(client, kind, one, address, salt, now)
    return len(wanted)


def _subscribe_one(client: Any, kind: str, one: ToFollow, address: str, salt: str, now: datetime) -> None:
    limits = registry.limits("tracking", kind)
    month = now.astimezone(SHOP_ZONE).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if limits is not None and not limits.may_subscribe(one.tries_since(month)):
        next_month = (month + timedelta(days=32)).replace(day=1)
        following.not_followed(
            one.shop_id, one.parcel_id, kind, error="limit_of_the_month", again_at=next_month, tried_at=None
        )
        return
    tail = phone_tail(one, limits)
    if tail is None:
        following.not_followed(one.shop_id, one.parcel_id, kind, error="phone_unknown", again_at=None, tried_at=None)
        return
    try:
        client.subscribe(one.carrier, one.number, address, salt, tail)
    except ProviderError as error:
        log.info("not followed: %s", error.why, extra={"shop_id": one.shop_id, "parcel_id": one.parcel_id})
        following.not_followed(
            one.shop_id, one.parcel_id, kind, error=error.why, again_at=_again_at(error, now), tried_at=None
        )
        return
    following.followed(one.shop_id, one.parcel_id, kind, now)


def _again_at(error: ProviderError, now: datetime) -> datetime | None:
    """When another try makes sense: what heals by itself soon, what a person has to heal (money, keys) later."""
    if error.why in ("unsupported", "phone", "input"):
        return None
    return now + (error.wait or SOON) if error.retryable else now + LATER


def query_one(shop_id: int, parcel_id: int, now: datetime) -> TrackReport | None:
    """Ask the provider about a parcel and take the answer in; None when it could not be asked."""
    one, call_id = following.to_query(shop_id, parcel_id), asking.open_call(shop_id, parcel_id)
    return None if one is None else _ask(one, call_id, now)


def ask_planned(shop_id: int, now: datetime) -> int:
    """Ask one parcel after the other for as long as the plan has one for now. Each is written down before it is asked,
    so a worker that dies has spent at most one call, and nothing is asked twice. Returns how many were asked."""
    asked = 0
    while claimed := asking.claim_next(shop_id, now, cases.waiting_orders(shop_id)):
        _ask(claimed.parcel, claimed.call_id, now)
        asked += 1
    return asked


def _ask(one: ToFollow, call_id: int | None, now: datetime) -> TrackReport | None:
    report, failure, wait, news = None, "", None, 0
    kind = shops.tracking_kind(one.shop_id)
    tail = phone_tail(one, registry.limits("tracking", kind)) if kind else None
    if not kind:
        failure = "not_connected"
    elif tail is None:
        failure = "phone_unknown"
    else:
        try:
            report = client_for(one.shop_id, kind).query(one.carrier, one.number, tail)
        except ProviderError as error:
            log.info("no answer: %s", error.why, extra={"shop_id": one.shop_id, "parcel_id": one.parcel_id})
            failure, wait = error.why, error.wait
        else:
            news = take_in(shop_id=one.shop_id, reports=[report], now=now).new_scans
    if call_id is not None:
        asking.settle(one.shop_id, call_id, now, failure=failure, new_scans=news, wait=wait)
    return report


def phone_tail(one: ToFollow, limits: Any) -> str | None:
    """The four digits that SF and ZTO want beside the number; "" where nobody wants them, None when unknown.

    From the mask where it shows them; else from what a file or the customer gave, else from the platform's cipher, and
    that look is logged and reported. They are held only for the call.
    """
    if limits is not None and not limits.needs_phone(one.carrier):
        return ""
    if limits is None and one.carrier != "shunfeng":
        return ""
    tail = people.phone_tail(orders.ciphers(one.shop_id, one.order_id).get("phone_mask", ""))
    if tail:
        return tail
    seen = opening.look(
        shop_id=one.shop_id,
        order_id=one.order_id,
        by="system",
        action="recipient.use",
        subject=f"order:{one.order_id}",
        where=opening.Where(),
        fields=("phone",),
        purpose="tracking",
    )
    return people.phone_tail(seen.plain.phone) or None


def wake(now: datetime) -> int:
    """Give lost jobs back: shops with parcels that want to be followed. Returns how many jobs were added."""
    late = following.shops_with_wanted(shops.all_shop_ids(), now)
    return sum(hint(SUBSCRIBE, once=f"subscribe:{shop_id}", shop_id=shop_id) for shop_id in late)


def wake_plans(now: datetime) -> int:
    """Shops whose provider is asked by plan: one job each, which looks whether something may be asked now."""
    by_plan = shops.asking_shops(shops.all_shop_ids())
    return sum(hint(asking.PLAN, once=f"plan:{shop_id}", shop_id=shop_id) for shop_id in by_plan)


def forget_calls(now: datetime) -> int:
    """Once in a while: calls that no budget counts any more."""
    everyone = shops.all_shop_ids()
    return asking.prune(everyone, now) if everyone else 0
