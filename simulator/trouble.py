"""Trouble on demand: what a client must survive."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.state import Json

KINDS = ("slow", "cut", "http500", "20000", "60000", "reply_lost", "late_push", "repeat_push", "hang")
PUSH_KINDS = {"late_push", "repeat_push"}


@dataclass
class Standing:
    service: str
    method: str
    kind: str
    left: int
    seconds: float


class Trouble:
    """Standing orders for trouble; each is used up after its number of times."""

    def __init__(self) -> None:
        self._orders: list[Standing] = []

    def add(self, kind: str, *, service: str = "", method: str = "", times: int = 1, seconds: float = 5.0) -> None:
        """Raises ValueError for an unknown kind. Empty service or method means any."""
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind}; known: {', '.join(KINDS)}")
        self._orders.append(Standing(service, method, kind, times, seconds))

    def clear(self) -> None:
        self._orders.clear()

    def take(self, service: str, method: str, *, push: bool = False) -> tuple[str, float] | None:
        """The kind and seconds of the first order that fits, used once; None when there is no trouble."""
        for order in self._orders:
            fits = order.service in {"", service} and order.method in {"", method}
            if fits and (order.kind in PUSH_KINDS) == push and order.left > 0:
                order.left -= 1
                return order.kind, order.seconds
        return None

    def shown(self) -> list[Json]:
        return [vars(o) for o in self._orders if o.left > 0]
