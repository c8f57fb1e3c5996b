"""One mail to a carrier about many parcels with one cause: one effect, one line a parcel, every case waits for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bufa.apps.cases import actions as cases
from bufa.apps.cases import many
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.incident_views import IncidentRow
from bufa.apps.cases.letter_words import carrier_name, reason_words
from bufa.apps.cases.queries import cases_by_id
from bufa.apps.effects import actions as effects
from bufa.apps.negotiations import carrier_cases, posting
from bufa.apps.negotiations.letters import ask_for
from bufa.apps.negotiations.models import CarrierMessage
from bufa.apps.negotiations.posting import About, contact
from bufa.apps.parcels.views import parcel_views
from bufa.apps.shops import queries as shops
from bufa.domain.carrier_messages import Mail
from bufa.domain.carrier_rounds import RoundLetter, RoundLine, write_round
from bufa.domain.cases import Action, CaseFacts, Claim
from bufa.domain.cases import EffectKind as Wanted
from bufa.domain.effects import TAKE_BACK
from bufa.domain.notices import Language
from bufa.lib.tenancy import writing

CLAIMS: Mapping[str, Claim] = {
    "pickup": Claim.NOT_PICKED_UP,
    "dispatch": Claim.STALLED,
    "transit": Claim.STALLED,
    "delivery": Claim.LATE,
    "return": Claim.RETURNED,
}
"""What is wrong with the parcels of an incident, by the family of its rules."""


@dataclass(frozen=True, slots=True)
class AskedOne:
    """A case that waits for the mail's answer, and what was asked of the carrier before."""

    case_id: int
    round: int
    before: dict[str, Any]


def ask_one(*, shop_id: int, case_id: int, contact_id: int, due: datetime, by: Actor, now: datetime) -> AskedOne:
    """Let one case wait for the carrier; the mail itself is `send`'s, in the same transaction. Raises Refused."""
    facts, boxes, _ = cases.about(shop_id=shop_id, case_id=case_id)
    posting.refuse_second_today(shop_id, contact_id, boxes[-1], now)
    acted = cases.act(
        shop_id=shop_id,
        case_id=case_id,
        action=Action.ASK_CARRIER,
        by=by,
        now=now,
        carries_out=frozenset({Wanted.SEND_CARRIER_MAIL}),
        answer_due=due,
    )
    return AskedOne(case_id, acted.round, {"asked_at": _text(facts.carrier_asked_at), "due": _text(facts.answer_due)})


def letter(
    incident: IncidentRow, lines: Sequence[RoundLine], due: datetime, extra: str = "", language: Language = Language.ZH
) -> Mail:
    """The mail as it would leave now: for the preview, and for sending. Raises Refused `letter_values_missing`."""
    claim = CLAIMS[incident.family]
    mail = write_round(
        RoundLetter(
            code=incident.code,
            shop=shops.shop(incident.shop_id).name,
            reason=reason_words(claim, language),
            ask=ask_for(claim, None),
            answer_by=due,
            lines=lines,
            where=place_words(incident, language),
        ),
        language,
    )
    return Mail(mail.subject, f"{mail.body}\n{extra.strip()}\n") if extra.strip() else mail


def place_words(incident: IncidentRow, language: Language) -> str:
    """Where it is, for a mail: the hub or branch, the two provinces of a lane, the carrier."""
    match incident.cause:
        case "lane":
            return incident.key.replace(">", "→" if language is Language.ZH else " to ")
        case "carrier":
            return carrier_name(incident.carrier, language)
        case _:
            return incident.key


def lines_of(shop_id: int, case_ids: Sequence[int], parcels: Mapping[int, int]) -> list[RoundLine]:
    """One line a case, in the order given. `parcels`: case → the parcel that it is about now."""
    codes = cases_by_id([shop_id], case_ids)
    views = parcel_views([shop_id], sorted(parcels.values()))
    found: list[RoundLine] = []
    for case_id in case_ids:
        parcel = views[parcels[case_id]]
        found.append(
            RoundLine(
                case_code=codes[case_id].code,
                waybill=parcel.number or parcel.order_number,
                destination=parcel.dest_province,
                place=parcel.place,
                last_scan_at=parcel.last_scan_at,
            )
        )
    return found


def send(
    *,
    incident: IncidentRow,
    key: str,
    contact_id: int,
    asked: Sequence[AskedOne],
    due: datetime,
    extra: str,
    by: Actor,
    now: datetime,
    delay: timedelta = TAKE_BACK,
) -> int:
    """The one message for cases that `ask_one` made wait; returns its effect. `key` makes it one however often it is
    sent. `delay`: real time in which it can be taken back. Raises Refused `no_such_contact`, `no_mail_sender`."""
    shop_id = incident.shop_id
    with writing([shop_id]):
        to = contact(shop_id, contact_id)
        ids = [one.case_id for one in asked]
        newest = many.newest_parcels(shop_id, ids)
        mail = letter(incident, lines_of(shop_id, ids, newest), due, extra)
        codes = cases_by_id([shop_id], ids)
        about = [
            About(
                one.case_id, codes[one.case_id].code, newest[one.case_id], one.round,
                "remind" if one.before["asked_at"] else "ask_consent",
            )
            for one in asked
        ]  # fmt: skip
        posted = posting.post(
            shop_id=shop_id, to=to, about=about, mail=mail, due=due, by=by, now=now, key=key,
            reference=incident.code, delay=delay,
        )  # fmt: skip
        carrier_cases.refresh(shop_id=shop_id, case_ids=ids, now=now)
        return posted.effect_id


def take_back(*, shop_id: int, effect_id: int, by: Actor) -> bool:
    """Take the mail back before it leaves. False when it has left; what its cases waited for is `forget_one`'s."""
    with writing([shop_id]):
        if not effects.cancel(shop_id=shop_id, effect_id=effect_id, by=by.name):
            return False
        CarrierMessage.objects.filter(shop_id=shop_id, effect_id=effect_id).update(state="cancelled")
        return True


def forget_one(*, shop_id: int, case_id: int, before: Mapping[str, Any], by: Actor, now: datetime) -> None:
    """A mail was taken back: the case is as if it had not been asked, and its timeline says so."""
    known = {"carrier_asked_at": _time(before.get("asked_at")), "answer_due": _time(before.get("due"))}
    cases.update_facts(shop_id=shop_id, case_id=case_id, now=now, **known)
    cases.log(shop_id=shop_id, case_id=case_id, kind="carrier_mail_cancelled", by=by, now=now)
    carrier_cases.refresh(shop_id=shop_id, case_ids=[case_id], now=now)


def asked_before(facts: CaseFacts) -> bool:
    return facts.carrier_asked_at is not None


def _text(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def _time(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
