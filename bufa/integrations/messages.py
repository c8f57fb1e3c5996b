"""What the desk asks of vendors that send messages for money: SMS and calls from approved templates, and receipts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from bufa.integrations.ports import Sent


@dataclass(frozen=True, slots=True)
class Telling:
    """One message to one phone, from a template that the vendor has approved. `params`: (the template's name, value) in
    the order of the template's text. `tag` is ours, 1–15 letters and digits that nobody can guess: it comes back with
    the receipt, where the vendor carries it."""

    phone: str = field(repr=False)
    template_id: str
    params: tuple[tuple[str, str], ...]
    tag: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one message. `delivered`: it reached the phone, or the call was picked up; `failed`: it never
    will, `code` and `text` say why; `waiting`: nobody knows yet. `tag` or `message_id` name the message, one may be
    "". `segments`: SMS that were charged, 0 when not told."""

    status: Literal["waiting", "failed", "delivered"]
    tag: str = ""
    message_id: str = ""
    at: datetime | None = None
    code: str = ""
    text: str = ""
    segments: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody wrote back to an SMS."""

    phone: str = field(repr=False)
    text: str = field(repr=False)
    at: datetime | None = None
    message_id: str = ""


class CanTell(Protocol):
    def tell(self, message: Telling) -> Sent:
        """Not idempotent at any vendor. Raises ProviderError; `unknown` when it may have left. HTTP 200 is no yes: the
        vendor's own code is."""
        ...

    def receipt(self, phone: str, tag: str, message_id: str, since: datetime, until: datetime) -> Receipt | None:
        """Ask for one message's receipt by the tag or the vendor's own id. None: the vendor does not show it (yet)."""
        ...

    def check(self) -> None:
        """One call that costs nothing and is refused when the key is wrong."""
        ...
