"""Ports of a mailbox: mails as they lie there, and what one says once it has been read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class MailIn:
    """A mail as it lies in a mailbox; `raw` holds the head only where it is too large."""

    uid: int
    raw: bytes = field(repr=False)
    size: int


@dataclass(frozen=True, slots=True)
class NewMails:
    """`validity`: the mailbox's generation; uids of another one mean nothing."""

    validity: int
    mails: tuple[MailIn, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class MailRead:
    """What a mail says. `answers`: the Message-IDs that it answers, oldest first.

    `vouched`: the shop's own server says that the sender's domain sent it. `is_automatic`: an auto-reply or a bounce.
    `faults`: what was left out, as codes.
    """

    message_id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str = field(repr=False)
    answers: tuple[str, ...] = ()
    sent_at: datetime | None = None
    vouched: bool = False
    is_automatic: bool = False
    attachments: int = 0
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail of ours that came back, or is late. `message_ids`: those that the report names; `status`: 5.1.1 and the
    like, "" where none is told; `is_permanent`: nobody will get it."""

    message_ids: tuple[str, ...]
    status: str
    is_permanent: bool


class CanFetchMail(Protocol):
    def fetch(self, after_uid: int, validity: int, since: date, limit: int = 50) -> NewMails: ...

    def check(self) -> None: ...
