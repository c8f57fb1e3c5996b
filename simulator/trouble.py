"""Trouble on demand: what a client must survive."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.state import Json

KINDS = (
    # nothing was done
    "slow", "cut", "hang", "http500", "10001", "20000", "20001", "60000", "90000", "refused",
    # it was done, and the answer is lost (reset, silence), late, damaged, or says no
    "reply_lost", "accept_reset", "accept_hang", "late", "half", "garbage", "lying",
    # pushes
    "late_push", "repeat_push",
)  # fmt: skip
"""`slow` answers after `seconds` (5), `hang` and `accept_hang` cut after 30 s of silence, `late` does it at once and
answers after `seconds`; `half` breaks off in mid-answer, `garbage` is HTTP 200 with a page, `lying` is HTTP 200 with
code 20000 although it was done."""
PUSH_KINDS = {"late_push", "repeat_push"}
DONE = frozenset({"reply_lost", "accept_reset", "accept_hang", "late", "half", "garbage", "lying"})
"""Kinds after which the world has changed."""


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
