"""Customers who come before we have told them: order number and the last four digits of the phone open the page.

Whether an order is there, and whether the digits are its own, is one answer, after one and the same work; tries are
counted by order number (whether there is one or not) and by where they come from.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from bufa.apps.cases import actions as cases
from bufa.apps.cases.models import Case
from bufa.apps.notices import knocks, links
from bufa.apps.notices.customer_page import WHO, record
from bufa.apps.orders import people
from bufa.apps.orders.models import Recipient
from bufa.apps.parcels.views import ParcelView, parcels_of_order
from bufa.apps.shops import queries as shops
from bufa.domain.cases import CaseState
from bufa.domain.customer_says import Answer
from bufa.domain.outcome import Refused
from bufa.lib.tenancy import for_shops, writing

BY_ORDER, BY_ORDER_IN = 5, timedelta(hours=1)
BY_ORDER_A_DAY = 10
BY_PLACE, BY_PLACE_IN = 60, timedelta(hours=1)
"""Many customers may sit behind one address of a mobile network or a proxy."""

STILL_SHOWN = timedelta(days=30)
"""How long after it was closed a case is still what its customer comes for."""

_NOBODY = "0" * 64
_OVER = ("delivered", "returned", "cancelled")


def name_of(shop_id: int) -> str | None:
    """The shop whose form it is, None where there is none."""
    if shop_id not in set(shops.all_shop_ids()):
        return None
    with for_shops([shop_id]):
        return shops.shop(shop_id).name


def come(*, shop_id: int, number: str, tail: str, trouble: Answer | None, place: str, now: datetime) -> str:
    """The path of the page of this order's case. What is wrong with it is recorded; without a case one is opened.

    `place`: where the visitor's connection comes from. Raises Refused too_many_tries, order_not_matched.
    """
    number, tail = number.strip()[:40], tail.strip()
    knocks.knock(shop_id, f"place:{place}", most=BY_PLACE, window=BY_PLACE_IN)
    knocks.knock(shop_id, f"order:{number}", most=BY_ORDER, window=BY_ORDER_IN)
    knocks.knock(shop_id, f"day:{number}", most=BY_ORDER_A_DAY, window=timedelta(days=1))
    with writing([shop_id]):
        order_id = _matched(shop_id, number, tail)
        if order_id is None:
            raise Refused("order_not_matched")
        case = _case_of(shop_id, order_id, trouble, now)
        if trouble is not None:
            _say(case, trouble, now)
        return links.keep(shop_id=shop_id, case_id=case.pk, now=now)


def _matched(shop_id: int, number: str, tail: str) -> int | None:
    """The order, when the digits are its recipient's; the same questions and comparisons whether it is there or not."""
    row = Recipient.objects.filter(shop_id=shop_id, order__number=number).only("order_id", "phone_tail_index").first()
    there = (row.phone_tail_index if row is not None else "") or _NOBODY
    given = people.phone_tail_index(shop_id, tail) or "f" * 64
    fits = hmac.compare_digest(there.encode(), given.encode())
    return row.order_id if fits and row is not None else None


def _case_of(shop_id: int, order_id: int, trouble: Answer | None, now: datetime) -> Case:
    """The open case, else the newest closed one that its customer may still ask about, else a new one."""
    rows = Case.objects.filter(shop_id=shop_id, order_id=order_id)
    there = rows.exclude(state=CaseState.CLOSED).order_by("-id").first()
    there = there or rows.filter(closed_at__gt=now - STILL_SHOWN).order_by("-closed_at").first()
    if there is not None:
        return there
    parcel = _asked_about(shop_id, order_id)
    case_id = cases.open_case(shop_id=shop_id, parcel_id=parcel.parcel_id, now=now, by=WHO)
    return Case.objects.get(shop_id=shop_id, id=case_id)


def _asked_about(shop_id: int, order_id: int) -> ParcelView:
    """The first parcel that is still on its way, else the newest: what an order's customer asks about."""
    originals = [one for one in parcels_of_order(shop_id, order_id) if one.role == "original"]
    if not originals:
        raise Refused("order_not_matched")
    return next((one for one in originals if one.stage not in _OVER), originals[-1])


def _say(case: Case, trouble: Answer, now: datetime) -> None:
    try:
        record(case=case, answer=trouble, now=now)
    except Refused as refused:
        if refused.why.code != "answer_too_often":
            raise
