"""Reading the talk with carriers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet

from bufa.apps.negotiations.models import CarrierContact, CarrierMessage, Consent
from bufa.domain.chasing import Level, Reach, Way, order
from bufa.domain.regions import short_province
from bufa.lib.crypto import unseal
from bufa.lib.prepared import prepared
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading


@dataclass(frozen=True, slots=True)
class ContactView:
    """One contact. `channel`: email, robot, by_hand; `opens`, `closes`: minutes after midnight, `days` ISO weekdays."""

    contact_id: int
    carrier: str
    branch: str
    name: str
    email: str
    is_active: bool
    level: str = "head_office"
    origin: str = ""
    destination: str = ""
    robot_id: int | None = None
    robot_name: str = ""
    robot_kind: str = ""
    opens: int = 0
    closes: int = 1440
    days: str = "1234567"
    rests_on_festivals: bool = True
    answer_hours: int | None = None
    bounced_at: datetime | None = None

    @property
    def channel(self) -> str:
        return "robot" if self.robot_id else "email" if self.email else "by_hand"

    @property
    def address(self) -> str:
        """Where a message to them goes, as people name it."""
        return self.robot_name or self.email

    def reach(self) -> Reach:
        return Reach(self.contact_id, Level(self.level), self.branch, self.origin, self.destination)


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
    rung: str = ""
    channel: str = "email"


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
    covers: str = "reissue"
    rule_id: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """All that was said with the carrier about one case, oldest first, and whom one can write to, nearest first."""

    messages: tuple[MessageView, ...]
    consents: tuple[ConsentView, ...]
    contacts: tuple[ContactView, ...]


@prepared
def _messages(shop_id: int, case_id: int) -> QuerySet[CarrierMessage]:
    rows = CarrierMessage.objects.filter(shop_id=shop_id, case_id=case_id).select_related("contact__robot")
    return rows.order_by("at", "id")


@prepared
def _consents(shop_id: int, case_id: int) -> QuerySet[Consent]:
    return Consent.objects.filter(shop_id=shop_id, case_id=case_id).order_by("id")


@prepared
def _contacts(shops: Sequence[int], carrier: str | None, active_only: bool) -> QuerySet[CarrierContact]:
    rows = CarrierContact.objects.filter(shop_id__one_of=shops).select_related("robot")
    if carrier is not None:
        rows = rows.filter(carrier=carrier)
    if active_only:
        rows = rows.filter(is_active=True)
    return rows.order_by("carrier", "branch", "id")


@remembered
def of_case(shop_id: int, case_id: int, *, carrier: str, place: str = "") -> Talk:
    """The talk about one case. `carrier` and `place` (the parcel's newest) choose and order the contacts."""
    with reading([shop_id]):
        return Talk(
            messages=tuple(_message(row) for row in _messages(shop_id, case_id)),
            consents=tuple(_consent(row) for row in _consents(shop_id, case_id)),
            contacts=contacts_for(shop_id, carrier, place),
        )


def effect_ids(shop_id: int, case_id: int) -> list[int]:
    """The effects of a case's mails, to ask what became of them."""
    with reading([shop_id]):
        rows = CarrierMessage.objects.filter(shop_id=shop_id, case_id=case_id, effect_id__isnull=False)
        return [effect_id for effect_id in rows.values_list("effect_id", flat=True) if effect_id]


def contacts_for(
    shop_id: int, carrier: str, place: str = "", origin: str = "", destination: str = ""
) -> tuple[ContactView, ...]:
    """Active contacts of a carrier for a parcel that was seen last at `place`, between two provinces: the branch where
    it lies or that serves its route first, then the head office, then the platform, then all others."""
    known = {one.contact_id: one for one in contacts([shop_id], carrier)}
    way = Way(place, short_province(origin), short_province(destination))
    return tuple(known[one.contact_id] for one in order((one.reach() for one in known.values()), way))


@remembered
def contacts(shops: Sequence[int], carrier: str = "", *, active_only: bool = True) -> tuple[ContactView, ...]:
    """Contacts at carriers, for the settings page."""
    with reading(shops):
        return tuple(contact_view(row) for row in _contacts(shops, carrier or None, active_only))


def message_place(case_id: int, what: str, token: str) -> str:
    """Where a mail's sealed text belongs: the second half of its seal."""
    return f"negotiations_carriermessage.{what}:{case_id}.{token}"


def contact_view(row: CarrierContact) -> ContactView:
    """A contact for people."""
    robot = row.robot if row.robot_id else None
    return ContactView(
        row.pk, row.carrier, row.branch, row.name, row.email, row.is_active, row.level, row.origin, row.destination,
        row.robot_id, robot.name if robot else "", robot.kind if robot else "", row.opens, row.closes, row.days,
        row.rests_on_festivals, row.answer_hours, row.bounced_at,
    )  # fmt: skip


def plain_body(row: CarrierMessage) -> str:
    """A message's text, for staff."""
    return unseal(row.shop_id, row.body, where=message_place(row.case_id, "body", row.message_id)).decode()


def _message(row: CarrierMessage) -> MessageView:
    def plain(what: str, sealed: bytes | memoryview) -> str:
        return unseal(row.shop_id, sealed, where=message_place(row.case_id, what, row.message_id)).decode()

    return MessageView(
        message_id=row.pk,
        round=row.round,
        direction=row.direction,
        purpose=row.purpose,
        state=row.state,
        contact=contact_view(row.contact) if row.contact else None,
        subject=plain("subject", row.subject),
        body=plain("body", row.body),
        by=row.by,
        at=row.at,
        sent_at=row.sent_at,
        answer_by=row.answer_by,
        effect_id=row.effect_id,
        rung=row.rung,
        channel=row.channel,
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
        covers=row.covers,
        rule_id=row.rule_id,
    )
