"""The one way out to carriers: a message a parcel, one effect for all that go together, by whatever way the contact is
reached. Nobody is written to twice a day about one parcel: the database refuses it, whoever asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction

from bufa.apps.cases.actors import Actor
from bufa.apps.effects import actions as effects
from bufa.apps.effects.models import EffectKind
from bufa.apps.negotiations.models import GONE_STATES, CarrierContact, CarrierMessage
from bufa.apps.negotiations.queries import message_place
from bufa.apps.negotiations.reply_tags import reply_to, reply_to_round
from bufa.apps.shops import queries as shops
from bufa.domain.carrier_messages import Mail
from bufa.domain.outcome import Refused
from bufa.domain.rulebook import SHOP_ZONE
from bufa.lib.crypto import seal
from bufa.lib.tenancy import reading, writing

ONCE_A_DAY = "carrier_asked_once_a_day"


@dataclass(frozen=True, slots=True)
class About:
    """One parcel of a message."""

    case_id: int
    code: str
    parcel_id: int
    round: int
    purpose: str


@dataclass(frozen=True, slots=True)
class Posted:
    """`effect_id` 0: the contact is reached by hand, and a person has to send the text."""

    message_ids: tuple[int, ...]
    effect_id: int


def contact(shop_id: int, contact_id: int) -> CarrierContact:
    """Raises Refused `no_such_contact`."""
    with reading([shop_id]):
        rows = CarrierContact.objects.filter(shop_id=shop_id, id=contact_id, is_active=True)
        row = rows.select_related("robot").first()
    if row is None:
        raise Refused("no_such_contact")
    return row


def channel_of(row: CarrierContact) -> str:
    """How a contact is reached: email, robot, by_hand."""
    if row.robot_id is not None:
        return "robot"
    return "email" if row.email else "by_hand"


def sender_of(shop_id: int) -> str:
    """The shop's own address, from its mail connection. Raises Refused `no_mail_sender`."""
    connection = shops.connection(shop_id, "smtp")
    sender = str(connection.settings.get("sender", "")) if connection else ""
    if not sender:
        raise Refused("no_mail_sender")
    return sender


def check_reach(shop_id: int, row: CarrierContact) -> None:
    """Raises Refused when nothing could leave to this contact: no_mail_sender, robot_is_off, contact_bounced."""
    if row.robot is not None:
        if not row.robot.is_active:
            raise Refused("robot_is_off", name=row.robot.name)
    elif row.email:
        sender_of(shop_id)
        if row.bounced_at is not None:
            raise Refused("contact_bounced", email=row.email)


def asked_today(
    shop_id: int, contact_id: int, parcel_ids: Iterable[int], now: datetime, matter: str = "talk"
) -> set[int]:
    """Those parcels that this contact was written to about today."""
    with reading([shop_id]):
        rows = CarrierMessage.objects.filter(
            shop_id=shop_id, contact_id=contact_id, parcel_id__in=list(parcel_ids), matter=matter, day=_day(now),
            direction="out", state__in=GONE_STATES,
        )  # fmt: skip
        return {parcel_id for parcel_id in rows.values_list("parcel_id", flat=True) if parcel_id}


def refuse_second_today(shop_id: int, contact_id: int, parcel_id: int, now: datetime, matter: str = "talk") -> None:
    """The kind answer before the database's own. Raises Refused `asked_today`."""
    if asked_today(shop_id, contact_id, [parcel_id], now, matter):
        raise Refused("asked_today")


def post(
    *,
    shop_id: int,
    to: CarrierContact,
    about: Sequence[About],
    mail: Mail,
    due: datetime,
    by: Actor,
    now: datetime,
    key: str = "",
    matter: str = "talk",
    rung: str = "",
    reference: str = "",
    delay: timedelta = timedelta(0),
) -> Posted:
    """Write the messages and want the one effect that carries them. `key` makes it one however often it is asked for.

    `reference`: what the Message-ID begins with. Raises Refused: asked_today, no_mail_sender, robot_is_off,
    contact_bounced.
    """
    with writing([shop_id]):
        check_reach(shop_id, to)
        way = channel_of(to)
        sender = sender_of(shop_id) if way == "email" else ""
        token = f"<{(reference or about[0].code).lower()}.{uuid4().hex}@{sender.partition('@')[2] or 'bufa.invalid'}>"
        rows = [
            CarrierMessage(
                shop_id=shop_id, case_id=one.case_id, contact=to, parcel_id=one.parcel_id, day=_day(now), matter=matter,
                rung=rung, channel=way, round=one.round, purpose=one.purpose, message_id=token, by=by.name, at=now,
                answer_by=due, state="to_copy" if way == "by_hand" else "queued",
                subject=seal(shop_id, mail.subject.encode(), where=message_place(one.case_id, "subject", token)),
                body=seal(shop_id, mail.body.encode(), where=message_place(one.case_id, "body", token)),
            )
            for one in about
        ]  # fmt: skip
        try:
            with transaction.atomic():
                rows = CarrierMessage.objects.bulk_create(rows)
        except IntegrityError as error:
            if ONCE_A_DAY in str(error):
                raise Refused("asked_today") from None
            raise
        ids = tuple(row.pk for row in rows)
        if way == "by_hand":
            return Posted(ids, 0)
        if way == "email":
            intent: dict[str, Any] = {
                "message_id": token, "sender": sender, "to": [to.email], "subject": mail.subject, "text": mail.body,
                "reply_to": _answers_to(shop_id, about, reference, sender),
            }  # fmt: skip
        else:
            intent = {"robot": to.robot_id, "text": mail.body}
        effect_id = effects.want(
            shop_id=shop_id,
            kind=EffectKind.CARRIER_MAIL if way == "email" else EffectKind.GROUP_MESSAGE,
            key=key or f"message:{ids[0]}",
            subject=f"message:{ids[0]}",
            intent=intent,
            by=by.name,
            delay=delay,
        )
        CarrierMessage.objects.filter(shop_id=shop_id, id__in=ids).update(effect_id=effect_id)
        return Posted(ids, effect_id)


def _answers_to(shop_id: int, about: Sequence[About], reference: str, sender: str) -> str:
    """The address that finds what it was about again: the one case, or the incident that `reference` names."""
    if len(about) == 1:
        return reply_to(shop_id, about[0].case_id, sender)
    return reply_to_round(shop_id, reference, sender) if reference.startswith("I-") else ""


def _day(now: datetime) -> date:
    return now.astimezone(SHOP_ZONE).date()
