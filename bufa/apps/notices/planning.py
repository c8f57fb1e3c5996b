"""The shop's rules of telling brought to one case: what is closed, said, wished and spent, for `domain.notice_plan`.

Money is reserved when a message is put on its way and given back when it did not leave. All of it is written under the
shop's lock (`tenancy.writing`), so two workers together never pass a budget or a limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F, Sum

from bufa.apps.audit import actions as audit
from bufa.apps.notices.models import Notice, OptOut, Spending
from bufa.apps.orders import queries as orders
from bufa.apps.shops import queries as shops
from bufa.domain.notice_plan import Rules, Scene, shop_date
from bufa.domain.notices import Channel
from bufa.domain.outcome import Refused, Why
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading, writing

COUNTS_NOT = ("cancelled", "failed", "held", "todo")
"""States of a notice that reached nobody: they count to no day."""

NOBODY = frozenset({"cancelled", "failed", "silent"})
"""States after which another notice may say the same."""


def rules_of(shop_id: int) -> Rules:
    """The shop's rules of telling."""
    return Rules.read(shops.policy_json(shop_id))


def told_on(shop_id: int, person: str, day: date) -> int:
    """Messages that this person had, or will have, on that day of the shop."""
    if not person:
        return 0
    with reading([shop_id]):
        found = Notice.objects.filter(shop_id=shop_id, person=person, day=day).exclude(state__in=COUNTS_NOT)
        return len(found.values_list("id", flat=True))


@remembered
def spent(shop_id: int, day: date) -> int:
    """Li that the shop's messages of that day cost so far."""
    with reading([shop_id]):
        return Spending.objects.filter(shop_id=shop_id, day=day).values_list("cost_li", flat=True).first() or 0


@dataclass(frozen=True, slots=True)
class OptOutView:
    """One wish to be left alone that stands. `channel` "" is all of them."""

    opt_out_id: int
    source: str
    channel: str
    mask: str
    at: datetime
    by: str


@remembered
def wishes(shop_id: int, person: str) -> tuple[OptOutView, ...]:
    """The wishes of one person that stand."""
    if not person:
        return ()
    with reading([shop_id]):
        rows = OptOut.objects.filter(shop_id=shop_id, person=person, lifted_at=None).order_by("id")
        return tuple(OptOutView(row.pk, row.source, row.channel, row.mask, row.at, row.by) for row in rows)


def opted_out(shop_id: int, person: str) -> frozenset[Channel]:
    """Channels on which this person wants nothing. The wish to be left alone is for all but a person's own call."""
    named = {each.channel for each in wishes(shop_id, person)}
    if "" in named:
        return frozenset(Channel) - {Channel.PHONE}
    return frozenset(Channel(one) for one in named)


def around(shop_id: int, order_id: int, now: datetime) -> None:
    """Read what `scene` will ask for (with `shelf.together`)."""
    person = orders.person_key(shop_id, order_id)
    day = shop_date(now)
    wishes(shop_id, person)
    spent(shop_id, day)
    told_on(shop_id, person, day)


def scene(
    shop_id: int,
    order_id: int,
    now: datetime,
    *,
    closed: Mapping[Channel, Why],
    segments: Mapping[Channel, int],
    tried: frozenset[Channel] = frozenset(),
    urgent_by: datetime | None = None,
) -> Scene:
    """What the decision needs to know, in the caller's transaction."""
    person = orders.person_key(shop_id, order_id)
    day = shop_date(now)
    return Scene(
        now=now,
        closed=closed,
        tried=tried,
        opted_out=opted_out(shop_id, person),
        told_today=told_on(shop_id, person, day),
        spent_li=spent(shop_id, day),
        segments=segments,
        urgent_by=urgent_by,
    )


def reserve(row: Notice, cost_li: int, now: datetime, rules: Rules, *, warns: bool) -> None:
    """Count a message that is put on its way, to its day and to its budget. The caller saves the row."""
    row.day, row.cost_li = shop_date(now), cost_li
    with writing([row.shop_id]):
        day, _ = Spending.objects.get_or_create(shop_id=row.shop_id, day=row.day)
        Spending.objects.filter(pk=day.pk).update(cost_li=F("cost_li") + cost_li, messages=F("messages") + 1)
        if warns and day.warned_at is None:
            Spending.objects.filter(pk=day.pk).update(warned_at=now)
            said = {"spent_li": day.cost_li + cost_li, "budget_li": rules.budget_li}
            audit.record(row.shop_id, "system", "notice.budget_warning", f"shop:{row.shop_id}", said)


def pay(shop_id: int, cost_li: int, now: datetime) -> None:
    """Count money that no notice stands for (a test message). Raises Refused("notice_budget_spent")."""
    rules, day = rules_of(shop_id), shop_date(now)
    with writing([shop_id]):
        row, _ = Spending.objects.get_or_create(shop_id=shop_id, day=day)
        if rules.budget_li is not None and row.cost_li + cost_li > rules.budget_li:
            raise Refused("notice_budget_spent", spent_li=row.cost_li, budget_li=rules.budget_li)
        Spending.objects.filter(pk=row.pk).update(cost_li=F("cost_li") + cost_li, tests_li=F("tests_li") + cost_li)


def give_back(row: Notice) -> None:
    """A message that did not leave costs nothing and counts to no day."""
    if row.day is None:
        return
    with writing([row.shop_id]):
        found = Spending.objects.filter(shop_id=row.shop_id, day=row.day, messages__gt=0, cost_li__gte=row.cost_li)
        found.update(cost_li=F("cost_li") - row.cost_li, messages=F("messages") - 1)
    row.day, row.cost_li = None, 0


def stopped(shop_id: int, now: datetime, rules: Rules) -> None:
    """The budget kept a message back: said once a day, where people see it."""
    with writing([shop_id]):
        day, _ = Spending.objects.get_or_create(shop_id=shop_id, day=shop_date(now))
        if day.stopped_at is None:
            Spending.objects.filter(pk=day.pk).update(stopped_at=now)
            said = {"spent_li": day.cost_li, "budget_li": rules.budget_li}
            audit.record(shop_id, "system", "notice.budget_stop", f"shop:{shop_id}", said)


@dataclass(frozen=True, slots=True)
class DayView:
    """What the shop's messages of one day came to. `level`: "", "warned" or "stopped"."""

    day: date
    cost_li: int
    messages: int
    budget_li: int | None
    level: str


@remembered
def today(shop_id: int, now: datetime) -> DayView:
    """What today's messages cost so far, beside the budget."""
    rules, day = rules_of(shop_id), shop_date(now)
    with reading([shop_id]):
        row = Spending.objects.filter(shop_id=shop_id, day=day).first()
    if row is None:
        return DayView(day, 0, 0, rules.budget_li, "")
    near = rules.budget_li is not None and row.cost_li * 100 >= rules.budget_li * rules.warn_percent
    level = "stopped" if row.stopped_at and rules.budget_li is not None else "warned" if near else ""
    return DayView(day, row.cost_li, row.messages, rules.budget_li, level)


def recount(shop_id: int, day: date) -> int:
    """What the notices themselves say that the day cost: equal to `spent`, or an invariant is broken."""
    with reading([shop_id]):
        # One that did not leave has no day; one that left and did not arrive was paid for all the same.
        found = Notice.objects.filter(shop_id=shop_id, day=day)
        return found.aggregate(cost=Sum("cost_li"))["cost"] or 0
