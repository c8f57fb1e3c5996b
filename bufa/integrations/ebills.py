"""E-waybills: what is booked at the platform before a parcel is packed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from bufa.integrations.ports import PickupAddressFact, RecipientFact, Sent


@dataclass(frozen=True, slots=True)
class LabelOrder:
    """One e-waybill to be booked. `pack_id`: letters, digits, underscore; the platform knows the label by order and
    pack_id, so repeating both gives the same number. `receiver`: its ciphers. `items`: (name, pieces)."""

    order_number: str
    pack_id: str
    carrier: str
    sender: PickupAddressFact
    receiver: RecipientFact
    items: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PrintData:
    """What the platform's print component prints; encrypted for it."""

    number: str
    data: str = field(repr=False)
    sign: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Range:
    """Whether a carrier takes a parcel from one address to the other. `reason`: the platform's words where not."""

    is_out: bool
    reason: str = ""


class CanAskRange(Protocol):
    def out_of_range(self, carrier: str, sender: PickupAddressFact, receiver: RecipientFact) -> Range:
        """Both ends at once: does the carrier collect here and deliver there. A question; nothing is booked. The
        receiver's detail goes as the platform's cipher, or as plain text where only that is known."""
        ...


class CanBookLabel(Protocol):
    def book_label(self, label: LabelOrder) -> Sent:
        """Idempotent by order and pack_id: the same call settles an unknown outcome. `message_id`: the waybill."""
        ...

    def cancel_label(self, carrier: str, number: str) -> Sent:
        """Refused once collected; cancelled already counts as done."""
        ...

    def print_data(self, carrier: str, number: str) -> PrintData: ...
