"""Stopping, delivering again, taking elsewhere: when it can work, until when, at which price, what the track says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bufa.domain import parcel_requests as asked
from bufa.domain.kinds import Stage
from bufa.domain.outcome import Refused
from bufa.domain.parcel_requests import RequestKind, RequestState

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("kind", "stage", "why"),
    [
        ("intercept", "in_transit", None),
        ("intercept", "ready_for_pickup", None),
        ("intercept", "delivered", "not_under_way"),
        ("intercept", "labelled", "not_under_way"),
        ("intercept", "returning", "not_under_way"),
        ("redeliver", "ready_for_pickup", None),
        ("redeliver", "in_transit", "not_at_destination"),
        ("redeliver", "delivered", "not_under_way"),
        ("change_address", "out_for_delivery", None),
        ("change_address", "unshipped", "not_under_way"),
    ],
)
def test_when_it_can_work(kind: str, stage: str, why: str | None) -> None:
    said = asked.check(RequestKind(kind), Stage(stage))
    assert (said.code if said else None) == why


def test_until_when() -> None:
    given = {"eta": NOW + 30 * HOUR, "out_since": NOW - 2 * HOUR, "now": NOW}
    assert asked.too_late_at(RequestKind.INTERCEPT, Stage.IN_TRANSIT, **given) == NOW + 30 * HOUR
    assert asked.too_late_at(RequestKind.INTERCEPT, Stage.OUT_FOR_DELIVERY, **given) == NOW + 6 * HOUR
    assert asked.too_late_at(RequestKind.REDELIVER, Stage.OUT_FOR_DELIVERY, **given) is None
    assert asked.too_late_at(RequestKind.INTERCEPT, Stage.IN_TRANSIT, **given | {"eta": NOW - HOUR}) is None


def test_only_stopping_what_the_buyer_wants_costs_and_somebody_says_so() -> None:
    price = asked.price(RequestKind.INTERCEPT, is_wished=False, recall_fen=2500)
    assert price.penalty_fen == 2500
    with pytest.raises(Refused, match="recall_not_wished"):
        asked.check_wish(price, False)
    asked.check_wish(price, True)
    assert asked.price(RequestKind.INTERCEPT, is_wished=True, recall_fen=2500).penalty_fen == 0
    assert asked.price(RequestKind.CHANGE_ADDRESS, is_wished=False, recall_fen=2500).penalty_fen == 0


def test_what_the_track_says() -> None:
    open_ = {"asked_at": NOW, "stopped_at": None, "delivered_at": None}
    stop, again = RequestKind.INTERCEPT, RequestKind.REDELIVER
    assert asked.by_track(stop, stage=Stage.IN_TRANSIT, **open_) is None
    assert asked.by_track(stop, stage=Stage.IN_TRANSIT, **open_ | {"stopped_at": NOW - HOUR}) is None
    assert asked.by_track(stop, stage=Stage.RETURNING, **open_ | {"stopped_at": NOW + HOUR}) is RequestState.DONE
    signed = open_ | {"delivered_at": NOW + HOUR}
    assert asked.by_track(stop, stage=Stage.DELIVERED, **signed) is RequestState.LATE
    assert asked.by_track(again, stage=Stage.DELIVERED, **signed) is RequestState.DONE
    assert asked.by_track(again, stage=Stage.RETURNING, **open_) is RequestState.LATE


def test_a_result_is_a_result() -> None:
    assert asked.becomes(RequestState.FAILED, RequestState.DONE) is RequestState.DONE
    for was in (RequestState.DONE, RequestState.LATE, RequestState.WITHDRAWN):
        with pytest.raises(Refused, match="request_is_settled"):
            asked.becomes(was, RequestState.FAILED)
