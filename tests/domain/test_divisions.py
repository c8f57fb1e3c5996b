"""The table of divisions: real, renamed, in the wrong place, no division at all."""

from __future__ import annotations

import pytest

from bufa.domain.divisions import Fit, Level
from bufa.lib.divisions import divisions

TABLE = divisions()


def test_the_table_is_whole() -> None:
    levels = [one.level for one in TABLE.all]
    assert levels.count(Level.PROVINCE) == 34
    assert levels.count(Level.CITY) == 333 + 4 + 32  # with municipalities and counties right under a province
    assert len(TABLE.counties) == 2849
    assert all(len(one.code) == 6 and one.code.isdigit() for one in TABLE.all)
    lowest = [one.code for one in TABLE.counties]
    assert len(lowest) == len(set(lowest))


@pytest.mark.parametrize("one", [TABLE.counties[place] for place in range(0, len(TABLE.counties), 40)], ids=str)
def test_every_county_is_real_under_its_own_city(one: object) -> None:
    county = next(each for each in TABLE.counties if each == one)
    found = TABLE.check(county.province, county.city, county.district)
    assert (found.fit, found.meant) == (Fit.REAL, (county,))


@pytest.mark.parametrize(
    ("written", "fit", "meant"),
    [
        (("浙江", "杭州", "余杭"), Fit.REAL, ["330110"]),
        (("内蒙古", "锡林郭勒盟", "锡林浩特市"), Fit.REAL, ["152502"]),
        (("湖北省", "恩施州", "利川市"), Fit.REAL, ["422802"]),
        (("湖北省", "", "仙桃市"), Fit.REAL, ["429004"]),
        (("湖北省", "仙桃市", "仙桃市"), Fit.REAL, ["429004"]),
        (("湖北省", "省直辖县级行政区划", "仙桃市"), Fit.REAL, ["429004"]),
        (("浙江省", "义乌市", ""), Fit.REAL, ["330782"]),
        (("广东省", "东莞市", ""), Fit.REAL, ["441900"]),
        (("广东省", "东莞市", "长安镇"), Fit.REAL, ["441900"]),
        (("北京市", "市辖区", "朝阳区"), Fit.REAL, ["110105"]),
        (("重庆市", "县", "城口县"), Fit.REAL, ["500229"]),
        (("浙江省", "杭州市", "下城区"), Fit.FORMER, ["330105"]),
        (("江苏省", "苏州市", "吴江市"), Fit.FORMER, ["320509"]),
        (("湖北省", "襄樊市", "襄城区"), Fit.FORMER, ["420602"]),
        (("浙江省", "杭州市", "江干区"), Fit.FORMER, ["330102", "330114"]),
        (("江苏省", "苏州市", ""), Fit.NO_DISTRICT, ["320500"]),
        (("上海市", "上海市", "上海市"), Fit.NO_DISTRICT, ["310100"]),
        (("河南省", "郑州市", "郑东新区"), Fit.ZONE, ["410100"]),
        (("四川省", "成都市", "其它区"), Fit.ZONE, ["510100"]),
        (("香港特别行政区", "香港", "油尖旺区"), Fit.NOT_LISTED, ["810000"]),
        (("四川省", "成都市", "哈哈区"), Fit.DISTRICT_UNKNOWN, ["510100"]),
        (("广东省", "广州市", "南山区"), Fit.DISAGREE, ["230404", "440305"]),
        (("河南省", "北京市", "朝阳区"), Fit.DISAGREE, ["110100"]),
        (("河南省", "月球市", "朝阳区"), Fit.CITY_UNKNOWN, ["410000"]),
        (("火星省", "杭州市", "余杭区"), Fit.PROVINCE_UNKNOWN, []),
        (("", "", ""), Fit.PROVINCE_UNKNOWN, []),
    ],
)
def test_check(written: tuple[str, str, str], fit: Fit, meant: list[str]) -> None:
    found = TABLE.check(*written)
    assert (found.fit, [one.code for one in found.meant]) == (fit, meant)
