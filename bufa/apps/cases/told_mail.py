"""What somebody is told, as a mail to themselves: chosen by each member, collected, and sent by the shop's own mail.

No buyer stands in it, no order and no waybill: rules, cases, hours and money, with links to the desk, which asks who
one is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bufa.apps.audit import actions as audit
from bufa.apps.cases import told_whom
from bufa.apps.cases.letter_words import carrier_name
from bufa.apps.cases.models import ToldMail
from bufa.apps.cases.rule_words import RULE
from bufa.apps.cases.told_whom import Chair, ToldRow
from bufa.apps.effects import actions as effects
from bufa.apps.effects import queries as effect_queries
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import EffectKind, EffectState
from bufa.apps.shops import queries as shops
from bufa.domain.kinds import Role
from bufa.domain.notices import Language
from bufa.domain.outcome import Refused
from bufa.domain.rulebook import SHOP_ZONE
from bufa.domain.told_mail import Rhythm
from bufa.lib.tenancy import for_shops, reading, writing

MOST_LINES = 30
CONNECTION = "smtp"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member chose. `desk`: the address at which they call the desk, such as `https://desk.example`."""

    address: str
    every_minutes: int
    quiet_from: int
    quiet_to: int
    desk: str = ""

    @property
    def rhythm(self) -> Rhythm:
        return Rhythm(timedelta(minutes=self.every_minutes), self.quiet_from, self.quiet_to)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A member's choice as it stands. `state` of the last mail: "" before the first, else an effect's state; `why` is
    the server's reason where it said no."""

    is_on: bool
    wish: Wish
    sent_at: datetime | None
    state: str = ""
    why: str = ""


def chosen(shop_id: int, operator_id: int) -> Chosen | None:
    """What this member chose in this shop; None for never anything."""
    with reading([shop_id]):
        row = ToldMail.objects.filter(shop_id=shop_id, operator_id=operator_id).first()
        if row is None:
            return None
        last = effect_queries.by_id([shop_id], [row.effect_id]).get(row.effect_id) if row.effect_id else None
        why = str(last.error.get("text") or last.error.get("why") or "") if last else ""
        return Chosen(row.is_on, _wish(row), row.sent_at, last.state if last else "", why)


def choose(*, shop_id: int, operator_id: int, wish: Wish, by: str, now: datetime) -> None:
    """Write to this member from now on. A new address gets a mail at once that says so: whether it arrives is seen now
    and not when it matters. Raises Refused `not_connected` where the shop has no mail of its own."""
    _sender(shop_id)
    with writing([shop_id]):
        rows = ToldMail.objects.select_for_update()
        row = rows.filter(shop_id=shop_id, operator_id=operator_id).first()
        is_new = row is None or not row.is_on or row.address != wish.address
        row = row or ToldMail(shop_id=shop_id, operator_id=operator_id)
        row.is_on, row.address, row.every_minutes = True, wish.address, wish.every_minutes
        row.quiet_from, row.quiet_to, row.desk = wish.quiet_from, wish.quiet_to, wish.desk
        if is_new:
            row.told_until = row.told_before = now
        row.save()
        audit.record(
            shop_id, by, "told.mail", f"operator:{operator_id}", {"every": wish.every_minutes, "address": "changed"}
            if is_new else {"every": wish.every_minutes},
        )  # fmt: skip
        if is_new:
            with translation.override(row.operator.language):
                _want(row, _("提醒邮件开好了"), _welcome(row), now)


def stop(*, shop_id: int, operator_id: int, by: str) -> bool:
    """Write to them no more; what was chosen is kept for the next time. False where nothing was on."""
    with writing([shop_id]):
        changed = ToldMail.objects.filter(shop_id=shop_id, operator_id=operator_id, is_on=True).update(is_on=False)
        if changed:
            audit.record(shop_id, by, "told.mail", f"operator:{operator_id}", {"on": False})
        return bool(changed)


def write_due(shop_ids: Sequence[int], now: datetime) -> int:
    """Write to everybody who may be written to now and has news; returns how many mails were wanted.

    One query finds out whom; the mail itself is an effect like any other, and leaves by a job.
    """
    with for_shops(shop_ids):
        rows = list(ToldMail.objects.filter(shop_id__in=shop_ids, is_on=True).order_by("shop_id", "id"))
    due = [row for row in rows if _wish(row).rhythm.may_write(now, row.sent_at)]
    return sum(_write(row.shop_id, row.pk, now) for row in due)


def on_effect(settled: Settled) -> None:
    """A mail that was refused told nobody anything: its news go into the next one."""
    if settled.state != EffectState.REJECTED:
        return
    row = ToldMail.objects.select_for_update().filter(shop_id=settled.shop_id, id=settled.owner[1]).first()
    if row is not None and row.effect_id == settled.effect_id:
        row.told_until = row.told_before
        row.save(update_fields=["told_until"])


def _write(shop_id: int, row_id: int, now: datetime) -> int:
    with writing([shop_id]):
        row = (
            ToldMail.objects.select_for_update(of=("self",)).select_related("operator").get(shop_id=shop_id, id=row_id)
        )
        role = _role(shop_id, row.operator_id)
        if not row.is_on or role is None or not _wish(row).rhythm.may_write(now, row.sent_at):
            return 0
        chair = Chair(shop_id, role, shops.policy_json(shop_id))
        found = told_whom.told(row.operator_id, [chair], now, MOST_LINES, after=row.told_until)
        news = [one for one in found.rows if one.is_new]
        if not news:
            return 0
        with translation.override(row.operator.language):
            subject, text = digest(news, found.news, row.desk, now)
            try:
                _want(row, subject, text, now)
            except Refused:  # the mail was disconnected since: on the settings page it says so
                return 0
        row.told_before, row.told_until = row.told_until, now
        row.save()
        return 1


def digest(news: Sequence[ToldRow], count: int, desk: str, now: datetime) -> tuple[str, str]:
    """(subject, text) of a mail about these news, of which there are `count`, in the language that is active."""
    by_rule = Counter(str(RULE.get(one.rule, one.rule)) for one in news)
    subject = ngettext("%(n)d 条新的：%(what)s", "%(n)d 条新的：%(what)s", count) % {
        "n": count,
        "what": _("、").join(f"{rule} {n}" for rule, n in by_rule.most_common(3)),
    }
    lines = [line for one in news for line in (_line(one, now), *([f"  {_link(one, desk)}"] if desk else []))]
    if count > len(news):
        lines.append(_("还有 %(n)d 条，在“告诉我的”里。") % {"n": count - len(news)})
    return subject, "\n".join([*lines, "", *_foot(desk)])


def _line(one: ToldRow, now: datetime) -> str:
    """`C-20261103-004 发货超时 · 中通快递 · 11-04 18:00 到，还剩 3.5 小时 · ¥5.00`: no buyer, no order, no number."""
    at = timezone.localtime(one.at, SHOP_ZONE).strftime("%m-%d %H:%M")
    if one.is_warning:
        left = f"{max(0.0, (one.at - now).total_seconds() / 3600):.1f}"
        when = _("预警：%(at)s 到，还剩 %(hours)s 小时") % {"at": at, "hours": left}
    else:
        when = _("%(at)s 发现") % {"at": at}
    language = Language.EN if (translation.get_language() or "").startswith("en") else Language.ZH
    carrier = carrier_name(one.carrier, language) if one.carrier else ""
    parts = [str(RULE.get(one.rule, one.rule)), carrier, when, f"¥{one.fen / 100:.2f}" if one.fen else ""]
    said = " · ".join(part for part in parts if part)
    return f"{one.case_code} {said}" if one.case_code else said


def _link(one: ToldRow, desk: str) -> str:
    if one.case_code:
        return f"{desk}/cases/{one.shop_id}/{one.case_code}/"
    return f"{desk}/parcels/{one.shop_id}/{one.parcel_id}/"


def _foot(desk: str) -> list[str]:
    foot = [_("是你自己在“设置 › 预警和告诉谁”里开的，随时可以关。")]
    return [*foot, f"{desk}/settings/telling/"] if desk else foot


def _welcome(row: ToldMail) -> str:
    said = ngettext(
        "告诉你的异常和预警，从现在起也发到这个地址：有新的才发，%(n)d 分钟里最多一封。",
        "告诉你的异常和预警，从现在起也发到这个地址：有新的才发，%(n)d 分钟里最多一封。",
        row.every_minutes,
    ) % {"n": row.every_minutes}
    lines = [said]
    if row.quiet_from != row.quiet_to:
        quiet = {"begin": row.quiet_from, "end": row.quiet_to}
        lines.append(_("%(begin)d 点到 %(end)d 点不发，攒到之后一起发。") % quiet)
    return "\n".join([*lines, "", *_foot(row.desk)])


def _want(row: ToldMail, subject: str, text: str, now: datetime) -> None:
    sender = _sender(row.shop_id)
    name = shops.shop(row.shop_id).name
    intent: Mapping[str, Any] = {
        "message_id": f"<told.{uuid4().hex}@{sender.partition('@')[2] or 'bufa.invalid'}>",
        "sender": sender,
        "to": [row.address],
        "subject": f"[{name}] {subject}",
        "text": text,
    }
    row.effect_id = effects.want(
        shop_id=row.shop_id,
        kind=EffectKind.TOLD_MAIL,
        key=f"told:{row.pk}:{uuid4().hex}",
        subject=f"digest:{row.pk}",
        intent=intent,
        by="system",
    )
    row.sent_at = now
    row.save()


def _sender(shop_id: int) -> str:
    connection = shops.connection(shop_id, CONNECTION)
    sender = str(connection.settings.get("sender", "")) if connection and connection.state != "off" else ""
    if not sender:
        raise Refused("not_connected", kind=CONNECTION)
    return sender


def _role(shop_id: int, operator_id: int) -> Role | None:
    """Their role while they work for the shop; None once they don't."""
    there = (one.role for one in shops.members([shop_id]) if one.operator_id == operator_id and one.is_active)
    return next(there, None)


def _wish(row: ToldMail) -> Wish:
    return Wish(row.address, row.every_minutes, row.quiet_from, row.quiet_to, row.desk)
