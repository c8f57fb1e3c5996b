"""Two parcels with the same goods on their way to one customer: what can be done, what each costs, what follows.

The first parcel moves again after its reissue has left. Who decides sees both beside each other; every way names what
it does to the shelf, to the claim and to the customer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bufa.domain.claims import ClaimAct, ClaimState
from bufa.domain.kinds import Stage
from bufa.domain.outcome import Refused, Why


class Way(StrEnum):
    """What is done about the second parcel."""

    STOP_ORIGINAL = "stop_original"
    STOP_REISSUE = "stop_reissue"
    COME_BACK = "come_back"
    REFUSE_ONE = "refuse_one"
    KEEP_BOTH = "keep_both"


class Follows(StrEnum):
    """What a way brings with it."""

    WRITE_CARRIER = "write_carrier"
    TELL_CUSTOMER = "tell_customer"
    SHELF_LATER = "shelf_later"
    GOODS_GONE = "goods_gone"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two parcels. `expected`: by when nine in ten such parcels are there, None where it is not known."""

    stage: Stage
    expected: datetime | None = None

    @property
    def is_there(self) -> bool:
        return self.stage in (Stage.DELIVERED, Stage.READY_FOR_PICKUP)

    @property
    def comes_back(self) -> bool:
        return self.stage in (Stage.RETURNING, Stage.RETURNED)

    @property
    def can_be_stopped(self) -> bool:
        moving = (Stage.COLLECTED, Stage.IN_TRANSIT, Stage.AT_DESTINATION, Stage.OUT_FOR_DELIVERY)
        return self.stage in (Stage.LABELLED, *moving)


@dataclass(frozen=True, slots=True)
class Option:
    """One way. `cost_fen`: what it costs the shop at once; `penalty_fen`: the part of it that is the platform's, for a
    recall that the buyer did not ask for. `why_not`: why it is closed now."""

    way: Way
    cost_fen: int
    penalty_fen: int
    follows: tuple[Follows, ...]
    why_not: Why | None = None


def options(original: Side, reissue: Side, *, goods_fen: int, recall_fen: int, wished: bool) -> tuple[Option, ...]:
    """All ways, in the order of the enum. `wished`: the buyer's wish to have a parcel called back is recorded."""
    penalty = 0 if wished else recall_fen
    stops = (Follows.WRITE_CARRIER, Follows.SHELF_LATER)
    away = Why("parcel_not_under_way")
    return (
        Option(Way.STOP_ORIGINAL, penalty, penalty, stops, None if original.can_be_stopped else away),
        Option(Way.STOP_REISSUE, penalty, penalty, stops, None if reissue.can_be_stopped else away),
        Option(Way.COME_BACK, 0, 0, (Follows.SHELF_LATER,), None if original.comes_back else Why("not_coming_back")),
        Option(
            Way.REFUSE_ONE,
            0,
            0,
            (Follows.TELL_CUSTOMER, Follows.SHELF_LATER),
            away if original.is_there or original.comes_back else None,
        ),
        Option(
            Way.KEEP_BOTH,
            goods_fen,
            0,
            (Follows.TELL_CUSTOMER, Follows.GOODS_GONE),
            Why("not_coming_to_customer") if original.comes_back else None,
        ),
    )


def proposed(found: tuple[Option, ...]) -> Way | None:
    """The cheapest that is open; of equal ones the one that needs least of the customer. None where none is open."""
    open_ones = [one for one in found if one.why_not is None]
    order = (Way.COME_BACK, Way.REFUSE_ONE, Way.STOP_ORIGINAL, Way.STOP_REISSUE, Way.KEEP_BOTH)
    best = min(open_ones, key=lambda one: (one.cost_fen, order.index(one.way)), default=None)
    return best.way if best is not None else None


def check(option: Option, *, accept_penalty: bool) -> None:
    """Raises Refused: the option's own reason, recall_not_wished (cost_fen)."""
    if option.why_not is not None:
        raise Refused(option.why_not.code, **option.why_not.params)
    if option.penalty_fen and not accept_penalty:
        raise Refused("recall_not_wished", cost_fen=option.penalty_fen)


PAID = frozenset({ClaimState.PAID, ClaimState.SHORT_PAID, ClaimState.SETTLED})


def claim_act(state: ClaimState, kind: str) -> ClaimAct | None:
    """What becomes of a claim for a parcel that turned out not to be lost: it is given up where nothing was paid yet.
    None: nothing to do, or money came and the carrier may ask for it back (`PAID`)."""
    if kind not in ("lost", "stalled", "not_picked_up"):
        return None
    waivable = (ClaimState.OPEN, ClaimState.LAPSED, ClaimState.ASKED, ClaimState.ANSWERED, ClaimState.REFUSED)
    return ClaimAct.WAIVE if state in waivable else None
