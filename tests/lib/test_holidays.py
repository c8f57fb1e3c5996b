"""Holidays as pauses: what the package knows, what the shop's table adds and takes away."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from bufa.domain.calendars import PauseCode
from bufa.lib.holidays import Override, known_until, pauses, unknown_years

YEAR = (date(2026, 1, 1), date(2026, 12, 31))


def shop(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00:00+08:00")


def test_national_day_of_2026() -> None:
    found = [pause for pause in pauses(*YEAR) if pause.name == "国庆节"]

    assert [(one.code, one.begins, one.ends) for one in found] == [
        (PauseCode.FESTIVAL, shop("2026-10-01"), shop("2026-10-08"))
    ]
    assert (found[0].platform, found[0].families, found[0].source) == (False, {"delivery"}, "chinesecalendar")


def test_the_festivals_of_a_year_come_in_order_and_by_name() -> None:
    names = [pause.name for pause in pauses(*YEAR)]
    assert names == ["元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节"]


def test_a_year_that_nobody_has_announced_is_said_to_be_unknown() -> None:
    span = (date(2026, 12, 1), date(2027, 3, 1))
    festival = Override(date(2027, 2, 5), date(2027, 2, 12), "春节", platform=True, source="平台公告")

    assert known_until() == date(2026, 12, 31)
    assert unknown_years(*span) == [2027]
    assert unknown_years(*span, [festival]) == []
    assert pauses(*span) == ()
    found = pauses(*span, [festival])
    assert [(one.name, one.begins, one.ends, one.platform, one.source, one.families) for one in found] == [
        ("春节", shop("2027-02-05"), shop("2027-02-13"), True, "平台公告", frozenset())
    ]


def test_the_shops_table_holds_where_it_differs() -> None:
    works = Override(date(2026, 10, 5), date(2026, 10, 7), works=True)
    found = [(one.begins, one.ends) for one in pauses(*YEAR, [works]) if one.name == "国庆节"]
    assert found == [(shop("2026-10-01"), shop("2026-10-05"))]


def test_a_festival_runs_forwards() -> None:
    with pytest.raises(ValueError):
        Override(date(2026, 10, 5), date(2026, 10, 4))
