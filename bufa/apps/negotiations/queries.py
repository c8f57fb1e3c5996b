"""Reading the talk with carriers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bufa.apps.negotiations.models import CarrierContact, CarrierMessage, Consent
from bufa.lib.crypto import unseal
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading


@dataclass(frozen=True, slots=True)
class ContactView:
    contact_id: int
    carrier: str
    branch: str
    name: str
    email: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class MessageView:
    """One mail to or from a carrier; subject and body unsealed for staff."""

    message_id: int
    round: int
    direction: str
    purpose: str
    state: str
    contact: ContactView | None
    subject: str = field(repr=False)
    body: str = field(repr=False)
    by: str
    at: datetime
    sent_at: datetime | None
    answer_by: datetime | None
    effect_id: int | None


@dataclass(frozen=True, slots=True)
class ConsentView:
    """`result`: given, refused or overridden (went on without it)."""

    consent_id: int
    round: int
    result: str
    person: str
    position: str
    said_at: datetime
    amount_fen: int | None
    freight_by: str
    valid_until: datetime | None
    terms: str = field(repr=False)
    proof: str
    by: str


@dataclass(frozen=True, slots=True)
class Talk:
    """All that was said with the carrier about one case, oldest first, and whom one can write to, nearest first."""

    messages: tuple[MessageView, ...]
    consents: tuple[ConsentView, ...]
    contacts: tuple[ContactView, ...]


@remembered
def of_case(shop_id: int, case_id: int, *, carrier: str, place: str = "") -> Talk:
    """The talk about one case. `carrier` and `place` (the parcel's newest) choose and order the contacts."""
    with reading([shop_id]):
        messages = CarrierMessage.objects.filter(shop_id=shop_id, case_id=case_id).select_related("contact")
        consents = Consent.objects.filter(shop_id=shop_id, case_id=case_id)
        return Talk(
            messages=tuple(_message(row) for row in messages.order_by("at", "id")),
            consents=tuple(_consent(row) for row in consents.order_by("id")),
            contacts=contacts_for(shop_id, carrier, place),
        )


def effect_ids(shop_id: int, case_id: int) -> list[int]:
    """The effects of a case's mails, to ask what became of them."""
    with reading([shop_id]):
        rows = CarrierMessage.objects.filter(shop_id=shop_id, case_id=case_id, effect_id__isnull=False)
        return [effect_id for effect_id in rows.values_list("effect_id", flat=True) if effect_id]


def contacts_for(shop_id: int, carrier: str, place: str = "") -> tuple[ContactView, ...]:
    """Active contacts of a carrier: the branch named in `place` first, then the head office, then others."""

    def distance(contact: ContactView) -> int:
        if not contact.branch:
            return 1
        return 0 if place and (contact.branch in place or place in contact.branch) else 2

    return tuple(sorted(contacts([shop_id], carrier), key=lambda contact: (distance(contact), contact.contact_id)))


@remembered
def contacts(shops: Sequence[int], carrier: str = "", *, active_only: bool = True) -> tuple[ContactView, ...]:
    """Contacts at carriers, for the settings page."""
    with reading(shops):
        rows = CarrierContact.objects.filter(shop_id__in=shops)
        if carrier:
            rows = rows.filter(carrier=carrier)
        if active_only:
            rows = rows.filter(is_active=True)
        return tuple(_contact(row) for row in rows.order_by("carrier", "branch", "id"))


def message_place(case_id: int, what: str, token: str) -> str:
    """Where a mail's sealed text belongs: the second half of its seal."""
    return f"negotiations_carriermessage.{what}:{case_id}.{token}"


def _contact(row: CarrierContact) -> ContactView:
    return ContactView(row.pk, row.carrier, row.branch, row.name, row.email, row.is_active)


def _message(row: CarrierMessage) -> MessageView:
    def plain(what: str, sealed: bytes | memoryview) -> str:
        return unseal(row.shop_id, sealed, where=message_place(row.case_id, what, row.message_id)).decode()

    return MessageView(
        message_id=row.pk,
        round=row.round,
        direction=row.direction,
        purpose=row.purpose,
        state=row.state,
        contact=_contact(row.contact) if row.contact else None,
        subject=plain("subject", row.subject),
        body=plain("body", row.body),
        by=row.by,
        at=row.at,
        sent_at=row.sent_at,
        answer_by=row.answer_by,
        effect_id=row.effect_id,
    )


def consent_place(case_id: int, at: datetime) -> str:
    """Where a consent's sealed terms belong."""
    return f"negotiations_consent.terms:{case_id}.{at.isoformat()}"


def _consent(row: Consent) -> ConsentView:
    sealed = bytes(row.terms)
    terms = unseal(row.shop_id, sealed, where=consent_place(row.case_id, row.recorded_at)).decode() if sealed else ""
    return ConsentView(
        consent_id=row.pk,
        round=row.round,
        result=row.result,
        person=row.person,
        position=row.position,
        said_at=row.said_at,
        amount_fen=row.amount_fen,
        freight_by=row.freight_by,
        valid_until=row.valid_until,
        terms=terms,
        proof=row.proof,
        by=row.by,
    )
