"""The words of the rule book: when a clock began and what ended it. They are explained at the head of its data file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Protocol

from bufa.domain.kinds import Kind, Stage
from bufa.domain.parcels import ParcelState
from bufa.domain.promises import pickup_norm
from bufa.domain.rulebook import Fact
from bufa.domain.trail import first_after, repeated_at, too_fast_at


class Followed(Protocol):
    """What the words ask of a parcel; `watch.Watched` is one."""

    @property
    def stage(self) -> Stage: ...
    @property
    def state(self) -> ParcelState: ...
    @property
    def has_number(self) -> bool: ...
    @property
    def uploaded_at(self) -> datetime | None: ...
    @property
    def ship_by(self) -> datetime | None: ...
    @property
    def paid_at(self) -> datetime | None: ...
    @property
    def notice_at(self) -> datetime | None: ...
    @property
    def dest_province(self) -> str: ...
    @property
    def dest_city(self) -> str: ...
    @property
    def dest_district(self) -> str: ...
    @property
    def number_uploads(self) -> tuple[datetime, ...]: ...
    @property
    def facts(self) -> Mapping[Fact, datetime]: ...


Start = Callable[[Followed], datetime | None]


def start_of(word: str, parcel: Followed) -> datetime | None:
    """When the clock of that word began for this parcel, or None when it did not."""
    return starter(word)(parcel)


@cache
def starter(word: str) -> Start:
    """What `start_of` asks, for those who ask it of many parcels."""
    head, _, tail = word.partition(":")
    if head == "fact":
        fact = Fact(tail)
        return lambda parcel: parcel.facts.get(fact)
    if head == "attempts":
        failed = int(tail)
        return lambda parcel: _last_failure(parcel.state) if parcel.state.attempts >= failed else None
    if tail:
        kind = Kind(tail)
        if head == "first":
            return lambda parcel: parcel.state.first.get(kind)
        return lambda parcel: parcel.state.last.get(kind)
    return _STARTS[head]


_HUB_LIKE = (
    Kind.ARRIVED_HUB,
    Kind.ARRIVED_DESTINATION,
    Kind.OUT_FOR_DELIVERY,
    Kind.ATTEMPT_FAILED,
    Kind.READY_FOR_PICKUP,
)


def _hub_like_at(state: ParcelState) -> datetime | None:
    """The first scan that shows the parcel beyond its first branch, whatever the station is called."""
    return min((state.first[kind] for kind in _HUB_LIKE if kind in state.first), default=None)


def _in_transit(state: ParcelState) -> datetime | None:
    return state.newest_at if state.first_platform_hub_at or _hub_like_at(state) else None


def _quiet(state: ParcelState) -> datetime | None:
    """As in transit; but until a time that was agreed for another attempt nobody expects news."""
    newest = _in_transit(state)
    return max(newest, state.agreed_at) if newest and state.agreed_at else newest


def _at_door(state: ParcelState) -> datetime | None:
    """The last time somebody set out or stood before the door; a time agreed for another attempt counts as later."""
    out = [state.last[kind] for kind in (Kind.OUT_FOR_DELIVERY, Kind.ATTEMPT_FAILED) if kind in state.last]
    if not out:
        return None
    return max(max(out), state.agreed_at or max(out))


def _last_failure(state: ParcelState) -> datetime | None:
    return max((state.last[kind] for kind in (Kind.ATTEMPT_FAILED, Kind.REFUSED) if kind in state.last), default=None)


def _after_delivered(parcel: Followed) -> datetime | None:
    return _last_failure(parcel.state) if parcel.state.signed_then_failed else None


def _returned(parcel: Followed) -> datetime | None:
    """Some carriers scan the way back's end as a signature, so the stage says it, not the kind."""
    if parcel.stage is not Stage.RETURNED:
        return None
    return parcel.state.first.get(Kind.RETURNED) or parcel.state.delivered_at


def _renumbered(parcel: Followed) -> datetime | None:
    """When another number was uploaded to the order that was late already."""
    if parcel.ship_by is None or len(parcel.number_uploads) < 2:
        return None
    return min((at for at in sorted(parcel.number_uploads)[1:] if at > parcel.ship_by), default=None)


def _before_payment(parcel: Followed) -> datetime | None:
    collected = parcel.state.collected_at
    return collected if parcel.paid_at and collected and collected < parcel.paid_at else None


def _wrong_city(parcel: Followed) -> datetime | None:
    """The signature names a city, and it is neither the order's city nor its district (which may be a city, too).
    Stations and streets name no city, and then nothing is said."""
    place, signed = parcel.state.newest_place, parcel.state.delivered_at
    if parcel.stage is not Stage.DELIVERED or place is None or place.at != signed:
        return None
    if not parcel.dest_city or not parcel.dest_district or not place.value.endswith("市"):
        return None
    ours = {_bare_city(name) for name in (parcel.dest_province, parcel.dest_city, parcel.dest_district)}
    return signed if _bare_city(place.value) not in ours else None


def _bare_city(name: str) -> str:
    """`金华市`, `金华`, `浙江省金华市` -> `金华`."""
    return name.strip().rpartition("省")[2].rpartition("自治区")[2].removesuffix("市")


def _signed_not_received(parcel: Followed) -> datetime | None:
    """The customer says after the signature that nothing came."""
    said, signed = parcel.facts.get(Fact.NOT_RECEIVED), parcel.state.delivered_at
    return said if said and signed and said >= signed else None


def _revived(parcel: Followed) -> datetime | None:
    """The original moves on after its reissue was sent."""
    sent, newest = parcel.facts.get(Fact.REISSUED), parcel.state.newest_kind
    if sent is None or newest is None or newest.at <= sent or Kind(newest.value) not in _FORWARD:
        return None
    return first_after(parcel.state, sent) or newest.at


_FORWARD = frozenset(
    {
        Kind.COLLECTED,
        Kind.ARRIVED_HUB,
        Kind.IN_TRANSIT,
        Kind.ARRIVED_DESTINATION,
        Kind.OUT_FOR_DELIVERY,
        Kind.READY_FOR_PICKUP,
        Kind.DELIVERED,
    }
)

_STARTS: Mapping[str, Start] = {
    "ship_by": lambda parcel: parcel.ship_by,
    "paid": lambda parcel: parcel.paid_at,
    "norm": lambda parcel: pickup_norm(parcel.paid_at) if parcel.paid_at else None,
    "uploaded": lambda parcel: parcel.uploaded_at if parcel.has_number else None,
    "collected": lambda parcel: parcel.state.collected_at,
    "hub_like": lambda parcel: _hub_like_at(parcel.state),
    "transit": lambda parcel: _in_transit(parcel.state),
    "quiet": lambda parcel: _quiet(parcel.state),
    "at_door": lambda parcel: _at_door(parcel.state),
    "notice": lambda parcel: parcel.notice_at,
    "returned": _returned,
    "after_delivered": _after_delivered,
    "renumbered": _renumbered,
    "before_payment": _before_payment,
    "repeated": lambda parcel: repeated_at(parcel.state),
    "too_fast": lambda parcel: too_fast_at(parcel.state),
    "wrong_city": _wrong_city,
    "signed_not_received": _signed_not_received,
    "revived": _revived,
}


def end_of(word: str, state: ParcelState, start: datetime) -> datetime | None:
    """When what the word says ended a clock that began at `start`, or None."""
    at, always = _end(word)
    when = at(state)
    return when if always or (when is not None and when > start) else None


@cache
def _end(word: str) -> tuple[Callable[[ParcelState], datetime | None], bool]:
    """When it happened, and whether it ends also a clock that began after it."""
    head, _, tail = word.partition(":")
    if head == "moved":
        return lambda state: state.collected_at, True
    if head == "hub":
        return lambda state: state.first_platform_hub_at, True
    if tail == "any":
        return lambda state: state.newest_at, False
    kind = Kind(tail)
    return lambda state: state.last.get(kind), False


def stopped_at(parcel: Followed) -> datetime | None:
    """When the parcel came into the stage it is in, for stages in which a clock no longer runs."""
    state = parcel.state
    if parcel.stage is Stage.READY_FOR_PICKUP:
        return state.first.get(Kind.READY_FOR_PICKUP, state.newest_at)
    if parcel.stage is Stage.RETURNING:
        return state.first.get(Kind.RETURNING, state.newest_at)
    return state.delivered_at or state.newest_at
