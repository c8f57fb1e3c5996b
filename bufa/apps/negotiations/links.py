"""A page for a carrier's agent who has no account: a secret address that expires, shows its parcels and takes answers.

What comes in through it is untrusted like everything else: it is laid before a person and acted on by nobody. The
secret half of the address is shown once and kept as a digest only.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F

from bufa.apps.audit import actions as audit
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.files import add_file
from bufa.apps.cases.models import Case, CaseFile
from bufa.apps.negotiations import answers, asking
from bufa.apps.negotiations.models import CarrierAnswer, CarrierContact, CarrierLink
from bufa.apps.shops import queries as shops
from bufa.domain.carrier_answers import Answer
from bufa.domain.carrier_says import Said
from bufa.domain.cases import CaseState
from bufa.domain.group_texts import AskedParcel
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.lib import clock, images
from bufa.lib.tenancy import for_shops, reading, writing

MOST_CASES = 500
MOST_DAYS = 30
MOST_ANSWERS = 60
"""In `PACE`, by one link: a person is slower, a script is not."""
PACE = timedelta(minutes=5)
MOST_PHOTOS = 60


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link in the shop's list. `opened`: how often its page was looked at."""

    link_id: int
    carrier: str
    who: str
    cases: int
    expires_at: datetime
    is_live: bool
    opened: int
    opened_at: datetime | None
    answers: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """One parcel on the carrier's page, and what was answered through this link last."""

    case_id: int
    parcel: AskedParcel
    is_closed: bool
    said: Said | None = None
    said_at: datetime | None = None
    words: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class OpenLink:
    """What a valid address shows."""

    link_id: int
    shop_id: int
    shop: str
    carrier: str
    who: str
    expires_at: datetime
    rows: tuple[Asked, ...]


def make_link(
    *,
    shop_id: int,
    carrier: str,
    case_ids: Sequence[int],
    by: Actor,
    contact_id: int | None = None,
    name: str = "",
    days: int = 7,
    now: datetime | None = None,
) -> str:
    """A new address for these cases; returns its last part, which is not kept.

    Raises Refused: papers_none, link_days (most), no_such_contact, not_allowed.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    if not 1 <= days <= MOST_DAYS:
        raise Refused("link_days", most=MOST_DAYS)
    with writing([shop_id]):
        contact = CarrierContact.objects.filter(shop_id=shop_id, id=contact_id or 0, carrier=carrier).first()
        if contact_id is not None and contact is None:
            raise Refused("no_such_contact")
        rows = Case.objects.filter(shop_id=shop_id, id__in=list(case_ids)[:MOST_CASES], parcel__carrier=carrier)
        ids = list(rows.exclude(state=CaseState.CLOSED).order_by("id").values_list("id", flat=True))
        if not ids:
            raise Refused("papers_none")
        secret = secrets.token_urlsafe(24)
        row = CarrierLink.objects.create(
            shop_id=shop_id,
            carrier=carrier,
            contact=contact,
            name=name.strip()[:60],
            cases=ids,
            digest=_digest(secret),
            expires_at=now + timedelta(days=days),
            by=by.name,
            at=now,
        )
        audit.record(shop_id, by.ref, "link.make", f"link:{row.pk}", {"carrier": carrier, "cases": len(ids)})
    return f"{shop_id}-{secret}"


def revoke_link(*, shop_id: int, link_id: int, by: Actor, now: datetime | None = None) -> None:
    """Its address shows nothing from now on; what was answered stays."""
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        CarrierLink.objects.filter(shop_id=shop_id, id=link_id, revoked_at=None).update(revoked_at=now or clock.now())
        audit.record(shop_id, by.ref, "link.revoke", f"link:{link_id}")


def links(shop_id: int, carrier: str, now: datetime, limit: int = 20) -> tuple[LinkRow, ...]:
    """A carrier's links, newest first."""
    with reading([shop_id]):
        rows = CarrierLink.objects.filter(shop_id=shop_id, carrier=carrier).select_related("contact").order_by("-id")
        return tuple(
            LinkRow(
                row.pk, row.carrier, _who(row), len(row.cases), row.expires_at, _is_live(row, now), row.opened,
                row.opened_at, row.answers.count(), row.by, row.at,
            )
            for row in rows[:limit]
        )  # fmt: skip


def open_link(token: str, now: datetime) -> OpenLink | None:
    """What the address shows, None for one that never was, has expired or was taken back: a stranger learns nothing."""
    shop_id, secret = _split(token)
    if not shop_id:
        return None
    with for_shops([shop_id]):
        row = _find(shop_id, secret, now)
        if row is None:
            return None
        CarrierLink.objects.filter(shop_id=shop_id, id=row.pk).update(opened=F("opened") + 1, opened_at=now)
        closed = set(Case.objects.filter(id__in=row.cases, state=CaseState.CLOSED).values_list("id", flat=True))
        told = {one.case_id: one for one in CarrierAnswer.objects.filter(shop_id=shop_id, link=row).order_by("id")}
        parcels = {one.case_code: one for one in asking.parcels_of(shop_id, row.cases)}
        codes = dict(Case.objects.filter(shop_id=shop_id, id__in=row.cases).values_list("id", "code"))
        rows = tuple(
            Asked(
                key, parcels[codes[key]], key in closed,
                answers.read_said(told[key].said) if key in told else None,
                told[key].at if key in told else None,
            )
            for key in row.cases
            if codes.get(key) in parcels
        )  # fmt: skip
        return OpenLink(row.pk, shop_id, shops.shop(shop_id).name, row.carrier, _who(row), row.expires_at, rows)


def answer(*, token: str, case_id: int, said: Said, words: str, photo: bytes | None, now: datetime) -> None:
    """Keep an answer given through the page. A photo is written anew and laid into the case.

    Raises Refused: link_gone, link_other_case, answer_empty, link_too_fast, link_photos (most), case_is_closed, and
    what a file is refused for.
    """
    shop_id, secret = _split(token)
    if not shop_id:
        raise Refused("link_gone")
    with writing([shop_id]):
        row = _find(shop_id, secret, now)
        if row is None:
            raise Refused("link_gone")
        if case_id not in row.cases:
            raise Refused("link_other_case")
        if said.is_empty and not words.strip() and photo is None:
            raise Refused("answer_empty")
        if CarrierAnswer.objects.filter(shop_id=shop_id, link=row, at__gte=now - PACE).count() >= MOST_ANSWERS:
            raise Refused("link_too_fast")
        case = Case.objects.filter(shop_id=shop_id, id=case_id).first()
        if case is None:
            raise Refused("link_other_case")
        if case.state == CaseState.CLOSED:
            raise Refused("case_is_closed")
        who = Actor(None, f"承运商页面 {_who(row)}"[:80], None)
        if photo is not None:
            if CaseFile.objects.filter(shop_id=shop_id, by=who.name).count() >= MOST_PHOTOS:
                raise Refused("link_photos", most=MOST_PHOTOS)
            _only_a_picture(photo)
            add_file(shop_id=shop_id, case_id=case_id, name="carrier.jpg", raw=photo, by=who, now=now)
        [parcel] = asking.parcels_of(shop_id, [case_id])
        answers.keep(
            shop_id=shop_id, answers=[Answer(parcel.number, said, words.strip()[:1_000])],
            known={parcel.number.upper(): case_id}, source="link", sender=_who(row), is_trusted=True, now=now, link=row,
        )  # fmt: skip


def _only_a_picture(raw: bytes) -> None:
    try:
        images.clean(raw)
    except images.NotAnImage as error:
        raise Refused(error.why) from None


def _find(shop_id: int, secret: str, now: datetime) -> CarrierLink | None:
    rows = CarrierLink.objects.filter(shop_id=shop_id, digest=_digest(secret)).select_related("contact")
    row = rows.first()
    return row if row is not None and _is_live(row, now) else None


def _is_live(row: CarrierLink, now: datetime) -> bool:
    return row.revoked_at is None and row.expires_at > now


def _split(token: str) -> tuple[int, str]:
    shop, _, secret = token.partition("-")
    return (int(shop), secret) if shop.isdecimal() and shop.isascii() and 0 < len(shop) < 16 and secret else (0, "")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _who(row: CarrierLink) -> str:
    if row.contact is not None:
        return " ".join(part for part in (row.contact.name, row.contact.branch) if part) or str(row.contact.email)
    return row.name or "承运商"
