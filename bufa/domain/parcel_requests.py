"""What is asked of a carrier about a parcel on its way: stop it, deliver it again, take it to another address.

That it was asked and what came of it are two facts. Until the result is known nothing is believed; a parcel that was
delivered meanwhile says the result by itself, and so does one that turns round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bufa.domain.kinds import Stage
from bufa.domain.outcome import Refused, Why


class RequestKind(StrEnum):
    """What is asked."""

    INTERCEPT = "intercept"
    REDELIVER = "redeliver"
    CHANGE_ADDRESS = "change_address"


class RequestState(StrEnum):
    """`asked`: the result is open; `late`: it was delivered, or came back, before the request could work."""

    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"
    LATE = "late"
    WITHDRAWN = "withdrawn"


class RequestWay(StrEnum):
    """How it was asked: by the platform's after-sale, by a mail, or by hand (phone, chat group)."""

    PLATFORM = "platform"
    MAIL = "mail"
    HAND = "hand"


_ON_ITS_WAY = frozenset({Stage.COLLECTED, Stage.IN_TRANSIT, Stage.AT_DESTINATION, Stage.OUT_FOR_DELIVERY})
_AT_ITS_END = frozenset({Stage.AT_DESTINATION, Stage.OUT_FOR_DELIVERY, Stage.READY_FOR_PICKUP})

POSSIBLE: Mapping[RequestKind, frozenset[Stage]] = {
    RequestKind.INTERCEPT: _ON_ITS_WAY | {Stage.READY_FOR_PICKUP},
    RequestKind.REDELIVER: _AT_ITS_END,
    RequestKind.CHANGE_ADDRESS: _ON_ITS_WAY | {Stage.READY_FOR_PICKUP},
}
"""In which stages it can still work."""

TABLE: Mapping[tuple[RequestState, RequestState], bool] = {
    (RequestState.ASKED, RequestState.DONE): True,
    (RequestState.ASKED, RequestState.FAILED): True,
    (RequestState.ASKED, RequestState.LATE): True,
    (RequestState.ASKED, RequestState.WITHDRAWN): True,
    (RequestState.FAILED, RequestState.DONE): True,
}
"""(was, becomes) that there is; a carrier may find a parcel after all that it said it could not stop."""

OUT_TODAY = timedelta(hours=8)
"""How long a parcel that is out for delivery can be reckoned to be still in the van, inferred."""


@dataclass(frozen=True, slots=True)
class Price:
    """What asking costs by itself. `penalty_fen`: what the platform takes where the buyer did not wish it."""

    penalty_fen: int
    is_wished: bool


def check(kind: RequestKind, stage: Stage) -> Why | None:
    """Why it can't work any more, or not yet; None while it can."""
    if stage in POSSIBLE[kind]:
        return None
    if kind is RequestKind.REDELIVER and stage in _ON_ITS_WAY:
        return Why("not_at_destination", {"stage": stage.value})
    return Why("not_under_way", {"stage": stage.value})


def too_late_at(
    kind: RequestKind, stage: Stage, *, eta: datetime | None, out_since: datetime | None, now: datetime
) -> datetime | None:
    """Until when it can be reckoned to work: until the parcel is handed over. None where nothing is known.

    `eta`: the middle of when it is expected; `out_since`: when it set out for its door.
    """
    if kind is RequestKind.REDELIVER:
        return None
    if stage is Stage.OUT_FOR_DELIVERY and out_since is not None:
        return out_since + OUT_TODAY
    return eta if eta is not None and eta > now else None


def price(kind: RequestKind, *, is_wished: bool, recall_fen: int) -> Price:
    """Only stopping a parcel that the buyer wants is punished."""
    return Price(recall_fen if kind is RequestKind.INTERCEPT and not is_wished else 0, is_wished)


def check_wish(said: Price, accepts: bool) -> None:
    """Raise Refused recall_not_wished (cost_fen) where it costs something that nobody has accepted."""
    if said.penalty_fen and not accepts:
        raise Refused("recall_not_wished", cost_fen=said.penalty_fen)


def becomes(was: RequestState, result: RequestState) -> RequestState:
    """Raise Refused request_is_settled (request_state) where that is no result any more."""
    if not TABLE.get((was, result)):
        raise Refused("request_is_settled", request_state=was.value)
    return result


def by_track(
    kind: RequestKind, *, asked_at: datetime, stage: Stage, stopped_at: datetime | None, delivered_at: datetime | None
) -> RequestState | None:
    """What the track says of the result since it was asked; None while it says nothing.

    `stopped_at`: when it was first scanned as intercepted or turned round.
    """
    if stopped_at is not None and stopped_at >= asked_at and kind is RequestKind.INTERCEPT:
        return RequestState.DONE
    if stage is Stage.DELIVERED and delivered_at is not None and delivered_at >= asked_at:
        return RequestState.DONE if kind is RequestKind.REDELIVER else RequestState.LATE
    if stage in (Stage.RETURNING, Stage.RETURNED) and kind is not RequestKind.INTERCEPT:
        return RequestState.LATE
    return None
