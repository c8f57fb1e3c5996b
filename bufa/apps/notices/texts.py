"""What a notice would say now: the values of a case put into the trade's texts, and which channels are open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bufa.apps.cases import actions as cases
from bufa.apps.cases.letter_words import carrier_name, measure_words, reason_words
from bufa.apps.cases.queries import cases_by_id
from bufa.apps.cases.shapes import CaseRow
from bufa.apps.notices import planning, promises, wordings
from bufa.apps.notices.links import customer_link
from bufa.apps.orders import queries as orders
from bufa.apps.parcels.views import parcel_views
from bufa.apps.shops import queries as shops
from bufa.domain.cases import CaseFacts, Claim, Purpose
from bufa.domain.effects import TAKE_BACK
from bufa.domain.notice_plan import choose
from bufa.domain.notices import Channel, Language, Rendered, Wording, render
from bufa.domain.outcome import Refused, Why
from bufa.lib import clock
from bufa.lib.tenancy import reading

ABOUT_FIRST = (Purpose.REFUSE_ONE, Purpose.KEEP_BOTH)
"""Messages about the case's first parcel, which comes beside its reissue."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One channel's notice as it would leave. `refused`: why this channel is closed (then there is no text).
    `is_first`: the shop's order takes this one. `hold_until`, `held_why`: it would wait. `cost_li`: thousandths of a
    yuan. `template_id`: the approved template that carries it."""

    purpose: str
    channel: str
    language: str
    text: str = field(repr=False)
    subject: str = field(repr=False)
    script: tuple[str, ...] = field(repr=False)
    segments: int
    values: Mapping[str, str]
    to: str
    refused: Why | None
    cost_li: int = 0
    hold_until: datetime | None = None
    held_why: Why | None = None
    is_first: bool = False
    template_id: str = ""


@dataclass(frozen=True, slots=True)
class Addressee:
    """How the recipient can be reached. Plain values only for the moment of sending."""

    phone_cipher: str = field(repr=False)
    phone_mask: str = ""
    email: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)


def values_of(
    shop_id: int, case_id: int, language: Language, purpose: Purpose | None = None
) -> tuple[CaseFacts, dict[str, str | datetime]]:
    """The values that texts are filled with. Nothing of the buyer but the order's tail. `purpose`: one that tells a new
    date is filled with that."""
    with reading([shop_id]):
        case: CaseRow = cases_by_id([shop_id], [case_id])[case_id]
        facts, parcels, weighed = cases.about(shop_id=shop_id, case_id=case_id)
        meant = parcels[0] if purpose in ABOUT_FIRST else parcels[-1]
        current = parcel_views([shop_id], [meant])[meant]
        values: dict[str, str | datetime] = {
            "shop": shops.shop(shop_id).name,
            "order_tail": case.order_number[-4:],
            "reason": reason_words(facts.claim or (Claim(weighed) if weighed else None), language),
            "measure": measure_words(facts.measure, language),
        }
        if current.number:
            values |= {"number": current.number, "carrier": carrier_name(current.carrier, language)}
        if link := customer_link(case):
            values["link"] = link
        stored = cases.kept_facts(shop_id=shop_id, case_id=case_id)
        if stored.get("reissue_code"):
            values["reissue"] = stored["reissue_code"]
        if facts.promise_at is not None:
            first = stored.get("promise_from")
            values["eta_to"] = facts.promise_at
            values["eta_from"] = datetime.fromisoformat(first) if first else facts.promise_at
        if purpose in promises.RENEWS and facts.promise_breaks:
            first_and_last = promises.dates(shop_id, facts, current, clock.now())
            if first_and_last is not None:
                values["eta_from"], values["eta_to"] = first_and_last
        return facts, values


def addressee(shop_id: int, order_id: int) -> Addressee:
    """The recipient's ways: the platform's cipher of the phone, and an email where one was given."""
    known = orders.ciphers(shop_id, order_id)
    plain = orders.open_plain(shop_id, order_id)
    return Addressee(known.get("phone", ""), known.get("phone_mask", ""), plain.email, plain.phone)


def compose(
    shop_id: int,
    case_id: int,
    purpose: Purpose,
    channel: Channel,
    language: Language = Language.ZH,
    edited: Mapping[str, str] | None = None,
    wording: Wording | None = None,
) -> Rendered:
    """The notice with values edited by a person put over our own. Raises Refused notice_values_missing."""
    _, values = values_of(shop_id, case_id, language, purpose)
    merged: dict[str, Any] = {**values, **{name: value for name, value in (edited or {}).items() if value.strip()}}
    return draw(shop_id, purpose, channel, language, merged, wording)


def draw(
    shop_id: int,
    purpose: Purpose,
    channel: Channel,
    language: Language,
    values: Mapping[str, Any],
    wording: Wording | None = None,
) -> Rendered:
    """The shop's text (or `wording`) with these values. A vendor's SMS is signed as the vendor has approved it."""
    text = wording or wordings.wording_of(shop_id, purpose, channel, language).wording
    kind = CONNECTION_OF.get(channel)
    connection = shops.in_use(shop_id).get(kind) if kind else None
    sign = str(connection.settings.get("sign", "")) if connection else ""
    return render(purpose, channel, language, {**values, "sign": sign} if sign else values, text)


CONNECTION_OF: Mapping[Channel, str] = {
    Channel.ALIYUN_SMS: "aliyun_sms",
    Channel.TENCENT_SMS: "tencent_sms",
    Channel.VOICE: "aliyun_voice",
}
"""Channels that a connection of their own carries; where there is none they are not shown at all."""

_MOBILE = re.compile(r"(?:\+?86)?1[3-9]\d{9}")


def closed_channel(
    shop_id: int,
    order_id: int,
    purpose: Purpose,
    channel: Channel,
    who: Addressee | None = None,
    language: Language = Language.ZH,
) -> Why | None:
    """Why a channel can't be used for this purpose now; None when it can. `who`: the addressee, if known already."""
    who = who or addressee(shop_id, order_id)
    if channel in CONNECTION_OF:
        return _closed_vendor(shop_id, purpose, channel, who, language)
    match channel:
        case Channel.SMS:
            if not who.phone_cipher:
                return Why("no_phone_cipher")
            return _unapproved(wordings.wording_of(shop_id, purpose, channel, language))
        case Channel.EMAIL:
            if not who.email:
                return Why("no_email")
            return None if mail_sender(shop_id) else Why("no_mail_sender")
        case _:
            return None


def _closed_vendor(shop_id: int, purpose: Purpose, channel: Channel, who: Addressee, language: Language) -> Why | None:
    kind = CONNECTION_OF[channel]
    if kind not in shops.in_use(shop_id):
        return Why("not_connected", {"kind": kind})
    phone = who.phone.strip()
    if not phone:
        return Why("no_phone")
    if not _MOBILE.fullmatch(phone.replace(" ", "").replace("-", "")):
        return Why("phone_is_virtual")  # main number and extension: only the platform itself reaches it
    return _unapproved(wordings.wording_of(shop_id, purpose, channel, language))


def _unapproved(wording: wordings.WordingView) -> Why | None:
    if wording.may_be_sent:
        return None
    if not wording.vendor_id:
        return Why("no_sms_template", {"purpose": wording.purpose.value})
    return Why("template_not_approved", {"approval": wording.approval, "refusal": wording.refusal})


def mail_sender(shop_id: int) -> str:
    """The shop's own mail address, "" when it has none."""
    connection = shops.connection(shop_id, "smtp")
    return str(connection.settings.get("sender", "")) if connection else ""


def proposals(
    shop_id: int,
    case_id: int,
    purpose: Purpose | None = None,
    language: Language = Language.ZH,
    now: datetime | None = None,
) -> tuple[Proposal, ...]:
    """What could be said now on each channel, the one first that the shop's order takes, then those that can be used,
    then the others with the reason. Channels of vendors that are not connected are left out."""
    with reading([shop_id]):
        case = cases_by_id([shop_id], [case_id])[case_id]
        facts, _ = values_of(shop_id, case_id, language)
        wanted = purpose or wanted_purpose(shop_id, case_id, facts)
        facts, values = values_of(shop_id, case_id, language, wanted)
        who = addressee(shop_id, case.order_id)
        there = shops.in_use(shop_id)
        shown = [each for each in Channel if each not in CONNECTION_OF or CONNECTION_OF[each] in there]
        drawn = [_proposal(case, wanted, channel, language, who, values) for channel in shown]
        return _planned(case, facts, drawn, now or clock.now())


def _planned(case: CaseRow, facts: CaseFacts, drawn: Sequence[Proposal], now: datetime) -> tuple[Proposal, ...]:
    """The proposals with what the shop's rules say of each."""
    rules = planning.rules_of(case.shop_id)
    scene = planning.scene(
        case.shop_id,
        case.order_id,
        now + TAKE_BACK,
        closed={Channel(each.channel): each.refused for each in drawn if each.refused},
        segments={Channel(each.channel): each.segments for each in drawn},
        urgent_by=facts.deadline,
    )
    first = choose(replace(rules, order=tuple(one for one in rules.order if one in {e.channel for e in drawn})), scene)
    found = []
    for each in drawn:
        plan = choose(rules, scene, Channel(each.channel))
        refused = each.refused or plan.skipped.get(Channel(each.channel))
        found.append(
            replace(
                each,
                refused=refused,
                cost_li=plan.cost_li,
                hold_until=plan.hold_until,
                held_why=plan.why,
                is_first=first.channel == each.channel,
            )
        )
    place = {channel: at for at, channel in enumerate(Channel)}
    return tuple(
        sorted(found, key=lambda each: (not each.is_first, each.refused is not None, place[Channel(each.channel)]))
    )


def wanted_purpose(shop_id: int, case_id: int, facts: CaseFacts) -> Purpose:
    """What there is to say now: first the date that will not be kept, then what the measure owes the customer."""
    renewing = promises.next_purpose(shop_id, case_id, facts)
    return renewing or facts.main_purpose or fallback_purpose(facts)


def fallback_purpose(facts: CaseFacts) -> Purpose:
    """What there is to say while the measure owes the customer nothing yet."""
    if facts.needs_ticket and not facts.ticket_open:
        return Purpose.ASK_OPEN_TICKET
    return Purpose.APOLOGY if facts.verdict_confirmed else Purpose.EARLY_WARNING


def _proposal(
    case: CaseRow,
    purpose: Purpose,
    channel: Channel,
    language: Language,
    who: Addressee,
    values: Mapping[str, str | datetime],
) -> Proposal:
    refused = closed_channel(case.shop_id, case.order_id, purpose, channel, who, language)
    shown = Rendered("", "", 0, (), {})
    if refused is None:
        try:
            shown = draw(case.shop_id, purpose, channel, language, values)
        except Refused as told:
            refused = told.why
    to = who.phone_mask if channel is not Channel.EMAIL else _mask(who.email)
    return Proposal(
        purpose=purpose.value,
        channel=channel.value,
        language=language.value,
        text=shown.text,
        subject=shown.subject,
        script=shown.script,
        segments=shown.segments,
        values=shown.values,
        to=to,
        refused=refused,
        template_id=wordings.wording_of(case.shop_id, purpose, channel, language).vendor_id,
    )


def _mask(email: str) -> str:
    name, at, host = email.partition("@")
    return f"{name[:1]}***{at}{host}" if at else ""
