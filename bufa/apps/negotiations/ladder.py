"""Climbing the chase ladder: what is due is sent, many parcels of one contact in one message; people stop it.

The row only says when to look. What is sent is decided anew under the cases' locks, and the database lets no contact be
written to twice a day about one parcel.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.negotiations import actions as talk
from bufa.apps.negotiations import carrier_cases, many
from bufa.apps.negotiations.models import CarrierCase
from bufa.apps.shops import actions as shops
from bufa.domain.chasing import MOST_HOURS, Ladder, Rung
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.domain.personal import strip_personal
from bufa.lib import clock
from bufa.lib.queue import hint
from bufa.lib.tenancy import for_shops, writing

RUN = "negotiations.climb"
AT_ONCE = 500
HELD = timedelta(hours=1)
"""How long a rung waits that was refused: a submission is under way, no mail sender is connected."""


def due(everyone: Sequence[int], now: datetime) -> list[int]:
    """Shops in which a rung is due."""
    with for_shops(everyone):
        rows = CarrierCase.objects.filter(shop_id__in=everyone, next_at__lte=now)
        return sorted(set(rows.order_by().values_list("shop_id", flat=True)[:AT_ONCE]))


def wake(everyone: Sequence[int], now: datetime) -> int:
    """Ask for what is due to be done."""
    return sum(hint(RUN, once=f"{RUN}:{shop_id}", shop_id=shop_id) for shop_id in due(everyone, now))


def climb(*, shop_id: int, now: datetime | None = None) -> int:
    """Send every rung that is due in a shop; returns how many parcels it was about. A group of parcels with one contact
    and one rung is one message and one transaction."""
    now = now or clock.now()
    with for_shops([shop_id]):
        rows = CarrierCase.objects.filter(shop_id=shop_id, next_at__lte=now).order_by("next_at", "id")
        ids = list(rows.values_list("case_id", flat=True)[:AT_ONCE])
    if not ids:
        return 0
    carrier_cases.refresh(shop_id=shop_id, case_ids=ids, now=now)
    with for_shops([shop_id]):
        groups: dict[tuple[int, str], list[int]] = defaultdict(list)
        rows = CarrierCase.objects.filter(shop_id=shop_id, case_id__in=ids, next_at__lte=now).order_by("id")
        for case_id, contact_id, rung in rows.values_list("case_id", "next_contact_id", "next_rung"):
            groups[contact_id, rung].append(case_id)
    return sum(_send(shop_id, contact, rung, members, now) for (contact, rung), members in groups.items())


def _send(shop_id: int, contact_id: int, rung: str, members: Sequence[int], now: datetime) -> int:
    with writing([shop_id]):
        carrier_cases.refresh(shop_id=shop_id, case_ids=members, now=now)  # under the cases' locks from here on
        rows = CarrierCase.objects.filter(
            shop_id=shop_id, case_id__in=members, next_at__lte=now, next_contact_id=contact_id, next_rung=rung
        )
        there = {row.case_id: row for row in rows.order_by("id")}
        if not there:
            return 0
        by_when = max(row.answer_by for row in there.values() if row.answer_by)
        try:
            if len(there) == 1:
                [case_id] = there
                talk.ask_carrier(
                    shop_id=shop_id, case_id=case_id, contact_id=contact_id, by=SYSTEM, answer_due=by_when,
                    rung=Rung(rung), now=now,
                )  # fmt: skip
                return 1
            asked = many.ask(
                shop_id=shop_id, case_ids=list(there), contact_id=contact_id, by=SYSTEM, due=by_when, rung=Rung(rung),
                now=now,
            )  # fmt: skip
        except Refused:
            _hold(shop_id, list(there), now)
            return 0
        _hold(shop_id, [case_id for case_id, _ in asked.refused], now)
        return len(asked.done)


def _hold(shop_id: int, case_ids: Sequence[int], now: datetime) -> None:
    rows = CarrierCase.objects.filter(shop_id=shop_id, case_id__in=case_ids, next_at__lte=now)
    rows.update(held_until=now + HELD, next_at=now + HELD)


def stop(*, shop_id: int, case_id: int, reason: str, by: Actor, now: datetime | None = None) -> None:
    """No more rungs by themselves for this parcel until somebody resumes it. Raises Refused: parameter_missing
    (reason), no_carrier_case, not_allowed."""
    _switch(shop_id, case_id, reason, by, now or clock.now(), stops=True)


def resume(*, shop_id: int, case_id: int, reason: str, by: Actor, now: datetime | None = None) -> None:
    """Go on climbing. Raises Refused as `stop` does."""
    _switch(shop_id, case_id, reason, by, now or clock.now(), stops=False)


def _switch(shop_id: int, case_id: int, reason: str, by: Actor, now: datetime, *, stops: bool) -> None:
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    if not reason.strip():
        raise Refused("parameter_missing", name="reason")
    with writing([shop_id]):
        rows = CarrierCase.objects.select_for_update(of=("self",)).filter(shop_id=shop_id, case_id=case_id)
        row = rows.order_by("-round").first()
        if row is None:
            raise Refused("no_carrier_case")
        row.stopped_at, row.stopped_by = (now, by.name) if stops else (None, "")
        row.stop_reason = strip_personal(reason.strip())[:200] if stops else ""
        row.held_until = None
        row.save(update_fields=["stopped_at", "stopped_by", "stop_reason", "held_until"])
        kind = "ladder_stopped" if stops else "ladder_resumed"
        cases.log(shop_id=shop_id, case_id=case_id, kind=kind, by=by, now=now, words=reason.strip()[:200])
        audit.record(shop_id, by.ref, f"ladder.{'stop' if stops else 'resume'}", f"case:{case_id}")
        carrier_cases.refresh(shop_id=shop_id, case_ids=[case_id], now=now)


def set_policy(*, shop_id: int, ladder: Ladder, by: Actor, now: datetime | None = None) -> None:
    """The shop's hours per rung; rungs that wait are worked out anew. Raises Refused: not_allowed, ladder_hours."""
    if by.role is not None:
        check(by.role, Permission.EDIT_POLICY)
    if any(not 1 <= hours <= MOST_HOURS for hours in ladder.hours.values()) or not 0 <= ladder.reminders <= 5:
        raise Refused("ladder_hours", most=MOST_HOURS)
    shops.change_policy(shop_id=shop_id, changes={"ladder": ladder.stored()}, by=by.ref)
    again(shop_id=shop_id, now=now or clock.now())


def again(*, shop_id: int, now: datetime, carrier: str = "") -> None:
    """Work out every waiting rung anew: the policy, the calendar or a contact changed."""
    with for_shops([shop_id]):
        rows = CarrierCase.objects.filter(shop_id=shop_id).exclude(state="closed")
        rows = rows.filter(carrier=carrier) if carrier else rows
        ids = list(rows.order_by("case_id").values_list("case_id", flat=True))
    for at in range(0, len(ids), AT_ONCE):
        carrier_cases.refresh(shop_id=shop_id, case_ids=ids[at : at + AT_ONCE], now=now)
