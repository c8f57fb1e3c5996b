"""Text copied from carriers' pages: what is read of it, and what is left to people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.domain.pasted_trace import parse
from bufa.domain.rulebook import SHOP_ZONE

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # noon in Shanghai


def read(text: str) -> list[tuple[str, str]]:
    return [(scan.at.astimezone(SHOP_ZONE).strftime("%Y-%m-%d %H:%M:%S"), scan.text) for scan in parse(text, NOW).scans]


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("2026-11-18 09:05:07 快件已揽收", "2026-11-18 09:05:07"),
        ("2026/11/18 9:05 快件已揽收", "2026-11-18 09:05:00"),
        ("2026.11.18 09:05 快件已揽收", "2026-11-18 09:05:00"),
        ("2026年11月18日 09:05 快件已揽收", "2026-11-18 09:05:00"),
        ("2026年11月18日09时05分 快件已揽收", "2026-11-18 09:05:00"),
        ("11-18 09:05 快件已揽收", "2026-11-18 09:05:00"),
        ("11/18 09:05 快件已揽收", "2026-11-18 09:05:00"),
        ("11月18日 09:05 快件已揽收", "2026-11-18 09:05:00"),
        ("12-31 23:59 快件已揽收", "2025-12-31 23:59:00"),
        ("11月18日 周三 上午 9:05 快件已揽收", "2026-11-18 09:05:00"),
        ("2026-11-18 星期三 下午 3:20 快件已揽收", "2026-11-18 15:20:00"),
        ("昨天 21:30 快件已揽收", "2026-11-19 21:30:00"),
        ("今天 08:00 快件已揽收", "2026-11-20 08:00:00"),
        ("快件已揽收 2026-11-18 09:05:07", "2026-11-18 09:05:07"),
        ("09:05 2026-11-18 快件已揽收", "2026-11-18 09:05:00"),
        ("2026-11-18T09:05:07+08:00 快件已揽收", "2026-11-18 09:05:07"),
        ("2026-11-18T01:05:07Z 快件已揽收", "2026-11-18 09:05:07"),
        ("20261118 09:05:07 快件已揽收", "2026-11-18 09:05:07"),
        ("Nov 18, 2026 3:20 PM 快件已揽收", "2026-11-18 15:20:00"),
        ("18 Nov 2026 12:05 am 快件已揽收", "2026-11-18 00:05:00"),
        ("● 2026-11-18 09:05:07 | 快件已揽收", "2026-11-18 09:05:07"),
    ],
)
def test_one_line_in_many_forms(line: str, at: str) -> None:
    assert read(line) == [(at, "快件已揽收")]
    assert parse(line, NOW).unread == ()


def test_a_day_once_with_times_below() -> None:
    text = "2026-11-18\n18:20 【杭州市】已到达 杭州转运中心\n09:05 【杭州市】已揽收\n2026-11-17 周二\n20:00 商家已打单"
    assert read(text) == [
        ("2026-11-17 20:00:00", "商家已打单"),
        ("2026-11-18 09:05:00", "【杭州市】已揽收"),
        ("2026-11-18 18:20:00", "【杭州市】已到达 杭州转运中心"),
    ]


def test_times_on_lines_of_their_own_above_the_words() -> None:
    text = "2026-11-18 18:20:01\n【杭州市】已到达\n杭州转运中心\n\n2026-11-18 09:05:07\n【杭州市】已揽收"
    assert read(text) == [
        ("2026-11-18 09:05:07", "【杭州市】已揽收"),
        ("2026-11-18 18:20:01", "【杭州市】已到达 杭州转运中心"),
    ]


def test_times_on_lines_of_their_own_below_the_words() -> None:
    text = "【杭州市】已到达\n2026-11-18 18:20:01\n【杭州市】已揽收\n2026-11-18 09:05:07"
    assert read(text) == [("2026-11-18 09:05:07", "【杭州市】已揽收"), ("2026-11-18 18:20:01", "【杭州市】已到达")]


def test_an_app_that_puts_the_time_above_the_day() -> None:
    text = "18:20\n11-18\n已到达 杭州转运中心\n09:05\n11-18\n已揽收"
    assert read(text) == [("2026-11-18 09:05:00", "已揽收"), ("2026-11-18 18:20:00", "已到达 杭州转运中心")]


def test_a_time_inside_the_words_is_not_the_scan() -> None:
    (scan,) = parse("2026-11-18 09:05 预计 11-20 18:00 前送达", NOW).scans
    assert scan.text == "预计 11-20 18:00 前送达"
    assert scan.at == datetime(2026, 11, 18, 1, 5, tzinfo=UTC)


def test_what_says_no_time_is_handed_back() -> None:
    found = parse("中通快递 73100000000001\n2026-11-18 09:05:07 已揽收\n2026-13-40 25:61 坏的日期", NOW)
    assert [scan.text for scan in found.scans] == ["已揽收"]
    assert found.unread == ("中通快递 73100000000001", "2026-13-40 25:61 坏的日期")


def test_a_scan_from_next_week_is_not_believed() -> None:
    found = parse("2026-11-28 09:05 已签收", NOW)
    assert (found.scans, found.unread) == ((), ("已签收",))


def test_a_trace_pasted_twice_is_one() -> None:
    assert len(parse("2026-11-18 09:05 已揽收\n" * 2, NOW).scans) == 1


@given(st.text(max_size=300))
def test_any_text_is_read_or_handed_back(text: str) -> None:
    found = parse(text, NOW)
    assert all(scan.at.tzinfo is UTC and scan.text for scan in found.scans)
    assert all(line.strip() for line in found.unread)


@given(st.integers(0, 50 * 1440), st.sampled_from(["%Y-%m-%d %H:%M", "%m月%d日 %H:%M", "%m-%d %H:%M"]))
def test_every_minute_comes_back(minutes: int, form: str) -> None:
    at = NOW - timedelta(minutes=minutes)
    (scan,) = parse(f"{at.astimezone(SHOP_ZONE).strftime(form)} 已到达 杭州转运中心", NOW).scans
    assert scan.at == at
