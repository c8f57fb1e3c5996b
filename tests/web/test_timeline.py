"""A parcel's scans as lines: order, silences, and a scan whose time cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bufa.apps.parcels.views import ParcelView, ScanView
from bufa.web.timeline import track

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


def hours(ago: float) -> datetime:
    return NOW - timedelta(hours=ago)


def scan(at: datetime, text: str, *, told: datetime | None = None) -> ScanView:
    return ScanView(at, told or at, "in_transit", "", "", text, "kuaidi100")


PARCEL = ParcelView(
    shop_id=1,
    parcel_id=1,
    order_id=1,
    order_number="69",
    role="original",
    carrier="yunda",
    number="4657489452915",
    stage="in_transit",
    place="",
    contents=(),
    uploaded_at=hours(20),
    last_scan_at=hours(8),
    next_deadline=None,
    risk_fen=0,
    risk_at=None,
    origin_province="",
    dest_province="",
    is_watched=True,
    created_at=hours(20),
    state={},
)


def test_a_scan_from_the_future_stands_where_it_was_told() -> None:
    wrong = NOW + timedelta(days=364)
    scans = (scan(hours(14), "离开"), scan(hours(8), "发往"), scan(wrong, "到达", told=hours(10)))
    lines = track(replace(PARCEL, scans=scans), NOW)
    assert [(line.css, line.text, line.at, line.dated) for line in lines] == [
        ("hot", "发往", hours(8), None),
        ("", "到达", hours(10), wrong),
        ("", "离开", hours(14), None),
        ("", "", hours(20), None),
    ]


def test_a_silence_is_drawn_since_the_last_scan_that_counts() -> None:
    scans = (scan(hours(60), "离开"), scan(hours(30), "发往"), scan(NOW + timedelta(days=9), "到达", told=hours(1)))
    lines = track(replace(PARCEL, uploaded_at=None, scans=scans), NOW)
    assert [(line.css, line.span) for line in lines] == [
        ("gap", timedelta(hours=30)),
        ("", None),
        ("hot", None),
        ("gap", timedelta(hours=30)),
        ("", None),
    ]
