"""What becomes of a notice after it was queued: it left, was refused, was received, or nobody ever said.

Receipts come by push and by asking; both end in `take`, and a receipt that is repeated, late, out of order or about a
message that we never sent changes nothing. Where none comes in time the shop's next channel is taken; never while the
outcome of sending is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM
from bufa.apps.cases.queries import cases_by_id
from bufa.apps.effects import actions as effects
from bufa.apps.notices import opt_outs, planning, texts
from bufa.apps.notices.making import Telling, chosen, kept_text, link_of, lock, make, set_off, tell_case, told_why
from bufa.apps.notices.models import Notice
from bufa.apps.orders import queries as orders
from bufa.domain.cases import Action, Purpose
from bufa.domain.effects import Result
from bufa.domain.notice_plan import next_look, quiet_until
from bufa.domain.notice_wording import wants_out
from bufa.domain.notices import HAS_RECEIPT, RINGS, Channel, Language
from bufa.domain.outcome import Refused
from bufa.integrations.messages import Receipt, Reply
from bufa.lib.tenancy import reading, writing

AGAIN, GIVE_UP = timedelta(minutes=5), timedelta(days=1)
"""When a question for a receipt that nobody answered is put again, and for how long."""

CHANNEL_OF_KIND: Mapping[str, Channel] = {
    "doudian": Channel.SMS,
    "aliyun_sms": Channel.ALIYUN_SMS,
    "tencent_sms": Channel.TENCENT_SMS,
    "aliyun_voice": Channel.VOICE,
}
KIND_OF_CHANNEL: Mapping[Channel, str] = {channel: kind for kind, channel in CHANNEL_OF_KIND.items()}


# --- what became of sending it ---------------------------------------------------------------------------------------


def left(row: Notice, provider_id: str, now: datetime) -> None:
    """The other side took it: the case counts as told, and a receipt is waited for where there is one."""
    row.state, row.sent_at, row.done_at, row.provider_id = "sent", now, now, provider_id[:80]
    if row.channel in HAS_RECEIPT and not row.receipt:
        row.receipt = "waiting"
        row.receipt_due_at = now + timedelta(minutes=planning.rules_of(row.shop_id).receipt_minutes)
        row.look_at = next_look(now, row.receipt_due_at, now)
    row.save()
    tell_case(row, Action.CUSTOMER_TOLD, SYSTEM, now)


def refused(row: Notice, error: Mapping[str, Any], now: datetime) -> None:
    """The other side said no, so nothing left: the next channel of the shop's order takes over, else a person."""
    planning.give_back(row)
    row.state, row.done_at = "failed", now
    row.save()
    why = str(error.get("why", ""))
    if why == "opted_out":
        case = cases_by_id([row.shop_id], [row.case_id])[row.case_id]
        opt_outs.of_vendor(shop_id=row.shop_id, order_id=case.order_id, channel=Channel(row.channel), now=now)
    if fall_back(row, now) is None:
        tell_case(row, Action.NOTICE_FAILED, SYSTEM, now, why=why)


def unknown(row: Notice, effect_id: int, now: datetime) -> None:
    """Nobody knows whether it left. It is read back, then shown to a person; nothing else is sent meanwhile."""
    row.state = "unknown"
    row.save(update_fields=["state"])
    data = {"purpose": row.purpose, "channel": row.channel}
    cases.log(
        shop_id=row.shop_id,
        case_id=row.case_id,
        kind="notice_unknown",
        by=SYSTEM,
        now=now,
        data=data,
        effect_id=effect_id,
    )


def fall_back(row: Notice, now: datetime, *, last: Channel | None = None) -> Notice | None:
    """Say the same on the next channel of the shop's order; `last` where none is left. None: there is no other."""
    for channel in (None, last):
        wanted = Telling(
            row.shop_id,
            row.case_id,
            Purpose(row.purpose),
            SYSTEM,
            now,
            channel=channel,
            language=Language(row.language),
            follows=row,
        )
        try:
            made = make(wanted)
        except Refused:
            if last is None:
                return None
            continue
        data = {"purpose": row.purpose, "from": row.channel, "channel": made.channel}
        cases.log(shop_id=row.shop_id, case_id=row.case_id, kind="notice_fallback", by=SYSTEM, now=now, data=data)
        return made
    return None


# --- receipts --------------------------------------------------------------------------------------------------------


def take(*, shop_id: int, kind: str, told: Sequence[Receipt | Reply], now: datetime) -> int:
    """Receipts and replies of one connection; returns how many changed anything."""
    changed = 0
    with writing([shop_id]):
        for one in told:
            changed += _reply(shop_id, one, now) if isinstance(one, Reply) else _receipt(shop_id, kind, one, now)
    return changed


def _receipt(shop_id: int, kind: str, told: Receipt, now: datetime) -> int:
    row = _meant(shop_id, CHANNEL_OF_KIND[kind], told)
    if row is None or told.status == "waiting":
        return 0
    if row.state == "unknown" and row.effect_id:
        # Who has a receipt has taken it: that settles what the lost answer left open.
        try:
            effects.settle(shop_id=shop_id, effect_id=row.effect_id, result=Result.ACCEPTED, by="receipt")
        except Refused:
            return 0
        left(row, told.message_id, now)
    if row.state not in ("sent", "silent") or row.receipt in ("delivered", "failed"):
        return 0
    row.receipt, row.receipt_at, row.look_at = told.status, told.at or now, None
    row.receipt_code = (told.code or told.text)[:60]
    was_silent = row.state == "silent"
    if told.status == "delivered":
        row.state = "silent" if was_silent and not _stop_followers(row, now) else "delivered"
    elif not was_silent:
        row.state = "failed"
    row.save()
    data = {"purpose": row.purpose, "channel": row.channel, "code": row.receipt_code}
    cases.log(shop_id=shop_id, case_id=row.case_id, kind=f"notice_{told.status}", by=SYSTEM, now=now, data=data)
    if row.state == "failed":
        # It did leave, and it was paid for; but nobody was told.
        fall_back(row, now, last=Channel.PHONE)
    return 1


def _meant(shop_id: int, channel: Channel, told: Receipt) -> Notice | None:
    """The notice that a receipt is about. Where both names are given both must fit: half a guess is none."""
    rows = Notice.objects.select_for_update(of=("self",)).filter(shop_id=shop_id, channel=channel.value)
    if told.tag:
        row = rows.filter(tag=told.tag).first()
        fits = row is not None and (not told.message_id or row.provider_id in ("", told.message_id))
        return row if fits else None
    return rows.filter(provider_id=told.message_id).order_by("-id").first() if told.message_id else None


def _stop_followers(row: Notice, now: datetime) -> bool:
    """The receipt came late after all: what was to follow is kept back, where it has not left."""
    waiting = Notice.objects.select_for_update(of=("self",)).filter(
        shop_id=row.shop_id, follows=row, state__in=["held", "queued", "todo"]
    )
    for follower in waiting:
        if follower.effect_id and not effects.cancel(shop_id=row.shop_id, effect_id=follower.effect_id, by=SYSTEM.name):
            return False
        planning.give_back(follower)
        follower.state, follower.done_at = "cancelled", now
        follower.save()
    return not Notice.objects.filter(shop_id=row.shop_id, follows=row).exclude(state__in=planning.NOBODY).exists()


def _reply(shop_id: int, told: Reply, now: datetime) -> int:
    """Somebody wrote back. Only the wish to be left alone is read by us; the rest is for people to read."""
    if not wants_out(told.text):
        return 0
    person = orders.key_of_phone(shop_id, told.phone)
    mask = f"{told.phone[:3]}****{told.phone[-4:]}" if len(told.phone) >= 11 else ""
    if not opt_outs.note(shop_id=shop_id, person=person, source="reply", by=SYSTEM.name, now=now, mask=mask):
        return 0
    waiting = Notice.objects.select_for_update(of=("self",)).filter(shop_id=shop_id, person=person, state="held")
    for row in waiting:
        _let_go(row, now, "opted_out")
    return 1


# --- what nobody said in time ----------------------------------------------------------------------------------------


def due_looks(shops: Sequence[int], now: datetime, limit: int = 500) -> dict[int, list[int]]:
    """Shop → notices whose receipt is to be asked for now."""
    with reading(shops):
        rows = Notice.objects.filter(shop_id__in=shops, receipt="waiting", look_at__lte=now)
        found: dict[int, list[int]] = {}
        for shop_id, notice_id in rows.order_by("look_at").values_list("shop_id", "id")[:limit]:
            found.setdefault(shop_id, []).append(notice_id)
        return found


def looked(*, shop_id: int, notice_id: int, now: datetime, asked: bool = True) -> bool:
    """It was asked for and is not there yet: again later, or the time is up and the next channel is taken. Returns
    whether the wait is over. `asked` False: nobody answered the question, which is no silence of the message; it is
    put again, for a day."""
    with writing([shop_id]):
        row = lock(shop_id, notice_id)
        if row.receipt != "waiting" or row.state != "sent" or row.receipt_due_at is None or row.sent_at is None:
            return False
        row.look_at = next_look(row.sent_at, row.receipt_due_at, now)
        if not asked and row.look_at is None and now < row.sent_at + GIVE_UP:
            row.look_at = now + AGAIN
        if row.look_at is not None:
            row.save(update_fields=["look_at"])
            return False
        row.receipt, row.state = "none", "silent"
        row.save(update_fields=["look_at", "receipt", "state"])
        data = {"purpose": row.purpose, "channel": row.channel}
        if fall_back(row, now) is None:
            # Nowhere else to go: it stands as sent, and people see that nobody confirmed it.
            row.state = "sent"
            row.save(update_fields=["state"])
            cases.log(shop_id=shop_id, case_id=row.case_id, kind="notice_silent", by=SYSTEM, now=now, data=data)
        return True


# --- what was held ---------------------------------------------------------------------------------------------------


def due_held(shops: Sequence[int], now: datetime, limit: int = 500) -> dict[int, list[int]]:
    """Shop → notices that were held and may leave now."""
    with reading(shops):
        rows = Notice.objects.filter(shop_id__in=shops, state="held", send_at__lte=now)
        found: dict[int, list[int]] = {}
        for shop_id, notice_id in rows.order_by("send_at", "id").values_list("shop_id", "id")[:limit]:
            found.setdefault(shop_id, []).append(notice_id)
        return found


def let_leave(*, shop_id: int, notice_id: int, now: datetime) -> str:
    """A held notice is looked at again: it leaves, waits on, or is given up because its case is closed or nothing is
    open any more. Returns its state. The text is the one that was shown when it was held."""
    with writing([shop_id]):
        row = lock(shop_id, notice_id)
        if row.state != "held":
            return row.state
        case = cases_by_id([shop_id], [row.case_id])[row.case_id]
        if not case.is_open:
            return _let_go(row, now, "told_case_closed")
        channel = Channel(row.channel)
        wanted = Telling(
            shop_id, row.case_id, Purpose(row.purpose), SYSTEM, now, channel=channel, language=Language(row.language)
        )
        plan, _, values = chosen(wanted, case, frozenset())
        if plan.channel is None:
            _let_go(row, now, plan.skipped[channel].code)
            fall_back(row, now)
            return "cancelled"
        row.chosen = {**row.chosen, **told_why(plan)}
        if plan.hold_until is not None:
            row.send_at = plan.hold_until
            row.save(update_fields=["send_at", "chosen"])
            return "held"
        link = kept_text(row).get("link") or link_of(values)
        set_off(row, case, plan.cost_li, now, timedelta(0), row.by, warns=plan.warns, link=link)
        return "queued"


def _let_go(row: Notice, now: datetime, why: str) -> str:
    row.state, row.done_at = "cancelled", now
    row.chosen = {**row.chosen, "let_go": why}
    row.save(update_fields=["state", "done_at", "chosen"])
    audit.record(row.shop_id, SYSTEM.ref, "notice.let_go", f"notice:{row.pk}", {"why": why})
    data = {"purpose": row.purpose, "channel": row.channel, "why": why}
    cases.log(shop_id=row.shop_id, case_id=row.case_id, kind="notice_let_go", by=SYSTEM, now=now, data=data)
    if why != "told_case_closed":
        tell_case(row, Action.NOTICE_FAILED, SYSTEM, now, why=why)
    return row.state


def may_leave(shop_id: int, notice_id: int, now: datetime) -> datetime | None:
    """Asked right before the first byte: None, or until when it must wait, because the quiet hours began while it was
    put off. Raises Refused("opted_out") when the customer has asked to be left alone meanwhile."""
    with reading([shop_id]):
        row = Notice.objects.get(shop_id=shop_id, id=notice_id)
        if Channel(row.channel) in planning.opted_out(shop_id, row.person):
            raise Refused("opted_out")
        rules = planning.rules_of(shop_id)
        until = quiet_until(rules, now) if row.channel in RINGS else None
        if until is None or not rules.urgent:
            return until
        facts, _ = texts.values_of(shop_id, row.case_id, Language(row.language))
        return None if facts.deadline is not None and facts.deadline <= until else until
