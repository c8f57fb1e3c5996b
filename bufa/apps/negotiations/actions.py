"""Talking with carriers: ask by mail, write down what they agreed to, or go on without them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.db.models import Q

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.cases.letter_words import reason_words
from bufa.apps.cases.queries import cases_by_id
from bufa.apps.cases.shapes import CaseRow
from bufa.apps.effects import actions as effects
from bufa.apps.effects.actions import Settled
from bufa.apps.effects.models import EffectKind, EffectState
from bufa.apps.negotiations.models import CarrierContact, CarrierMessage, Consent
from bufa.apps.negotiations.queries import consent_place, contacts_for, message_place
from bufa.apps.negotiations.reply_tags import reply_to
from bufa.apps.orders.views import order_view
from bufa.apps.parcels.views import parcel_views
from bufa.apps.shops import queries as shops
from bufa.domain.carrier_messages import Ask, CarrierLetter, Mail, write
from bufa.domain.cases import Action, CaseFacts, Claim
from bufa.domain.cases import EffectKind as Wanted
from bufa.domain.effects import Result
from bufa.domain.kinds import Measure
from bufa.domain.notices import Language
from bufa.domain.outcome import Refused
from bufa.domain.parcels import ParcelState
from bufa.domain.permissions import Permission, check
from bufa.domain.verdict import Source
from bufa.lib import clock
from bufa.lib.crypto import seal
from bufa.lib.tenancy import reading, writing

ANSWER_WITHIN = timedelta(hours=24)

_ASK_BY_CLAIM = {Claim.NOT_PICKED_UP: Ask.PICK_UP, Claim.SIGNED_NOT_RECEIVED: Ask.PROOF}
_ASK_BY_MEASURE = {
    Measure.REISSUE: Ask.CONSENT,
    Measure.REFUND: Ask.CONSENT,
    Measure.REDELIVER: Ask.REDELIVER,
    Measure.INTERCEPT: Ask.INTERCEPT,
}


@dataclass(frozen=True, slots=True)
class Asked:
    message_id: int
    effect_id: int


def add_contact(*, shop_id: int, carrier: str, email: str, branch: str = "", name: str = "", by: Actor) -> int:
    """Whom to write to at a carrier; the same one twice is one."""
    if "@" not in email:
        raise Refused("email_shape")
    with writing([shop_id]):
        row, made = CarrierContact.objects.get_or_create(
            shop_id=shop_id,
            carrier=carrier,
            branch=branch.strip(),
            email=email.strip(),
            defaults={"name": name.strip()},
        )
        if not made and not row.is_active:
            row.is_active = True
            row.save(update_fields=["is_active"])
        audit.record(shop_id, by.ref, "contact.add", f"contact:{row.pk}", {"carrier": carrier})
        return row.pk


def remove_contact(*, shop_id: int, contact_id: int, by: Actor) -> None:
    """Write to this contact no more; mails that went there stay."""
    with writing([shop_id]):
        CarrierContact.objects.filter(shop_id=shop_id, id=contact_id).update(is_active=False)
        audit.record(shop_id, by.ref, "contact.remove", f"contact:{contact_id}")


def write_letter(
    shop_id: int,
    case_id: int,
    *,
    answer_by: datetime,
    language: Language = Language.ZH,
    ask: Ask | None = None,
    extra: str = "",
    reminder: bool = False,
) -> Mail:
    """The mail as it would leave now: for the preview, and for sending."""
    with reading([shop_id]):
        case = cases_by_id([shop_id], [case_id])[case_id]
        letter = _letter(case, answer_by, language, ask, reminder=reminder)
    mail = write(letter, language)
    return Mail(mail.subject, f"{mail.body}\n{extra.strip()}\n") if extra.strip() else mail


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
    version: int | None = None,
    now: datetime | None = None,
) -> Asked:
    """Write to a carrier about a case: the mail leaves once, and the case waits for the answer."""
    now = now or clock.now()
    due = answer_due or now + ANSWER_WITHIN
    with writing([shop_id]):
        contact = CarrierContact.objects.filter(shop_id=shop_id, id=contact_id, is_active=True).first()
        if contact is None:
            raise Refused("no_such_contact")
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
        reminder = any(effect.params.get("reminder") for effect in acted.effects)
        mail = write_letter(shop_id, case_id, answer_by=due, language=language, ask=ask, extra=extra, reminder=reminder)
        sender = sender_of(shop_id)
        token = f"<{acted.code.lower()}.{uuid4().hex}@{sender.partition('@')[2] or 'bufa.invalid'}>"
        row = CarrierMessage.objects.create(
            shop_id=shop_id,
            case_id=case_id,
            contact=contact,
            round=acted.round,
            purpose="remind" if reminder else "ask_consent",
            subject=seal(shop_id, mail.subject.encode(), where=message_place(case_id, "subject", token)),
            body=seal(shop_id, mail.body.encode(), where=message_place(case_id, "body", token)),
            message_id=token,
            by=by.name,
            at=now,
            answer_by=due,
        )
        row.effect_id = effects.want(
            shop_id=shop_id,
            kind=EffectKind.CARRIER_MAIL,
            key=f"message:{row.pk}",
            subject=f"message:{row.pk}",
            intent={
                "message_id": token,
                "sender": sender,
                "to": [contact.email],
                "subject": mail.subject,
                "text": mail.body,
                "reply_to": reply_to(shop_id, case_id, sender),
            },
            by=by.name,
        )
        row.save(update_fields=["effect_id"])
        return Asked(row.pk, row.effect_id)


def write_by_itself(*, shop_id: int, case_id: int, now: datetime | None = None) -> int | None:
    """The mail that a chosen measure owes the carrier (stop the parcel, deliver it again). None: nobody to write to, or
    the case has gone on; a person then finds the text on the case's page."""
    now = now or clock.now()
    with writing([shop_id]):
        facts, _, _ = cases.about(shop_id=shop_id, case_id=case_id)
        if facts.measure not in (Measure.INTERCEPT, Measure.REDELIVER) or facts.carrier_asked_at is not None:
            return None
        case = cases_by_id([shop_id], [case_id])[case_id]
        parcel = parcel_views([shop_id], [_current(case)[0]])[_current(case)[0]]
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
    claim: Claim | None = None,
    version: int | None = None,
    now: datetime | None = None,
) -> int:
    """The carrier's consent or refusal, as a person learned it: who, on which terms, until when, with what proof.

    `terms`: the words agreed to, or the reason of the refusal (needed for one). `claim`: what the carrier says is
    wrong with the parcel, as evidence.
    """
    now = now or clock.now()
    said_at = said_at or now
    if amount_fen is not None and amount_fen < 0:
        raise Refused("amount_negative")
    if valid_until is not None and valid_until <= now:
        raise Refused("valid_until_is_past", valid_until=valid_until.isoformat())
    with writing([shop_id]):
        acted = cases.act(
            shop_id=shop_id,
            case_id=case_id,
            action=Action.RECORD_CONSENT if given else Action.RECORD_REFUSAL,
            by=by,
            now=now,
            version=version,
            who=person,
            reason="" if given else terms or person,
        )
        row = _consent(shop_id, case_id, acted.round, "given" if given else "refused", by, now, terms)
        row.person, row.position, row.said_at = person[:60], position[:60], said_at
        row.amount_fen, row.freight_by = amount_fen, freight_by
        row.valid_until, row.proof = valid_until, proof[:200]
        row.save()
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
        return row.pk


def on_effect(settled: Settled) -> None:
    """A mail left, did not, or nobody knows."""
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
        now = clock.now()
        for row in rows.exclude(state=state).order_by("id"):
            row.state = state
            row.sent_at = now if state == "sent" else row.sent_at
            row.save(update_fields=["state", "sent_at"])
            cases.log(
                shop_id=settled.shop_id,
                case_id=row.case_id,
                kind=f"carrier_mail_{state}",
                by=SYSTEM,
                now=now,
                data={"round": row.round, "purpose": row.purpose},
                effect_id=settled.effect_id,
            )


def release(*, shop_id: int, message_id: int, arrived: bool, by: Actor) -> None:
    """A person says whether a mail of unknown fate arrived."""
    if by.role is not None:
        check(by.role, Permission.SETTLE_EFFECT)
    with writing([shop_id]):
        row = CarrierMessage.objects.get(shop_id=shop_id, id=message_id)
        result = Result.ACCEPTED if arrived else Result.REJECTED
        on_effect(effects.settle(shop_id=shop_id, effect_id=row.effect_id or 0, result=result, by=by.name))
        audit.record(shop_id, by.ref, "message.release", f"message:{message_id}", {"arrived": arrived})


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


def ask_for(facts_claim: Claim | None, measure: Measure | None) -> Ask:
    """What a carrier is asked for, by what is done and what is wrong."""
    if measure in _ASK_BY_MEASURE:
        return _ASK_BY_MEASURE[measure]
    return _ASK_BY_CLAIM.get(facts_claim, Ask.LOCATE) if facts_claim else Ask.LOCATE


def _letter(
    case: CaseRow, answer_by: datetime, language: Language, ask: Ask | None, *, reminder: bool
) -> CarrierLetter:
    order = order_view(case.shop_id, case.order_id)
    current, claim = _current(case)
    parcel = parcel_views([case.shop_id], [current])[current]
    if order is None:
        raise LookupError(f"case {case.code} has no order")
    measure = Measure(case.measure) if case.measure else None
    contents = "、".join(f"{line.title} × {line.quantity}" for line in order.lines)
    return CarrierLetter(
        case_code=case.code,
        shop=shops.shop(case.shop_id).name,
        waybill=parcel.number or case.order_number,
        order_tail=case.order_number[-4:],
        reason=reason_words(claim, language),
        ask=ask or ask_for(claim, measure),
        answer_by=answer_by,
        origin=parcel.origin_province,
        destination=" ".join(part for part in (order.recipient.province, order.recipient.city) if part),
        collected_at=ParcelState.from_json(parcel.state).collected_at,
        last_scan_at=parcel.last_scan_at,
        place=parcel.place,
        contents=contents,
        value_fen=order.paid_fen or None,
        reminder=reminder,
    )


def _current(case: CaseRow) -> tuple[int, Claim | None]:
    """The parcel that the case is about now (the newest reissue, else the original), and what is wrong with it."""
    facts, parcels, verdict = cases.about(shop_id=case.shop_id, case_id=case.case_id)
    return parcels[-1], _claim(facts, verdict)


def _claim(facts: CaseFacts, weighed: str) -> Claim | None:
    return facts.claim or (Claim(weighed) if weighed else None)


def sender_of(shop_id: int) -> str:
    """The shop's own address, from its mail connection. Raises Refused `no_mail_sender`."""
    connection = shops.connection(shop_id, "smtp")
    sender = str(connection.settings.get("sender", "")) if connection else ""
    if not sender:
        raise Refused("no_mail_sender")
    return sender
