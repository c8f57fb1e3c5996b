"""What the platform says of a carrier's range: asked by a job, one question at a time and at its pace, and kept.

A row is a question before it is an answer. Nothing that judges a form waits for the network: until the platform has
answered, the gate says that it cannot tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from bufa.apps.effects import pace
from bufa.apps.orders import address_changes, people
from bufa.apps.orders.models import Recipient
from bufa.apps.reissues.models import RangeQuestion
from bufa.apps.shops import queries as shops
from bufa.domain.effects import Result
from bufa.domain.reach import Coverage, Reach, is_fresh
from bufa.integrations.ports import PickupAddressFact, RecipientFact
from bufa.lib import clock
from bufa.lib.queue import hint
from bufa.lib.tenancy import reading, writing

ASK = "reissues.ask_ranges"
KIND = "out_of_range"
MOST_TRIES = 4
AGAIN_AFTER = timedelta(minutes=10)
"""A question that nobody answered is asked again after so long, when somebody wants to know."""

LEASE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Way:
    """From one of the shop's pickup addresses to an order's recipient with a carrier. `to` tells apart what the
    recipient was at the time: the platform's address id, or `change:<id>`."""

    carrier: str
    pickup_id: int
    order_id: int
    to: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to be put now; `attempt` fences its answer."""

    question_id: int
    attempt: int
    carrier: str
    sender: PickupAddressFact
    receiver: RecipientFact


def want(shop_id: int, ways: Iterable[Way], now: datetime) -> int:
    """Ask about ways that have no fresh answer, in the background; returns how many are asked."""
    wanted = {way for way in ways if way.carrier and way.pickup_id}
    if not wanted or shops.connection(shop_id, "doudian") is None:
        return 0
    with writing([shop_id]):
        rows = {_way(row): row for row in _rows(shop_id, wanted).select_for_update(of=("self",))}
        new = [
            RangeQuestion(shop_id=shop_id, asked_at=now, **_fields(way)) for way in sorted(wanted - set(rows), key=str)
        ]
        RangeQuestion.objects.bulk_create(new, ignore_conflicts=True)
        stale = [row for row in rows.values() if _is_stale(row, now)]
        for row in stale:
            row.state, row.tries, row.next_at, row.asked_at = "waiting", 0, None, now
            row.save(update_fields=["state", "tries", "next_at", "asked_at"])
        if new or stale:
            hint(ASK, once=f"{ASK}:{shop_id}", shop_id=shop_id)
    return len(new) + len(stale)


def known(shop_id: int, ways: AbstractSet[Way], now: datetime) -> dict[Way, Reach]:
    """What is known of these ways; one that nobody asked about is left out. One query."""
    if not ways:
        return {}
    with reading([shop_id]):
        return {_way(row): _reach(row, now) for row in _rows(shop_id, ways)}


def begin(shop_id: int, real: datetime) -> Asked | datetime | None:
    """The next question, taken for this worker; when the next turn is, where that is later; None when none waits."""
    with writing([shop_id]):
        due = Q(next_at=None) | Q(next_at__lte=real)
        waiting = RangeQuestion.objects.select_for_update(of=("self",), skip_locked=True).filter(
            shop_id=shop_id, state="waiting"
        )
        row = waiting.filter(due).order_by("id").first()
        if row is None:
            later = RangeQuestion.objects.filter(shop_id=shop_id, state="waiting").order_by("next_at").first()
            return later.next_at if later else None
        turn = pace.take_turn(shop_id, KIND, real)
        if turn is not None:
            return turn
        row.attempt += 1
        row.next_at = real + LEASE
        row.save(update_fields=["attempt", "next_at"])
        sender, receiver = _ends(shop_id, row)
        if sender is None or receiver is None:
            row.state, row.reason, row.answered_at = "failed", "address_gone", clock.now()
            row.save(update_fields=["state", "reason", "answered_at"])
            return begin(shop_id, real)
        return Asked(row.pk, row.attempt, row.carrier, sender, receiver)


def answered(shop_id: int, asked: Asked, *, is_out: bool, reason: str, real: datetime) -> None:
    """The platform said yes or no."""
    with writing([shop_id]):
        pace.learn(shop_id, KIND, Result.ACCEPTED, {}, real, None)
        _mine(shop_id, asked).update(
            state="answered", is_out=is_out, reason=reason[:200], answered_at=clock.now(), next_at=None
        )


def not_answered(
    shop_id: int, asked: Asked, *, error: Mapping[str, Any], retryable: bool, wait: timedelta | None, real: datetime
) -> None:
    """It did not: again later where that helps, else nobody can tell."""
    with writing([shop_id]):
        pace.learn(shop_id, KIND, Result.REJECTED, error, real, wait)
        row = _mine(shop_id, asked).first()
        if row is None:
            return
        row.tries += error.get("why") != "limited"
        if retryable and row.tries < MOST_TRIES:
            row.next_at = real + (wait or timedelta(seconds=2**row.tries))
        else:
            row.state, row.next_at, row.answered_at = "failed", None, clock.now()
        row.reason = str(error.get("text") or error.get("why") or "")[:200]
        row.save(update_fields=["state", "tries", "next_at", "reason", "answered_at"])


def waiting(everyone: Sequence[int], real: datetime) -> list[int]:
    """Shops with questions whose turn has come, for the sweep: their job may have been lost."""
    with reading(everyone):
        rows = RangeQuestion.objects.filter(shop_id__in=everyone, state="waiting")
        rows = rows.filter(Q(next_at=None) | Q(next_at__lte=real))
        return sorted(rows.values_list("shop_id", flat=True).distinct())


# --- inside ----------------------------------------------------------------------------------------------------------


def _rows(shop_id: int, ways: AbstractSet[Way]) -> Any:
    orders = {way.order_id for way in ways}
    carriers = {way.carrier for way in ways}
    found = RangeQuestion.objects.filter(shop_id=shop_id, order_id__in=orders, carrier__in=carriers)
    return found.filter(pickup_id__in={way.pickup_id for way in ways}, to_whom__in={way.to for way in ways})


def _way(row: RangeQuestion) -> Way:
    return Way(row.carrier, row.pickup_id, row.order_id, row.to_whom)


def _fields(way: Way) -> dict[str, Any]:
    return {"carrier": way.carrier, "pickup_id": way.pickup_id, "order_id": way.order_id, "to_whom": way.to}


def _is_stale(row: RangeQuestion, now: datetime) -> bool:
    if row.state == "waiting":
        return False
    if row.state == "failed":
        return row.answered_at is None or now - row.answered_at >= AGAIN_AFTER
    return not is_fresh(row.answered_at, now)


def _reach(row: RangeQuestion, now: datetime) -> Reach:
    match row.state:
        case "answered" if is_fresh(row.answered_at, now):
            coverage = Coverage.OUT_OF_RANGE if row.is_out else Coverage.SERVED
            return Reach(coverage, row.reason, row.answered_at)
        case "answered":
            return Reach(Coverage.NOT_ASKED)
        case "failed":
            return Reach(Coverage.NO_ANSWER, row.reason, row.answered_at)
        case _:
            return Reach(Coverage.WAITING, "", row.asked_at)


def _mine(shop_id: int, asked: Asked) -> Any:
    rows = RangeQuestion.objects.filter(shop_id=shop_id, id=asked.question_id, attempt=asked.attempt)
    return rows.filter(state="waiting")


def _ends(shop_id: int, row: RangeQuestion) -> tuple[PickupAddressFact | None, RecipientFact | None]:
    pickup = next((one for one in shops.pickup_addresses([shop_id]) if one.pickup_id == row.pickup_id), None)
    if pickup is None:
        return None, None
    sender = PickupAddressFact(
        pickup.platform_id,
        *(pickup.contact, pickup.phone, pickup.province, pickup.city, pickup.district, pickup.street, pickup.detail),
        is_default=False,
    )
    return sender, _receiver(shop_id, row)


def _receiver(shop_id: int, row: RangeQuestion) -> RecipientFact | None:
    """Places as names, the detail as the platform's cipher, else plain where a file or a customer gave it."""
    kind, _, number = row.to_whom.partition(":")
    if kind == "change" and number.isdigit():
        change = next(
            (one for one in address_changes.of_orders(shop_id, [row.order_id]).get(row.order_id, ())
             if one.change_id == int(number)), None,
        )  # fmt: skip
        if change is None:
            return None
        plain, _proof = address_changes.open_change(shop_id, change.change_id)
        return RecipientFact(
            province=change.province, city=change.city, district=change.district, town=change.town,
            address=plain.address,
        )  # fmt: skip
    there = Recipient.objects.filter(shop_id=shop_id, order_id=row.order_id).first()
    if there is None:
        return None
    return RecipientFact(
        address_cipher=there.address_cipher,
        province=there.province,
        city=there.city,
        district=there.district,
        town=there.town,
        address="" if there.address_cipher else people.open_plain(there).address,
    )
