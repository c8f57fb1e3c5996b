"""Near, far, remote: the province pairs of the platform's transit clock."""

from __future__ import annotations

import pytest

from bufa.domain.regions import distance, province_number, province_of, short_province
from bufa.lib.divisions import divisions


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


@pytest.mark.parametrize(
    ("place", "province", "number"),
    [
        ("杭州市", "浙江", 33),
        ("陕西省,西安市", "陕西", 61),
        ("北京市", "北京", 11),
        ("朝阳市", "辽宁", 21),
        ("朝阳", "", 0),
        ("海南藏族自治州", "青海", 63),
        ("内蒙古自治区", "内蒙古", 15),
        ("香港特别行政区", "香港", 81),
        ("吉林转运中心", "", 0),
        ("武汉转运中心", "", 0),
        ("", "", 0),
    ],
)
def test_the_province_of_a_place(place: str, province: str, number: int) -> None:
    assert (province_of(place), province_number(place)) == (province, number)


def test_every_city_of_the_table_of_divisions_is_in_its_province() -> None:
    prefectures = [one for one in divisions().all if one.city and not one.district]
    cities = {(one.city, short_province(one.province)) for one in prefectures if not one.city.endswith(("县", "区"))}
    assert len(cities) > 330
    assert {city for city, province in cities if province_of(city) != province} == set()
