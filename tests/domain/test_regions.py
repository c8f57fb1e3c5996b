"""Near, far, remote: the province pairs of the platform's transit clock."""

from __future__ import annotations

import pytest

from bufa.domain.regions import distance, short_province


@pytest.mark.parametrize(
    ("origin", "destination", "expected"),
    [
        ("浙江省", "上海市", "near"),
        ("安徽", "江苏", "near"),
        ("北京", "河北省", "near"),
        ("四川省", "四川", "near"),
        ("四川", "重庆", "far"),
        ("浙江", "北京", "far"),
        ("四川", "西藏自治区", "remote"),
        ("海南省", "海南", "remote"),
        ("内蒙古自治区", "宁夏", "remote"),
        ("", "四川", None),
        ("火星", "四川", None),
    ],
)
def test_distance(origin: str, destination: str, expected: str | None) -> None:
    assert distance(origin, destination) == expected
    assert distance(destination, origin) == expected


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("四川省", "四川"),
        ("广西壮族自治区", "广西"),
        ("上海市", "上海"),
        ("黑龙江", "黑龙江"),
        ("510000", "四川"),
        ("", ""),
    ],
)
def test_short_province(text: str, short: str) -> None:
    assert short_province(text) == short
