"""Whom to ask at carriers: kept, changed, brought in by the row."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import IntegrityError, transaction

from bufa.apps.audit import actions as audit
from bufa.apps.cases.actors import Actor
from bufa.apps.negotiations.models import CarrierContact, GroupRobot
from bufa.domain.chasing import Hours, Level
from bufa.domain.outcome import Refused
from bufa.domain.regions import short_province
from bufa.lib.tenancy import writing

MOST_HOURS = 240


@dataclass(frozen=True, slots=True)
class NewContact:
    """One contact as a person gives it. Without mail and robot it is reached by hand: a text to copy into the group.

    `origin`, `destination`: provinces of the route that a branch serves, "" for all. `answer_hours`: what it needs.
    """

    carrier: str
    level: Level = Level.HEAD_OFFICE
    branch: str = ""
    origin: str = ""
    destination: str = ""
    name: str = ""
    email: str = ""
    robot_id: int | None = None
    hours: Hours = field(default_factory=Hours)
    answer_hours: int | None = None


def add_contact(*, shop_id: int, carrier: str, email: str, branch: str = "", name: str = "", by: Actor) -> int:
    """A contact by mail that is there around the clock; the same one twice is one."""
    if "@" not in email:
        raise Refused("email_shape")
    level = Level.BRANCH if branch.strip() else Level.HEAD_OFFICE
    return save_contact(shop_id=shop_id, new=NewContact(carrier, level, branch, name=name, email=email), by=by)


def save_contact(*, shop_id: int, new: NewContact, by: Actor, contact_id: int | None = None) -> int:
    """Keep a contact, or change one; the same one twice is one, and one that was switched off comes back.

    Raises Refused: email_shape, province_unknown (value), contact_hours, no_such_robot, contact_answer_hours (most),
    contact_unreachable (a name or an address is needed), no_such_contact, contact_is_there.
    """
    said = _checked(new)
    with writing([shop_id]):
        robot = None
        if new.robot_id is not None:
            robot = GroupRobot.objects.filter(shop_id=shop_id, id=new.robot_id, is_active=True).first()
            if robot is None:
                raise Refused("no_such_robot")
        same = {name: said[name] for name in ("carrier", "branch", "email", "origin", "destination")}
        there = CarrierContact.objects.filter(shop_id=shop_id, robot=robot, **same)
        row = (
            there.first()
            if contact_id is None
            else CarrierContact.objects.filter(shop_id=shop_id, id=contact_id).first()
        )
        if contact_id is not None and row is None:
            raise Refused("no_such_contact")
        if row is None:
            row = CarrierContact(shop_id=shop_id)
        moved, kept_name = row.email != said["email"], row.name
        for name, value in said.items():
            setattr(row, name, value)
        if not said["name"] and contact_id is None:
            row.name = kept_name
        row.robot, row.is_active = robot, True
        row.bounced_at = None if moved else row.bounced_at
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError:
            raise Refused("contact_is_there") from None
        audit.record(
            shop_id, by.ref, "contact.save", f"contact:{row.pk}", {"carrier": new.carrier, "level": new.level.value}
        )
        return row.pk


def remove_contact(*, shop_id: int, contact_id: int, by: Actor) -> None:
    """Write to this contact no more; mails that went there stay."""
    with writing([shop_id]):
        CarrierContact.objects.filter(shop_id=shop_id, id=contact_id).update(is_active=False)
        audit.record(shop_id, by.ref, "contact.remove", f"contact:{contact_id}")


def _checked(new: NewContact) -> dict[str, object]:
    """The row's plain fields. Raises Refused."""
    email = new.email.strip()
    if email and ("@" not in email or " " in email):
        raise Refused("email_shape")
    if not email and new.robot_id is None and not (new.name.strip() or new.branch.strip()):
        raise Refused("contact_unreachable")
    ends = {}
    for name in ("origin", "destination"):
        value = getattr(new, name).strip()
        ends[name] = short_province(value)
        if value and not ends[name]:
            raise Refused("province_unknown", value=value)
    if new.answer_hours is not None and not 1 <= new.answer_hours <= MOST_HOURS:
        raise Refused("contact_answer_hours", most=MOST_HOURS)
    return ends | {
        "carrier": new.carrier, "level": new.level.value, "branch": new.branch.strip()[:80],
        "name": new.name.strip()[:60], "email": email, "opens": new.hours.opens, "closes": new.hours.closes,
        "days": "".join(str(day) for day in sorted(new.hours.days)),
        "rests_on_festivals": new.hours.rests_on_festivals, "answer_hours": new.answer_hours,
    }  # fmt: skip
