"""Today: what matters now, the five steps, what will cost money next."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from bufa.apps.cases import queries as cases
from bufa.apps.cases import told_whom
from bufa.apps.cases.shapes import MoneyNext, Today
from bufa.apps.claims import deductions
from bufa.apps.claims import queries as claims
from bufa.apps.notices import promises
from bufa.apps.notices import queries as notices
from bufa.apps.orders import queries as orders
from bufa.apps.shops import queries as shops
from bufa.domain import money_ahead
from bufa.domain.money_ahead import day_end
from bufa.domain.permissions import Permission
from bufa.lib import clock
from bufa.lib.shelf import together
from bufa.web import told
from bufa.web.desk import Desk, desk
from bufa.web.words import moment, yuan


def page(request: HttpRequest) -> HttpResponse:
    """The whole page, or its living part when htmx asks for it every ten seconds."""
    here = desk(request)
    if not here.seats:
        return render(request, "web/today/no_shop.html", status=200)
    now = clock.now()
    approving = [shop for shop in here.shops if here.may(Permission.APPROVE_MEASURE, shop)]
    together(
        partial(cases.mine, here.shops, here.operator_id),
        partial(cases.waiting_approvals, approving, limit=8),
        partial(orders.tickets_to_answer, here.shops, limit=6),
        partial(notices.calls, here.shops, limit=6),
        partial(promises.breaking, here.shops),
        partial(shops.connections, here.shops),
        partial(deductions.due_soon, here.shops, now, limit=6),
        partial(claims.due_soon, here.shops, now, limit=6),
    )
    today = cases.today(here.shops, now, here.operator_id)
    said = {
        "now": now,
        "today": today,
        "headline": headline(today, now),
        "headline_step": headline_step(today, now),
        "money": today.money[:12],
        "hours": hours(today, here.names if len(here.shops) > 1 else {}),
        "shop_days": shop_days(today, here, now),
        "mine": today.mine[:8],
        "incidents": today.incidents,
        "told": told_whom.told(here.operator_id, told.chairs(here), now, limit=6),
        "approvals": cases.waiting_approvals(approving, limit=8),
        "claims_due": claims.due_soon(here.shops, now, limit=6),
        "deductions_due": deductions.due_soon(here.shops, now, limit=6),
        "tickets": orders.tickets_to_answer(here.shops, limit=6),
        "tasks": notices.calls(here.shops, limit=6),
        "breaking": promises.breaking(here.shops),
        "loading": [each for each in shops.connections(here.shops) if _is_loading(each.progress)],
    }
    living = bool(getattr(request, "htmx", False))
    return render(request, "web/today/live.html" if living else "web/today/page.html", said)


def headline(today: Today, now: datetime) -> str:
    """One sentence: the money that can still be kept today, else what is late, else that all is calm."""
    if today.day.by is not None:
        last = _round_hour(today.day.by)
        return _("今天 %(time)s 前有 %(money)s 要赔，现在动手可以不赔") % {
            "time": "24:00" if last >= day_end(now) else last.strftime("%H:%M"),
            "money": yuan(today.day.fen),
        }
    late = sum(step.overdue for step in today.steps)
    if late:
        return _("%(n)d 个案件过了时限，先办这些") % {"n": late}
    if today.money:
        first: MoneyNext = today.money[0]
        return _("今天没有要赔的；下一笔在 %(time)s，%(money)s") % {
            "time": moment(first.at),
            "money": yuan(first.risk_fen),
        }
    if today.open_cases:
        return _("没有马上要赔的钱，%(n)d 个案件在办") % {"n": today.open_cases}
    return _("一切正常：没有要办的案件")


def headline_step(today: Today, now: datetime) -> str:
    """The dearest step of the day that many parcels make alike: "¥3 becomes ¥25 on 14 parcels at 16:00", or ""."""
    alike = [step for step in today.ahead if step.parcels > 1 and step.is_uniform and now < step.at < day_end(now)]
    if not alike:
        return ""
    step = max(alike, key=lambda each: (each.more_fen, -each.at.timestamp()))
    return _("%(time)s 起 %(n)d 件从 %(before)s 变成 %(after)s") % {
        "time": localtime(step.at).strftime("%H:%M"),
        "n": step.parcels,
        "before": yuan(step.before_min),
        "after": yuan(step.after_min),
    }


def hours(today: Today, names: dict[int, str], limit: int = 6) -> list[dict[str, Any]]:
    """What the next hours cost, in time order: "16:00 · ¥3 becomes ¥25 on 14 parcels"; `names` where shops differ.

    Nothing while each hour is about one parcel: the table of parcels says the same.
    """
    if all(step.parcels == 1 for step in today.ahead[:limit]):
        return []
    return [{"step": step, "shop": names.get(step.shop_id, "")} for step in today.ahead[:limit]]


def shop_days(today: Today, here: Desk, now: datetime) -> list[dict[str, Any]]:
    """Each shop's part of the day's money, the dearest first; nothing where the page is about one shop."""
    if len(here.shops) < 2:
        return []
    days = [(here.names[each], money_ahead.today(today.ahead, now, each)) for each in here.shops]
    dearest = sorted(((name, day) for name, day in days if day.fen), key=lambda one: -one[1].fen)
    return [{"name": name, "day": day} for name, day in dearest]


def _round_hour(at: datetime) -> datetime:
    here = localtime(at)
    floor = here.replace(minute=0, second=0, microsecond=0)
    return floor if floor == here else floor + timedelta(hours=1)


def _is_loading(progress: object) -> bool:
    return isinstance(progress, dict) and bool(progress.get("total")) and progress.get("phase") not in ("done", "")
