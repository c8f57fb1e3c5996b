"""Folding scans: the set decides, not the order; and the stage follows one table."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bufa.domain.kinds import Kind, Reason, Stage
from bufa.domain.parcels import (
    EMPTY,
    KIND_RANK,
    ParcelState,
    Scan,
    add,
    attempt_number,
    dedupe,
    fold,
    is_final,
    merge,
    same_scan_key,
    stage_of,
)

T0 = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)


def scan(kind: Kind, minutes: float = 0, **more: object) -> Scan:
    at = T0 + timedelta(minutes=minutes)
    values: dict[str, object] = {"scanned_at": at, "received_at": at, "kind": kind, "digest": f"{kind}@{minutes}"}
    return Scan(**(values | more))  # type: ignore[arg-type]


def stage(*steps: tuple[Kind, float]) -> Stage:
    return fold(scan(kind, minutes) for kind, minutes in steps).stage


scans = st.builds(
    Scan,
    scanned_at=st.integers(0, 40).map(lambda step: T0 + timedelta(seconds=45 * step)),
    received_at=st.integers(-20, 60).map(lambda step: T0 + timedelta(minutes=step)),
    kind=st.sampled_from(Kind),
    reason=st.none() | st.sampled_from(Reason),
    place=st.sampled_from(("", "成都", "上海")),
    text=st.sampled_from(("", "正在第2次派件", "正在第3次派件")),
    digest=st.sampled_from("abc"),
    provider=st.sampled_from(("kuaidi100", "kdniao")),
    code=st.sampled_from(("", "1", "202")),
    fineness=st.integers(0, 2),
    platform_hub=st.booleans(),
)
histories = st.lists(scans, max_size=14)


@given(histories, st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_order_and_repeats_never_change_the_state(history: list[Scan], random: object) -> None:
    mixed = history + history[: len(history) // 2]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert fold(mixed) == fold(history)
    assert dedupe(mixed) == dedupe(history)


@given(histories, st.integers(0, 14))
@settings(max_examples=300)
def test_batches_never_change_the_state(history: list[Scan], cut: int) -> None:
    distinct = dedupe(history)
    one, other = distinct[:cut], distinct[cut:]
    assert add(fold(one), other) == fold(history)
    assert add(fold(other), one) == fold(history)


@given(histories)
def test_state_survives_json(history: list[Scan]) -> None:
    state = fold(history)
    assert ParcelState.from_json(json.loads(json.dumps(state.to_json()))) == state


same_scans = scans.map(lambda scan: scan._replace(digest="a", scanned_at=T0 + timedelta(seconds=scan.fineness)))


@given(same_scans, same_scans, same_scans)
def test_merging_is_a_choice_that_no_order_changes(a: Scan, b: Scan, c: Scan) -> None:
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert merge(a, a) == a


@given(histories, st.sampled_from((Kind.ETA, Kind.NOTE, Kind.UNMAPPED)), st.integers(-600, 600))
def test_promises_notes_and_unread_texts_never_move_the_stage(history: list[Scan], kind: Kind, minute: int) -> None:
    state = fold(history)
    said = add(state, [scan(kind, minute, digest="said")])
    assert stage_of(said, has_number=True) == stage_of(state, has_number=True)


def test_every_kind_has_its_rank() -> None:
    assert set(KIND_RANK) == set(Kind)


def test_no_json_and_empty_json_are_the_empty_state() -> None:
    assert ParcelState.from_json(None) == ParcelState.from_json({}) == EMPTY == fold([])


def test_of_two_same_scans_the_finer_wins_and_the_later_arrival_stays() -> None:
    coarse = scan(Kind.IN_TRANSIT, provider="doudian", fineness=0, received_at=T0 + timedelta(hours=3), digest="d")
    fine = scan(Kind.ATTEMPT_FAILED, 0.5, provider="kuaidi100", code="206", fineness=2, digest="d")
    assert same_scan_key(coarse) == same_scan_key(fine)
    assert merge(coarse, fine).kind is Kind.ATTEMPT_FAILED
    assert merge(coarse, fine).received_at == T0 + timedelta(hours=3)
    assert fold([coarse, fine]).scans == 1


def test_of_equally_fine_scans_the_smaller_provider_and_code_wins() -> None:
    first = scan(Kind.IN_TRANSIT, provider="kdniao", code="204", fineness=2, digest="d")
    second = scan(Kind.DELIVERED, provider="kuaidi100", code="3", fineness=2, digest="d")
    assert merge(second, first).provider == "kdniao"


def test_a_scan_from_the_future_is_counted_and_not_used() -> None:
    promised = scan(Kind.DELIVERED, 11, received_at=T0)
    state = fold([scan(Kind.COLLECTED), promised])
    assert (state.scans, state.unusable, state.stage) == (2, 1, Stage.COLLECTED)
    assert state.newest_at == T0
    assert fold([scan(Kind.COLLECTED), scan(Kind.DELIVERED, 10, received_at=T0)]).stage is Stage.DELIVERED


def test_a_future_scan_counts_once_it_is_told_again_later() -> None:
    early, again = scan(Kind.DELIVERED, 30, received_at=T0, digest="d"), scan(Kind.DELIVERED, 30, digest="d")
    assert fold([early, again]).stage is Stage.DELIVERED


@pytest.mark.parametrize(
    ("expected", "steps"),
    [
        (Stage.LABELLED, []),
        (Stage.LABELLED, [(Kind.LABEL_CREATED, 0)]),
        (Stage.COLLECTED, [(Kind.LABEL_CREATED, 0), (Kind.COLLECTED, 5)]),
        (Stage.IN_TRANSIT, [(Kind.COLLECTED, 0), (Kind.ARRIVED_HUB, 60)]),
        # the pickup is entered three hours after the departure
        (Stage.IN_TRANSIT, [(Kind.IN_TRANSIT, 0), (Kind.COLLECTED, 180)]),
        (Stage.AT_DESTINATION, [(Kind.IN_TRANSIT, 0), (Kind.ARRIVED_DESTINATION, 600)]),
        # the branch scans the arrival six seconds after the courier left
        (Stage.OUT_FOR_DELIVERY, [(Kind.OUT_FOR_DELIVERY, 0), (Kind.ARRIVED_DESTINATION, 0.1)]),
        # sent on to another branch after it was out
        (Stage.IN_TRANSIT, [(Kind.OUT_FOR_DELIVERY, 0), (Kind.IN_TRANSIT, 300)]),
        (Stage.OUT_FOR_DELIVERY, [(Kind.OUT_FOR_DELIVERY, 0), (Kind.ATTEMPT_FAILED, 300)]),
        (Stage.OUT_FOR_DELIVERY, [(Kind.OUT_FOR_DELIVERY, 0), (Kind.REFUSED, 300)]),
        (Stage.READY_FOR_PICKUP, [(Kind.OUT_FOR_DELIVERY, 0), (Kind.READY_FOR_PICKUP, 300)]),
        (Stage.OUT_FOR_DELIVERY, [(Kind.READY_FOR_PICKUP, 0), (Kind.OUT_FOR_DELIVERY, 1500)]),
        (Stage.DELIVERED, [(Kind.READY_FOR_PICKUP, 0), (Kind.DELIVERED, 300)]),
        (Stage.DELIVERED, [(Kind.REFUSED, 0), (Kind.DELIVERED, 300)]),
        (Stage.OUT_FOR_DELIVERY, [(Kind.DELIVERED, 0), (Kind.ATTEMPT_FAILED, 20)]),
        (Stage.DELIVERED, [(Kind.DELIVERED, 0), (Kind.ATTEMPT_FAILED, 20), (Kind.DELIVERED, 90)]),
        (Stage.RETURNING, [(Kind.REFUSED, 0), (Kind.RETURNING, 100), (Kind.ARRIVED_HUB, 900)]),
        (Stage.RETURNING, [(Kind.DELIVERED, 0), (Kind.RETURNING, 100)]),
        (Stage.RETURNED, [(Kind.RETURNING, 0), (Kind.DELIVERED, 4000)]),
        (Stage.RETURNED, [(Kind.RETURNED, 0), (Kind.DELIVERED, 10)]),
        (Stage.RETURNED, [(Kind.DELIVERED, 0), (Kind.RETURNED, 10)]),
        (Stage.CANCELLED, [(Kind.LABEL_CREATED, 0), (Kind.CANCELLED, 10)]),
        (Stage.IN_TRANSIT, [(Kind.CANCELLED, 0), (Kind.IN_TRANSIT, 10)]),
        (Stage.COLLECTED, [(Kind.DAMAGED, 0)]),
        (Stage.IN_TRANSIT, [(Kind.ARRIVED_HUB, 0), (Kind.HELD, 60), (Kind.LOST, 90)]),
    ],
)
def test_stage(expected: Stage, steps: list[tuple[Kind, float]]) -> None:
    assert stage(*steps) is expected


def test_a_parcel_without_number_is_unshipped() -> None:
    assert stage_of(EMPTY, has_number=False) is Stage.UNSHIPPED
    assert stage_of(EMPTY, has_number=True) is Stage.LABELLED


def test_uncollected_at_a_station_lies_at_that_station() -> None:
    overdue = scan(Kind.HELD, 900, reason=Reason.PICKUP_OVERDUE)
    assert fold([scan(Kind.OUT_FOR_DELIVERY), overdue]).stage is Stage.READY_FOR_PICKUP


def test_a_signature_settles_after_some_hours() -> None:
    state = fold([scan(Kind.DELIVERED)])
    assert not is_final(state, T0 + timedelta(hours=5))
    assert is_final(state, T0 + timedelta(hours=6))
    failed = fold([scan(Kind.DELIVERED), scan(Kind.ATTEMPT_FAILED, 20)])
    assert failed.signed_then_failed
    assert not is_final(failed, T0 + timedelta(days=9))


def test_attempts_are_days_of_failure_or_the_number_in_the_text() -> None:
    twice_told = [scan(Kind.ATTEMPT_FAILED, 0), scan(Kind.ATTEMPT_FAILED, 1)]
    assert fold(twice_told).attempts == 1
    assert fold([*twice_told, scan(Kind.REFUSED, 60 * 24)]).attempts == 2
    third = scan(Kind.OUT_FOR_DELIVERY, text="【福州长乐】 的<N>（<P>） 正在第3次派件")
    assert fold([third]).attempts == 2
    assert (attempt_number("正在第 2 次派件"), attempt_number("第1分拨")) == (2, 0)


def test_sums_of_a_small_history() -> None:
    state = fold(
        [
            scan(Kind.COLLECTED, 0, place="苍溪"),
            scan(Kind.IN_TRANSIT, 60, place="南充", platform_hub=True),
            scan(Kind.ARRIVED_HUB, 50, place="南充", platform_hub=True),
            scan(Kind.HELD, 70, reason=Reason.WEATHER),
            scan(Kind.UNMAPPED, 80, place="成都"),
            scan(Kind.ETA, 90),
        ]
    )
    assert state.first_platform_hub_at == T0 + timedelta(minutes=50)
    assert state.place == "成都"
    assert state.newest_at == T0 + timedelta(minutes=80)
    assert state.reasons == {Reason.WEATHER: T0 + timedelta(minutes=70)}
    assert (state.scans, state.unmapped, state.unusable) == (6, 1, 0)
    assert state.collected_at == T0
    assert state.counts[Kind.ARRIVED_HUB] == 1
