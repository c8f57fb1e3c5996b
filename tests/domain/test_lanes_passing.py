"""What a parcel teaches when it has passed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bufa.domain.histograms import Histogram
from bufa.domain.kinds import Kind
from bufa.domain.lanes import Leg
from bufa.domain.parcels import Scan, fold
from bufa.domain.passing import Fate, How, Measured, counted, fate_of, learned, lessons, measure

T0 = datetime(2026, 10, 1, 4, tzinfo=UTC)


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def scans(*told: tuple[float, Kind]) -> list[Scan]:
    return [Scan(at(hours), at(hours), kind, digest=f"{hours}{kind}") for hours, kind in told]


GOOD = scans(
    (0, Kind.COLLECTED), (4, Kind.ARRIVED_HUB), (9, Kind.IN_TRANSIT), (30, Kind.ARRIVED_HUB),
    (36, Kind.ARRIVED_DESTINATION), (40, Kind.OUT_FOR_DELIVERY), (43, Kind.DELIVERED),
)  # fmt: skip


def test_a_parcel_that_arrived_teaches_every_leg_and_every_silence() -> None:
    assert set(measure(reversed(GOOD), Fate.ARRIVED, at(90))) == {
        Measured(Leg.TOTAL, 43),
        Measured(Leg.FIRST_HUB, 4),
        Measured(Leg.HUB_GAP, 26),
        Measured(Leg.DELIVERY, 3),
        Measured(Leg.SILENT_COLLECTED, 4),
        Measured(Leg.SILENT_IN_TRANSIT, 21),
        Measured(Leg.SILENT_AT_DESTINATION, 4),
        Measured(Leg.SILENT_OUT_FOR_DELIVERY, 3),
    }


def test_a_lost_parcel_is_silent_for_ever_and_gives_no_time() -> None:
    lost = [*GOOD[:3], *scans((700, Kind.LOST))]

    assert set(measure(lost, Fate.LOST, at(900))) == {
        Measured(Leg.FIRST_HUB, 4),
        Measured(Leg.SILENT_COLLECTED, 4),
        Measured(Leg.SILENT_IN_TRANSIT, 891, How.NEVER),
    }


def test_an_open_parcel_has_lasted_at_least_so_long() -> None:
    assert set(measure(GOOD[:3], Fate.OPEN, at(50))) == {
        Measured(Leg.TOTAL, 50, How.CENSORED),
        Measured(Leg.FIRST_HUB, 4),
        Measured(Leg.SILENT_COLLECTED, 4),
        Measured(Leg.SILENT_IN_TRANSIT, 41, How.CENSORED),
    }


def test_a_parcel_that_turned_round_would_have_been_longer() -> None:
    back = [*GOOD[:3], *scans((29, Kind.RETURNING), (60, Kind.ARRIVED_HUB), (80, Kind.RETURNED))]

    assert set(measure(back, Fate.ARRIVED, at(99))) == {
        Measured(Leg.TOTAL, 29, How.CENSORED),
        Measured(Leg.FIRST_HUB, 4),
        Measured(Leg.SILENT_COLLECTED, 4),
        Measured(Leg.SILENT_IN_TRANSIT, 20),
    }


def test_a_signature_before_a_failure_does_not_end_the_way() -> None:
    twice = [*GOOD, *scans((45, Kind.ATTEMPT_FAILED), (64, Kind.OUT_FOR_DELIVERY), (66, Kind.DELIVERED))]

    legs = {one.leg: one.hours for one in measure(twice, Fate.ARRIVED, at(90))}

    assert (legs[Leg.TOTAL], legs[Leg.DELIVERY], legs[Leg.SILENT_OUT_FOR_DELIVERY]) == (66, 26, 19)


def test_promises_and_notes_break_no_silence() -> None:
    promised = [*GOOD[:3], *scans((15, Kind.ETA), (20, Kind.NOTE)), *GOOD[3:]]

    assert measure(promised, Fate.ARRIVED, at(90)) == measure(GOOD, Fate.ARRIVED, at(90))


@pytest.mark.parametrize(
    ("told", "hours", "fate"),
    [
        ([], 2000, Fate.OPEN),
        (GOOD, 44, Fate.OPEN),  # the signature may still be taken back
        (GOOD, 50, Fate.ARRIVED),
        (GOOD[:3], 700, Fate.OPEN),
        (GOOD[:3], 9 + 720, Fate.LOST),
        ([*GOOD[:3], *scans((100, Kind.LOST))], 200, Fate.OPEN),
        ([*GOOD[:3], *scans((100, Kind.LOST))], 100 + 168, Fate.LOST),
        ([*GOOD[:3], *scans((100, Kind.DAMAGED))], 900, Fate.MOOT),
        (scans((0, Kind.DAMAGED)), 900, Fate.MOOT),
        (scans((0, Kind.COLLECTED), (5, Kind.READY_FOR_PICKUP)), 900, Fate.MOOT),
        (scans((0, Kind.COLLECTED), (5, Kind.CANCELLED)), 900, Fate.MOOT),
        (scans((0, Kind.LABEL_CREATED)), 900, Fate.MOOT),
    ],
)
def test_how_a_parcel_counts(told: list[Scan], hours: float, fate: Fate) -> None:
    assert fate_of(fold(told), at(hours)) is fate


def test_what_is_moot_teaches_nothing() -> None:
    assert measure(GOOD, Fate.MOOT, at(90)) == []
    assert measure([], Fate.LOST, at(90)) == []


def test_counting() -> None:
    both = [
        Measured(Leg.TOTAL, 43),
        Measured(Leg.TOTAL, 50, How.CENSORED),
        Measured(Leg.SILENT_IN_TRANSIT, 891, How.NEVER),
    ]

    assert counted(both) == {
        Leg.TOTAL: Histogram.of([43], [50]),
        Leg.SILENT_IN_TRANSIT: Histogram.of(never=1),
    }


def test_hours_count_in_the_month_of_the_end_and_silences_in_that_of_the_start() -> None:
    start = datetime(2026, 10, 31, 10, tzinfo=UTC)  # evening in Shanghai; signed on 2 November there
    told = [s._replace(scanned_at=s.scanned_at - T0 + start, received_at=s.received_at - T0 + start) for s in GOOD]

    found = lessons(told, Fate.ARRIVED, start + timedelta(days=9), ["lane", "*"])

    assert found["lane", Leg.TOTAL, date(2026, 11, 1)] == Histogram.of([43])
    assert found["*", Leg.SILENT_IN_TRANSIT, date(2026, 10, 1)] == Histogram.of([21])
    assert len(found) == 2 * 8
    assert lessons(told, Fate.OPEN, at(90), ["*"]) == lessons([], Fate.LOST, at(90), ["*"]) == {}


def test_the_last_months_tell_the_hours_and_ripe_months_the_losses() -> None:
    one = Histogram.of([10])
    months = [date(2025, 9, 1), date(2025, 10, 1), date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)]
    kept = [(("*", leg, month), one) for leg in (Leg.TOTAL, Leg.SILENT_COLLECTED) for month in months]

    on_14_nov, on_16_nov = (learned(kept, datetime(2026, 11, day, tzinfo=UTC)) for day in (14, 16))

    assert on_14_nov.times == on_16_nov.times == {("*", Leg.TOTAL): one + one}  # of September and October
    assert on_14_nov.silences == {("*", Leg.SILENT_COLLECTED): one + one + one}  # 2025-09 to 2026-08
    assert on_16_nov.silences == {("*", Leg.SILENT_COLLECTED): one + one + one + one}
