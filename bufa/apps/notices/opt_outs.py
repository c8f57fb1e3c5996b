"""People who want no messages any more: because they wrote so, because one of us noted it, because a vendor says so."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.cases.queries import cases_by_id
from bufa.apps.notices.models import OptOut
from bufa.apps.notices.planning import OptOutView, wishes
from bufa.apps.orders import queries as orders
from bufa.domain.notices import Channel
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.tenancy import reading, writing


def note(
    *, shop_id: int, person: str, source: str, by: str, now: datetime, mask: str = "", channel: Channel | None = None
) -> bool:
    """Write the wish down; False when it stood already, or nobody is named."""
    if not person:
        return False
    with writing([shop_id]):
        try:
            with transaction.atomic():
                row = OptOut.objects.create(
                    shop_id=shop_id, person=person, source=source, channel=channel or "", mask=mask[:40], at=now, by=by
                )
        except IntegrityError:
            return False
        audit.record(shop_id, by, "notice.opt_out", f"opt_out:{row.pk}", {"source": source, "channel": channel or ""})
        return True


def leave_alone(*, shop_id: int, case_id: int, by: Actor, now: datetime | None = None) -> None:
    """One of us notes that this case's customer wants no messages. Raises Refused: not_allowed, person_unknown."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.SEND_NOTICE)
    with writing([shop_id]):
        case = cases_by_id([shop_id], [case_id])[case_id]
        person = orders.person_key(shop_id, case.order_id)
        if not person:
            raise Refused("person_unknown")
        mask = orders.ciphers(shop_id, case.order_id).get("phone_mask", "")
        if note(shop_id=shop_id, person=person, source="person", by=by.name, now=now, mask=mask):
            cases.log(shop_id=shop_id, case_id=case_id, kind="opted_out", by=by, now=now, data={"source": "person"})


def lift(*, shop_id: int, opt_out_id: int, by: Actor, now: datetime | None = None) -> None:
    """Take a wish back: a mistake, or the customer says so."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.SEND_NOTICE)
    with writing([shop_id]):
        changed = OptOut.objects.filter(shop_id=shop_id, id=opt_out_id, lifted_at=None).update(
            lifted_at=now, lifted_by=by.name
        )
        if not changed:
            raise Refused("not_there_any_more")
        audit.record(shop_id, by.ref, "notice.opt_in", f"opt_out:{opt_out_id}")


def of_vendor(*, shop_id: int, order_id: int, channel: Channel, now: datetime) -> None:
    """A vendor refuses this number for good: it is not tried there again."""
    person = orders.person_key(shop_id, order_id)
    note(shop_id=shop_id, person=person, source="vendor", by=SYSTEM.name, now=now, channel=channel)


def of_order(shop_id: int, order_id: int) -> tuple[OptOutView, ...]:
    """The wishes that stand for whoever receives this order."""
    return wishes(shop_id, orders.person_key(shop_id, order_id))


def standing(shop_id: int, limit: int = 100) -> tuple[OptOutView, ...]:
    """All wishes that stand, newest first."""
    with reading([shop_id]):
        rows = OptOut.objects.filter(shop_id=shop_id, lifted_at=None).order_by("-id")[:limit]
        return tuple(OptOutView(row.pk, row.source, row.channel, row.mask, row.at, row.by) for row in rows)
