"""Talking with carriers: ask by mail, write down what they agreed to, or go on without them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.cases.queries import cases_by_id
from bufa.apps.effects import actions as effects
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import EffectState
from bufa.apps.negotiations import asking, carrier_cases, letters, many, posting, rules
from bufa.apps.negotiations.contacts import add_contact, remove_contact
from bufa.apps.negotiations.letters import ask_for, write_letter
from bufa.apps.negotiations.models import CarrierMessage, Consent
from bufa.apps.negotiations.posting import About, sender_of
from bufa.apps.negotiations.queries import consent_place, contacts_for
from bufa.apps.parcels.views import parcel_views
from bufa.domain.carrier_cases import COVERS
from bufa.domain.carrier_messages import Ask, Mail
from bufa.domain.cases import Action, CaseState, Claim
from bufa.domain.cases import EffectKind as Wanted
from bufa.domain.chasing import Rung
from bufa.domain.effects import Result
from bufa.domain.kinds import Measure
from bufa.domain.notices import Language
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.domain.verdict import Source
from bufa.lib import clock
from bufa.lib.crypto import seal
from bufa.lib.tenancy import writing

__all__ = [
    "ANSWER_WITHIN",
    "Asked",
    "add_contact",
    "ask_about_reissue",
    "ask_carrier",
    "ask_for",
    "copied",
    "go_without_consent",
    "not_copied",
    "on_effect",
    "record_answer",
    "release",
    "remove_contact",
    "sender_of",
    "write_by_itself",
    "write_letter",
]

ANSWER_WITHIN = timedelta(hours=24)

_COVERED = {
    Measure.REFUND: "payment",
    Measure.COMPENSATE: "payment",
    Measure.REDELIVER: "redeliver",
    Measure.INTERCEPT: "return",
    Measure.CHASE: "search",
    Measure.WAIT: "search",
}
"""What a carrier agrees to when it says yes, by the measure that it was asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    message_id: int
    effect_id: int


def ask_carrier(
    *,
    shop_id: int,
    case_id: int,
    contact_id: int,
    by: Actor,
    language: Language = Language.ZH,
    ask: Ask | None = None,
    extra: str = "",
    answer_due: datetime | None = None,
    rung: Rung | None = None,
    version: int | None = None,
    parcel_id: int | None = None,
    now: datetime | None = None,
) -> Asked:
    """Write to a carrier about a case: the message leaves once, and the case waits for the answer. `rung`: the chase
    ladder's, None for a person's own. `parcel_id`: about one of its parcels that is not the newest.

    Raises Refused: no_such_contact, no_mail_sender, robot_is_off, contact_bounced, asked_today, answer_due_is_past, and
    what the case refuses.
    """
    now = now or clock.now()
    due = answer_due or now + ANSWER_WITHIN
    with writing([shop_id]):
        to = posting.contact(shop_id, contact_id)
        posting.check_reach(shop_id, to)
        case = cases_by_id([shop_id], [case_id])[case_id]
        box = parcel_id or letters.current(case)[0]
        matter = letters.MATTERS.get(ask or letters.asked_for(case), "talk")
        posting.refuse_second_today(shop_id, contact_id, box, now, matter)
        acted = cases.act(
            shop_id=shop_id,
            case_id=case_id,
            action=Action.ASK_CARRIER,
            by=by,
            now=now,
            version=version,
            carries_out=frozenset({Wanted.SEND_CARRIER_MAIL}),
            answer_due=due,
        )
        purpose = many.purpose_of(shop_id, case_id, acted.round, to)
        posted = posting.post(
            shop_id=shop_id,
            to=to,
            about=[About(case_id, acted.code, box, acted.round, purpose)],
            mail=_mail(shop_id, case_id, to.robot is not None, purpose, due, language, ask, extra, rung, parcel_id),
            due=due,
            by=by,
            now=now,
            matter=matter,
            rung=rung.value if rung else "",
        )
        carrier_cases.refresh(shop_id=shop_id, case_ids=[case_id], now=now)
        return Asked(posted.message_ids[0], posted.effect_id)


def _mail(
    shop_id: int,
    case_id: int,
    is_group: bool,
    purpose: str,
    due: datetime,
    language: Language,
    ask: Ask | None,
    extra: str,
    rung: Rung | None,
    parcel_id: int | None,
) -> Mail:
    """A letter; to a group the few lines that a group reads."""
    if is_group and parcel_id is None:
        parcels = asking.parcels_of(shop_id, [case_id], rules.of_shop(shop_id))
        return many.letter(shop_id, parcels, due, extra, language, many.head_of(rung))
    return write_letter(
        shop_id, case_id, answer_by=due, language=language, ask=ask, extra=extra, reminder=purpose == "remind",
        escalated_from=asked_before(shop_id, case_id) if purpose == "escalate" else "", parcel_id=parcel_id,
    )  # fmt: skip


def asked_before(shop_id: int, case_id: int) -> str:
    """Whom the last message went to, as a letter to their superiors names them."""
    rows = CarrierMessage.objects.filter(shop_id=shop_id, case_id=case_id, direction="out", contact__isnull=False)
    last = rows.exclude(state__in=["cancelled", "failed"]).select_related("contact").order_by("-at", "-id").first()
    if last is None or last.contact is None:
        return ""
    return str(last.contact.branch or last.contact.name or last.contact.email)


def write_by_itself(*, shop_id: int, case_id: int, now: datetime | None = None) -> int | None:
    """The mail that a chosen measure owes the carrier (stop the parcel, deliver it again). None: nobody to write to, or
    the case has gone on; a person then finds the text on the case's page."""
    now = now or clock.now()
    with writing([shop_id]):
        facts, _, _ = cases.about(shop_id=shop_id, case_id=case_id)
        if facts.measure not in (Measure.INTERCEPT, Measure.REDELIVER) or facts.carrier_asked_at is not None:
            return None
        case = cases_by_id([shop_id], [case_id])[case_id]
        box, _ = letters.current(case)
        parcel = parcel_views([shop_id], [box])[box]
        contacts = contacts_for(shop_id, parcel.carrier, parcel.place)
        if not contacts:
            return None
        try:
            asked = ask_carrier(shop_id=shop_id, case_id=case_id, contact_id=contacts[0].contact_id, by=SYSTEM, now=now)
        except Refused:
            return None
        return asked.message_id


def ask_about_reissue(*, shop_id: int, case_id: int, now: datetime | None = None) -> int | None:
    """The reissue went wrong: its carrier is asked at once, before anybody has decided what to do, and chased from then
    on. None: nobody to write to, or it was asked in this round already."""
    now = now or clock.now()
    with writing([shop_id]):
        facts, _, _ = cases.about(shop_id=shop_id, case_id=case_id)
        if facts.round < 2 or facts.carrier_asked_at is not None or facts.state is CaseState.CLOSED:
            return None
        box, _ = letters.current(cases_by_id([shop_id], [case_id])[case_id])
        parcel = parcel_views([shop_id], [box])[box]
        contacts = contacts_for(shop_id, parcel.carrier, parcel.place)
        if not contacts:
            return None
        try:
            asked = ask_carrier(shop_id=shop_id, case_id=case_id, contact_id=contacts[0].contact_id, by=SYSTEM, now=now)
        except Refused:
            return None
        return asked.message_id


def record_answer(
    *,
    shop_id: int,
    case_id: int,
    given: bool,
    person: str,
    by: Actor,
    position: str = "",
    said_at: datetime | None = None,
    amount_fen: int | None = None,
    freight_by: str = "",
    terms: str = "",
    valid_until: datetime | None = None,
    proof: str = "",
    covers: str = "",
    rule_id: str = "",
    claim: Claim | None = None,
    version: int | None = None,
    now: datetime | None = None,
) -> int:
    """The carrier's consent or refusal, as a person learned it: who, on which terms, until when, with what proof.

    `terms`: the words agreed to, or the reason of the refusal (needed for one). `covers`: what was agreed to
    (`carrier_cases.COVERS`), "" for what the measure asked; `rule_id`: the rule that it was given under. `claim`: what
    the carrier says is wrong with the parcel, as evidence.

    Raises Refused: amount_negative, valid_until_is_past, parameter_unknown (name), and what the case refuses.
    """
    now = now or clock.now()
    said_at = said_at or now
    if amount_fen is not None and amount_fen < 0:
        raise Refused("amount_negative")
    if valid_until is not None and valid_until <= now:
        raise Refused("valid_until_is_past", valid_until=valid_until.isoformat())
    if covers and covers not in COVERS:
        raise Refused("parameter_unknown", name="covers", value=covers)
    with writing([shop_id]):
        if rule_id and rules.of_shop(shop_id).get(rule_id) is None:
            raise Refused("parameter_unknown", name="rule_id", value=rule_id)
        acted = cases.act(
            shop_id=shop_id,
            case_id=case_id,
            action=Action.RECORD_CONSENT if given else Action.RECORD_REFUSAL,
            by=by,
            now=now,
            version=version,
            who=person,
            reason="" if given else terms or person,
            valid_until=valid_until if given else None,
        )
        row = _consent(shop_id, case_id, acted.round, "given" if given else "refused", by, now, terms)
        row.person, row.position, row.said_at = person[:60], position[:60], said_at
        row.amount_fen, row.freight_by = amount_fen, freight_by
        row.valid_until, row.proof, row.rule_id = valid_until, proof[:200], rule_id
        row.covers = covers or _COVERED.get(acted.facts.measure or Measure.REISSUE, "reissue")
        row.save()
        carrier_cases.refresh(shop_id=shop_id, case_ids=[case_id], now=now)
        if claim is not None:
            cases.add_statement(
                shop_id=shop_id,
                case_id=case_id,
                source=Source.CARRIER,
                claim=claim,
                words=terms,
                said_at=min(said_at, now),
                by=by,
                now=now,
            )
        return row.pk


def go_without_consent(
    *, shop_id: int, case_id: int, reason: str, by: Actor, version: int | None = None, now: datetime | None = None
) -> int:
    """A lead goes on without the carrier's word, and says why."""
    now = now or clock.now()
    with writing([shop_id]):
        acted = cases.act(
            shop_id=shop_id,
            case_id=case_id,
            action=Action.GO_WITHOUT_CONSENT,
            by=by,
            now=now,
            version=version,
            reason=reason,
        )
        row = _consent(shop_id, case_id, acted.round, "overridden", by, now, reason)
        row.save()
        carrier_cases.refresh(shop_id=shop_id, case_ids=[case_id], now=now)
        return row.pk


def on_effect(settled: Settled) -> None:
    """A message left, did not, or nobody knows."""
    words = {
        EffectState.ACCEPTED: "sent",
        EffectState.REJECTED: "failed",
        EffectState.CANCELLED: "failed",
        EffectState.UNKNOWN: "unknown",
    }
    state = words.get(EffectState(settled.state))
    if state is None:
        return
    with writing([settled.shop_id]):
        mine = Q(id=settled.owner[1]) | Q(effect_id=settled.effect_id)  # a mail about many parcels has a row for each
        rows = CarrierMessage.objects.select_for_update(of=("self",)).filter(mine, shop_id=settled.shop_id)
        now, told = clock.now(), []
        for row in rows.exclude(state=state).order_by("id"):
            row.state = state
            row.sent_at = now if state == "sent" else row.sent_at
            row.save(update_fields=["state", "sent_at"])
            cases.log(
                shop_id=settled.shop_id,
                case_id=row.case_id,
                kind=f"carrier_{'mail' if row.channel == 'email' else 'group'}_{state}",
                by=SYSTEM,
                now=now,
                data={"round": row.round, "purpose": row.purpose},
                effect_id=settled.effect_id,
            )
            told.append(row.case_id)
        carrier_cases.refresh(shop_id=settled.shop_id, case_ids=told, now=now)


def release(*, shop_id: int, message_id: int, arrived: bool, by: Actor) -> None:
    """A person says whether a mail of unknown fate arrived."""
    if by.role is not None:
        check(by.role, Permission.SETTLE_EFFECT)
    with writing([shop_id]):
        row = CarrierMessage.objects.get(shop_id=shop_id, id=message_id)
        result = Result.ACCEPTED if arrived else Result.REJECTED
        on_effect(effects.settle(shop_id=shop_id, effect_id=row.effect_id or 0, result=result, by=by.name))
        audit.record(shop_id, by.ref, "message.release", f"message:{message_id}", {"arrived": arrived})


def copied(*, shop_id: int, message_id: int, by: Actor, now: datetime | None = None) -> int:
    """A person has sent a text by hand; returns about how many parcels it was. Raises Refused: not_to_copy."""
    return _settle_by_hand(shop_id, message_id, "sent", by, now or clock.now())


def not_copied(*, shop_id: int, message_id: int, by: Actor, now: datetime | None = None) -> int:
    """Nobody will send it: the ladder goes on without. Raises Refused: not_to_copy."""
    return _settle_by_hand(shop_id, message_id, "cancelled", by, now or clock.now())


def _settle_by_hand(shop_id: int, message_id: int, state: str, by: Actor, now: datetime) -> int:
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        named = CarrierMessage.objects.filter(shop_id=shop_id, id=message_id, state="to_copy")
        token = named.values_list("message_id", flat=True).first()
        if token is None:
            raise Refused("not_to_copy")
        rows = list(CarrierMessage.objects.filter(shop_id=shop_id, message_id=token, state="to_copy").order_by("id"))
        for row in rows:
            row.state, row.sent_at = state, now if state == "sent" else None
            row.save(update_fields=["state", "sent_at"])
            kind = "carrier_text_sent" if state == "sent" else "carrier_mail_cancelled"
            cases.log(shop_id=shop_id, case_id=row.case_id, kind=kind, by=by, now=now, data={"round": row.round})
        audit.record(shop_id, by.ref, f"message.{state}", f"message:{message_id}", {"parcels": len(rows)})
        carrier_cases.refresh(shop_id=shop_id, case_ids=[row.case_id for row in rows], now=now)
        return len(rows)


def _consent(shop_id: int, case_id: int, round_: int, result: str, by: Actor, now: datetime, terms: str) -> Consent:
    now = now.astimezone(UTC)
    sealed = seal(shop_id, terms.encode(), where=consent_place(case_id, now)) if terms else b""
    return Consent(
        shop_id=shop_id,
        case_id=case_id,
        round=round_,
        result=result,
        said_at=now,
        terms=sealed,
        by=by.name,
        recorded_at=now,
    )
