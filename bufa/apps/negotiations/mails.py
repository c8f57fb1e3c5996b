"""Mails that come in: placed at their case by a token, a thread, a case code or a waybill, kept sealed, and their words
laid before a person. A mail never moves a case by itself, whoever seems to have sent it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q

from bufa.apps.audit import actions as audit
from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.cases.files import KEEP_DAYS
from bufa.apps.cases.models import Case
from bufa.apps.negotiations import answers, carrier_cases
from bufa.apps.negotiations.models import CarrierContact, CarrierMessage, Consent, IncomingMail
from bufa.apps.negotiations.reply_tags import case_of, incident_of
from bufa.domain.carrier_answers import Taken as Words
from bufa.domain.carrier_answers import take_apart
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.integrations.mailbox import Bounce, MailRead
from bufa.lib.crypto import seal, unseal
from bufa.lib.tenancy import for_shops, reading, writing

_CODE = re.compile(r"\bC-\d{8}-\d{3,8}\b", re.IGNORECASE)
_INCIDENT = re.compile(r"\bI-\d{8}-\d{2,6}\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MailView:
    """A mail that came in. `sender` is the address as it was written, never proof of anything."""

    mail_id: int
    shop_id: int
    case_code: str
    placed_by: str
    is_trusted: bool
    state: str
    at: datetime
    attachments: int
    faults: tuple[str, ...]
    sender: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a mail. `mail_id` 0: it had come before."""

    mail_id: int
    case_id: int | None
    answers: int


def take_mail(*, shop_id: int, mail: MailRead, raw_digest: str, now: datetime) -> Taken:
    """Keep a mail once, place it, and lay what it says before people.

    A sender is trusted when the address is a contact's and either the shop's mail server vouches for it, or the mail
    answers one of ours by an id or address that nobody can guess. Of a sender who is not, only words about the case
    that the mail was placed at are read, and they are marked.
    """
    digest = hashlib.sha256((mail.message_id or raw_digest).encode()).hexdigest()
    with writing([shop_id]):
        if IncomingMail.objects.filter(shop_id=shop_id, digest=digest).exists():
            return Taken(0, None, 0)
        about, placed_by = _place(shop_id, mail)
        case = about[0] if about else None
        contact = CarrierContact.objects.filter(shop_id=shop_id, email__iexact=mail.sender).order_by("id").first()
        is_trusted = contact is not None and (mail.vouched or placed_by in ("token", "thread"))
        row = IncomingMail.objects.create(
            shop_id=shop_id, digest=digest, case=case, contact=contact, placed_by=placed_by, is_trusted=is_trusted,
            attachments=mail.attachments, faults=list(mail.faults), state="placed" if case else "unplaced",
            sent_at=mail.sent_at, at=now,
            **{what: seal(shop_id, text.encode("utf-8", "replace"), where=_at(what, digest))
               for what, text in (("sender", mail.sender), ("subject", mail.subject), ("text", mail.text))},
        )  # fmt: skip
        if case is None:
            return Taken(row.pk, None, 0)
        return Taken(row.pk, case.pk, _heard(row, about, mail, now))


def take_bounce(*, shop_id: int, bounce: Bounce, now: datetime) -> int:
    """A mail to a carrier came back: its cases learn it, its contact is not written to again until the address is
    changed, and the ladder goes on without. Returns how many messages it was about; one that is only late is noted.

    Only who saw the mail knows its Message-ID, so a forged report can say no more than its recipient could.
    """
    with writing([shop_id]):
        rows = list(
            CarrierMessage.objects.select_for_update(of=("self",))
            .filter(shop_id=shop_id, message_id__in=bounce.message_ids, direction="out")
            .exclude(state__in=["bounced", "cancelled"])
            .order_by("id")
        )
        for row in rows:
            if bounce.is_permanent:
                row.state = "bounced"
                row.save(update_fields=["state"])
                CarrierContact.objects.filter(shop_id=shop_id, id=row.contact_id or 0).update(bounced_at=now)
                cases.update_facts(shop_id=shop_id, case_id=row.case_id, now=now, answer_due=now)
            kind = "carrier_mail_bounced" if bounce.is_permanent else "carrier_mail_late"
            cases.log(
                shop_id=shop_id, case_id=row.case_id, kind=kind, by=SYSTEM, now=now, data={"why": bounce.status or "?"}
            )
        carrier_cases.refresh(shop_id=shop_id, case_ids=[row.case_id for row in rows], now=now)
        return len(rows)


def place_by_hand(*, shop_id: int, mail_id: int, code: str, by: Actor, now: datetime) -> int:
    """A person says which case an unplaced mail belongs to; what it says is read for it.

    Raises Refused: mail_is_placed, no_such_case.
    """
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        row = _unplaced(shop_id, mail_id)
        case = Case.objects.filter(shop_id=shop_id, code=code.strip().upper()).first()
        if case is None:
            raise Refused("no_such_case")
        row.case, row.placed_by, row.state = case, "person", "placed"
        row.save(update_fields=["case", "placed_by", "state"])
        audit.record(shop_id, by.ref, "mail.place", f"mail:{mail_id}", {"case": case.pk})
        view = _view(row)
        mail = MailRead("", view.sender, (), view.subject, view.text)
        return _heard(row, [case], mail, now)


def set_aside(*, shop_id: int, mail_id: int, by: Actor) -> None:
    """The mail is about no case."""
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        row = _unplaced(shop_id, mail_id)
        row.state = "set_aside"
        row.save(update_fields=["state"])
        audit.record(shop_id, by.ref, "mail.set_aside", f"mail:{mail_id}")


def forget_old(shop_id: int, now: datetime) -> int:
    """Empty mails and answers' words whose time is over: those of cases closed that long ago, and mails about no case.
    That they came, and what was accepted of them, stays. Returns how many mails were emptied."""
    over = now - timedelta(days=KEEP_DAYS)
    with for_shops([shop_id]):
        rows = IncomingMail.objects.filter(shop_id=shop_id, at__lt=over).exclude(text=b"", subject=b"", sender=b"")
        done = rows.filter(Q(case=None) | Q(case__state="closed", case__closed_at__lt=over))
        ids = list(done.order_by("id").values_list("id", flat=True)[:500])
        IncomingMail.objects.filter(shop_id=shop_id, id__in=ids).update(text=b"", subject=b"", sender=b"")
        answers.forget_words(shop_id, over)
        return len(ids)


def unplaced(shops: Sequence[int], limit: int = 50) -> tuple[MailView, ...]:
    """Mails that nothing could place, newest first."""
    with reading(shops):
        rows = IncomingMail.objects.filter(shop_id__in=shops, state="unplaced").order_by("-id")
        return tuple(_view(row) for row in rows[:limit])


def of_case(shop_id: int, case_id: int) -> tuple[MailView, ...]:
    """A case's incoming mails, oldest first."""
    with reading([shop_id]):
        rows = IncomingMail.objects.filter(shop_id=shop_id, case_id=case_id).select_related("case")
        return tuple(_view(row) for row in rows.order_by("at", "id")[:100])


def _heard(row: IncomingMail, about: Sequence[Case], mail: MailRead, now: datetime) -> int:
    """What it says of the cases that it is about: one, or all that one mail to the carrier named."""
    known = answers.numbers_of_open_cases(row.shop_id)
    ids = {case.pk for case in about}
    mine = {number: key for number, key in known.items() if key in ids}
    if not row.is_trusted and row.placed_by != "person":
        known = mine
    taken = take_apart(mail.text, known, now, about=next(iter(mine), "") if len(about) == 1 else "")
    if len(about) > 1 and taken == Words((), (), ()):
        # It names no parcel, so it speaks of all that were asked about.
        each = [take_apart(mail.text, known, now, about=number) for number in mine]
        taken = Words(tuple(answer for words in each for answer in words.answers), (), ())
    if mail.sent_at and Consent.objects.filter(case_id__in=ids, recorded_at__gte=mail.sent_at).exists():
        taken = Words((), (), ())  # somebody has read this mail elsewhere and recorded what it says
    sender = str(row.contact.email) if row.contact else answers.STRANGER
    kept = answers.keep(
        shop_id=row.shop_id, answers=taken.answers, known=known, source="mail", sender=sender,
        is_trusted=row.is_trusted, now=now, mail=row,
    )  # fmt: skip
    data = {"placed_by": row.placed_by, "answers": kept.kept}
    kind = "carrier_mail_received" if row.is_trusted else "carrier_mail_doubtful"
    for case_id in sorted(ids):
        cases.log(shop_id=row.shop_id, case_id=case_id, kind=kind, by=SYSTEM, now=now, data=data)
    return kept.kept


def _place(shop_id: int, mail: MailRead) -> tuple[list[Case], str]:
    """The cases that it is about (several for an answer to a mail about an incident), and by what they were found."""
    rows = Case.objects.filter(shop_id=shop_id)
    for address in mail.to:
        case = rows.filter(id=case_of(shop_id, address) or 0).first()
        if case is not None:
            return [case], "token"
        if asked := _asked_together(shop_id, incident_of(shop_id, address)):
            return asked, "token"
    if mail.answers:
        sent = CarrierMessage.objects.filter(shop_id=shop_id, message_id__in=mail.answers).exclude(message_id="")
        newest = sent.order_by("-id").values_list("message_id", flat=True).first()
        if newest is not None:
            return list(rows.filter(carrier_messages__message_id=newest).distinct().order_by("id")), "thread"
    codes = {one.upper() for one in _CODE.findall(f"{mail.subject}\n{mail.text[:4000]}")}
    if len(codes) == 1:
        case = rows.filter(code=codes.pop()).first()
        if case is not None:
            return [case], "code"
    incidents = {one.upper() for one in _INCIDENT.findall(f"{mail.subject}\n{mail.text[:4000]}")}
    if len(incidents) == 1 and (asked := _asked_together(shop_id, incidents.pop())):
        return asked, "code"
    known = answers.numbers_of_open_cases(shop_id)
    named = {
        known[one]
        for one in re.findall(r"[A-Z0-9]{8,24}", f"{mail.subject} {mail.text[:4000]}".upper())
        if one in known
    }
    if len(named) == 1:
        return [rows.get(id=named.pop())], "waybill"
    return [], ""


def _asked_together(shop_id: int, code: str) -> list[Case]:
    """The cases that the newest mail about this incident named; none for a code of which no mail was written."""
    if not code:
        return []
    sent = CarrierMessage.objects.filter(shop_id=shop_id, message_id__startswith=f"<{code.lower()}.")
    newest = sent.order_by("-id").values_list("message_id", flat=True).first()
    if newest is None:
        return []
    named = CarrierMessage.objects.filter(shop_id=shop_id, message_id=newest).values("case_id")
    return list(Case.objects.filter(shop_id=shop_id, id__in=named).order_by("id"))


def _unplaced(shop_id: int, mail_id: int) -> IncomingMail:
    row = IncomingMail.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=mail_id)
    if row.state != "unplaced":
        raise Refused("mail_is_placed")
    return row


def _view(row: IncomingMail) -> MailView:
    def plain(what: str) -> str:
        sealed = bytes(getattr(row, what))
        return unseal(row.shop_id, sealed, where=_at(what, row.digest)).decode("utf-8", "replace") if sealed else ""

    return MailView(
        row.pk, row.shop_id, row.case.code if row.case else "", row.placed_by, row.is_trusted, row.state, row.at,
        row.attachments, tuple(row.faults), plain("sender"), plain("subject"), plain("text"),
    )  # fmt: skip


def _at(what: str, digest: str) -> str:
    return f"negotiations_incomingmail.{what}:{digest}"


def raw_digest(raw: bytes) -> str:
    """What tells a mail without Message-ID apart."""
    return "raw:" + hashlib.sha256(raw).hexdigest()
