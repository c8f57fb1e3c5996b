"""What carriers said, read and laid before a person: one key accepts it as statement, consent or refusal.

Nothing here acts by itself, whoever the sender is. The same words from the same place are one answer; a later answer
about the same parcel from the same kind of source takes the place of one that nobody has decided yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case
from bufa.apps.negotiations import actions as talk
from bufa.apps.negotiations import carrier_cases
from bufa.apps.negotiations.models import CarrierAnswer, CarrierLink, IncomingMail
from bufa.apps.parcels.models import Parcel
from bufa.domain.carrier_answers import Answer, Taken, take_apart
from bufa.domain.carrier_says import Said
from bufa.domain.case_facts import Claim
from bufa.domain.cases import CaseState
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.domain.verdict import Source
from bufa.lib import clock
from bufa.lib.crypto import seal, unseal
from bufa.lib.tenancy import reading, writing

MOST_AT_ONCE = 1_000
STRANGER = "stranger"
"""The sender of a mail whose address is no contact's."""


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One answer to decide. `sender` is a contact, a link or a colleague. `is_trusted`: known who said it."""

    answer_id: int
    shop_id: int
    case_id: int
    case_code: str
    carrier: str
    number: str
    source: str
    said: Said
    sender: str
    is_trusted: bool
    state: str
    at: datetime
    decided_by: str
    can_consent: bool
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a text came to. `unread`: waybills with nothing plain said; `unknown`: numbers that nobody asked about."""

    kept: int
    repeated: int
    unread: tuple[str, ...]
    unknown: tuple[str, ...]


def numbers_of_open_cases(shop_id: int, carrier: str = "") -> dict[str, int]:
    """Waybill → open case, of originals and reissues: what a carrier's answer can be about."""
    with reading([shop_id]):
        rows = Case.objects.filter(shop_id=shop_id).exclude(state=CaseState.CLOSED)
        cases_of: dict[int, int] = {}
        for case_id, parcel_id, facts in rows.values_list("id", "parcel_id", "facts"):
            for one in (parcel_id, *facts.get("reissue_parcels", [])):
                cases_of[one] = case_id
        parcels = Parcel.objects.filter(shop_id=shop_id, id__in=cases_of).exclude(number="")
        parcels = parcels.filter(carrier=carrier) if carrier else parcels
        return {number.upper(): cases_of[key] for key, number in parcels.values_list("id", "number")}


def look_at(shop_id: int, text: str, now: datetime, *, carrier: str = "") -> Taken:
    """What a pasted text says, before anything is kept."""
    return take_apart(text, numbers_of_open_cases(shop_id, carrier), now)


def keep_text(
    *, shop_id: int, text: str, source: str, sender: str, is_trusted: bool, now: datetime, carrier: str = ""
) -> Kept:
    """Read a text about many parcels and lay each answer before people."""
    known = numbers_of_open_cases(shop_id, carrier)
    taken = take_apart(text, known, now)
    return keep(
        shop_id=shop_id, answers=taken.answers, known=known, source=source, sender=sender, is_trusted=is_trusted,
        now=now, unread=taken.unread, unknown=taken.unknown,
    )  # fmt: skip


def keep(
    *,
    shop_id: int,
    answers: Sequence[Answer],
    known: dict[str, int],
    source: str,
    sender: str,
    is_trusted: bool,
    now: datetime,
    mail: IncomingMail | None = None,
    link: CarrierLink | None = None,
    unread: tuple[str, ...] = (),
    unknown: tuple[str, ...] = (),
) -> Kept:
    """Keep answers for their cases; those about other parcels are left out. Raises Refused too_many_answers (most)."""
    if len(answers) > MOST_AT_ONCE:
        raise Refused("too_many_answers", most=MOST_AT_ONCE)
    kept = repeated = 0
    with writing([shop_id]):
        for one in answers:
            case_id = known.get(one.number.upper())
            if case_id is None:
                unknown = (*unknown, one.number)
                continue
            key = _key(source, one, now)
            there = CarrierAnswer.objects.filter(shop_id=shop_id, case_id=case_id)
            if there.filter(key=key).exists():
                repeated += 1
                continue
            older = there.filter(state="open", source=source, number=one.number)
            # What a stranger writes never hides what somebody known has said.
            older = older if is_trusted else older.filter(is_trusted=False)
            older.update(state="overtaken", decided_at=now)
            CarrierAnswer.objects.create(
                shop_id=shop_id, case_id=case_id, number=one.number[:40], source=source, key=key,
                said=_plain(one.said), words=seal(shop_id, one.words[:4_000].encode(), where=words_place(case_id, key)),
                sender=sender[:120], is_trusted=is_trusted, mail=mail, link=link, at=now,
            )  # fmt: skip
            kept += 1
    return Kept(kept, repeated, unread, unknown)


def accept(*, shop_id: int, answer_id: int, by: Actor, now: datetime | None = None) -> Said:
    """Take an answer as said: a consent or refusal where the case waits for one, else a statement of the carrier.

    Raises Refused: answer_is_decided, case_is_closed, not_allowed, and what the case itself refuses.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.RECORD_CONSENT)
    with writing([shop_id]):
        row = _open(shop_id, answer_id)
        said, words = read_said(row.said), _words(row)
        proof = f"{row.source}:{row.mail_id or row.link_id or row.pk}"
        if said.consent is not None and _waits_for_consent(row.case):
            talk.record_answer(
                shop_id=shop_id, case_id=row.case_id, given=said.consent, person=_person(row), by=by,
                said_at=min(row.at, now), amount_fen=said.amount_fen, freight_by=said.freight_by,
                terms=words[:400] or row.sender, proof=proof, claim=said.claim, now=now,
            )  # fmt: skip
        elif said.claim is not None:
            cases.add_statement(
                shop_id=shop_id, case_id=row.case_id, source=Source.CARRIER, claim=said.claim, words=words[:1_000],
                said_at=min(row.at, now), by=by, now=now,
            )  # fmt: skip
        else:
            data = {"amount_fen": said.amount_fen} if said.amount_fen else {}
            cases.log(
                shop_id=shop_id,
                case_id=row.case_id,
                kind="carrier_said",
                by=by,
                now=now,
                data=data,
                words=words[:1_000],
            )
        if said.promise_on is not None:
            cases.log(
                shop_id=shop_id, case_id=row.case_id, kind="carrier_promised", by=by, now=now,
                data={"day": said.promise_on.isoformat()},
            )  # fmt: skip
        _decide(row, "accepted", by, now)
        carrier_cases.refresh(shop_id=shop_id, case_ids=[row.case_id], now=now)
        return said


def accept_all(*, shop_id: int, answer_ids: Sequence[int], by: Actor) -> tuple[int, list[tuple[str, Refused]]]:
    """Accept each by itself; (how many, [(waybill, why not)])."""
    done, refused = 0, []
    for one in answer_ids[:MOST_AT_ONCE]:
        try:
            accept(shop_id=shop_id, answer_id=one, by=by)
            done += 1
        except Refused as why:
            with reading([shop_id]):
                number = CarrierAnswer.objects.filter(shop_id=shop_id, id=one).values_list("number", flat=True).first()
            refused.append((number or "", why))
    return done, refused


def dismiss(*, shop_id: int, answer_id: int, by: Actor, now: datetime | None = None) -> None:
    """It was read wrongly, or says nothing new."""
    if by.role is not None:
        check(by.role, Permission.RECORD_CONSENT)
    with writing([shop_id]):
        _decide(_open(shop_id, answer_id), "dismissed", by, now or clock.now())


def waiting(
    shops: Sequence[int], *, carrier: str = "", case_id: int | None = None, limit: int = 300
) -> tuple[AnswerView, ...]:
    """Answers that nobody has decided, newest first."""
    with reading(shops):
        rows = CarrierAnswer.objects.filter(shop_id__in=shops, state="open").select_related("case", "case__parcel")
        if carrier:
            rows = rows.filter(case__parcel__carrier=carrier)
        if case_id is not None:
            rows = rows.filter(case_id=case_id)
        return tuple(_view(row) for row in rows.order_by("-id")[:limit])


def of_case(shop_id: int, case_id: int) -> tuple[AnswerView, ...]:
    """All answers about a case, newest first."""
    with reading([shop_id]):
        rows = CarrierAnswer.objects.filter(shop_id=shop_id, case_id=case_id).select_related("case", "case__parcel")
        return tuple(_view(row) for row in rows.order_by("-id")[:50])


def forget_words(shop_id: int, over: datetime) -> None:
    """The words of answers about cases that closed before `over` go; what was read and decided stays."""
    rows = CarrierAnswer.objects.filter(shop_id=shop_id, case__state="closed", case__closed_at__lt=over)
    ids = list(rows.exclude(words=b"").values_list("id", flat=True)[:500])
    CarrierAnswer.objects.filter(shop_id=shop_id, id__in=ids).update(words=b"")


def _open(shop_id: int, answer_id: int) -> CarrierAnswer:
    rows = CarrierAnswer.objects.select_for_update(of=("self",)).select_related("case")
    row = rows.get(shop_id=shop_id, id=answer_id)
    if row.state != "open":
        raise Refused("answer_is_decided")
    if row.case.state == CaseState.CLOSED:
        raise Refused("case_is_closed")
    return row


def _decide(row: CarrierAnswer, state: str, by: Actor, now: datetime) -> None:
    row.state, row.decided_by, row.decided_at = state, by.name, now
    row.save(update_fields=["state", "decided_by", "decided_at"])
    audit.record(row.shop_id, by.ref, f"answer.{state}", f"answer:{row.pk}", {"case": row.case_id})


def _person(row: CarrierAnswer) -> str:
    """Who is written into the consent; of a sender whom nobody vouches for that is said, too."""
    if row.sender == STRANGER:
        return "未核实的来信"
    return row.sender if row.is_trusted else f"{row.sender}（未核实）"


def _waits_for_consent(case: Case) -> bool:
    return case.state == CaseState.ASKING


def _view(row: CarrierAnswer) -> AnswerView:
    return AnswerView(
        row.pk, row.shop_id, row.case_id, row.case.code, row.case.parcel.carrier, row.number, row.source,
        read_said(row.said), row.sender, row.is_trusted, row.state, row.at, row.decided_by,
        _waits_for_consent(row.case), _words(row),
    )  # fmt: skip


def _plain(said: Said) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name in ("consent", "amount_fen"):
        if (value := getattr(said, name)) is not None:
            kept[name] = value
    if said.claim is not None:
        kept["claim"] = said.claim.value
    if said.promise_on is not None:
        kept["promise_on"] = said.promise_on.isoformat()
    if said.freight_by:
        kept["freight_by"] = said.freight_by
    return kept


def read_said(stored: dict[str, Any]) -> Said:
    """What was said, as it is stored."""
    return Said(
        consent=stored.get("consent"),
        claim=Claim(stored["claim"]) if stored.get("claim") else None,
        promise_on=date.fromisoformat(stored["promise_on"]) if stored.get("promise_on") else None,
        amount_fen=stored.get("amount_fen"),
        freight_by=stored.get("freight_by", ""),
    )


def _key(source: str, one: Answer, now: datetime) -> str:
    """The same words about the same parcel on one day are one answer."""
    said = f"{source}|{one.number}|{one.words}|{now.date() if source in ('chat', 'sheet') else now.isoformat()}"
    return hashlib.blake2b(said.encode(), digest_size=20).hexdigest()


def _words(row: CarrierAnswer) -> str:
    sealed = bytes(row.words)
    return unseal(row.shop_id, sealed, where=words_place(row.case_id, row.key)).decode() if sealed else ""


def words_place(case_id: int, key: str) -> str:
    """Where an answer's sealed words belong."""
    return f"negotiations_carrieranswer.words:{case_id}.{key}"
