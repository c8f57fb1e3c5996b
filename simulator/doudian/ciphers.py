"""Buyers' data as the platform hands it out: a cipher for each order, and a mask."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from simulator.goods import Person
from simulator.state import Order

ADDRESS, NAME, PHONE = 1, 2, 3


@dataclass(frozen=True)
class Secret:
    order_id: str
    kind: int
    plain: str
    mask: str


def _digest(text: str, size: int) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:size]).decode("ascii")


def mask_address(person: Person) -> str:
    """Divisions stay, the detail is starred."""
    return "*" * min(len(person.detail), 12)


class Vault:
    """Makes ciphers and opens them again. The part before the second mark is the search index: equal for equal text."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._known: dict[str, Secret] = {}
        self.broken: set[int] = set()  # kinds that can't be opened for now
        self.virtual = False  # phones open as virtual numbers

    def seal(self, order_id: str, kind: int, plain: str, mask: str) -> str:
        index = _digest(f"{self._key}:{kind}:{plain}", 15)
        body = _digest(f"{self._key}:{order_id}:{kind}:{plain}", 30)
        cipher = f"${index}${body}$1$$" if kind == PHONE else f"#{index}#{body}#1##"
        self._known[cipher] = Secret(order_id, kind, plain, mask)
        return cipher

    def find(self, cipher: str) -> Secret | None:
        return self._known.get(cipher)

    def receiver(self, order: Order) -> tuple[str, str, str]:
        """Ciphers of name, phone and address detail of an order."""
        buyer = order.buyer
        return (
            self.seal(order.order_id, NAME, buyer.name, buyer.mask_name),
            self.seal(order.order_id, PHONE, buyer.phone, buyer.mask_phone),
            self.seal(order.order_id, ADDRESS, buyer.detail, mask_address(buyer)),
        )

    def open_address_id(self, person: Person) -> str:
        """The same for the same recipient at the same address, whatever the order."""
        return "#" + _digest(f"{self._key}:{person.name}{person.phone}{person.full}", 24)

    def open_id(self, person: Person) -> str:
        return "1@#" + _digest(f"{self._key}:{person.phone}", 24)
