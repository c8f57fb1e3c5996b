"""Pasted recipients: read for certain, or doubted; never read wrong."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bufa.domain.address_parser import ParsedAddress, Verdict, parse, parse_columns
from bufa.domain.divisions import Division
from bufa.lib.divisions import divisions
from tests.samples import SAMPLES

TABLE = divisions()


def _places(parsed: ParsedAddress) -> tuple[str, str, str, str]:
    return parsed.province, parsed.city, parsed.district, parsed.town + parsed.detail


def _codes(parsed: ParsedAddress) -> list[str]:
    return [why.code for why in parsed.problems if why.code not in ("phone_missing", "name_missing")]


SURE = [
    # the province lacks, or a level between
    ("余杭区文一西路969号", "浙江省/杭州市/余杭区/文一西路969号"),
    ("浦东新区张江镇1号", "上海市/上海市/浦东新区/张江镇1号"),
    ("河北区中山路1号", "天津市/天津市/河北区/中山路1号"),
    ("福建省沙县凤岗街道1号", "福建省/三明市/沙县区/凤岗街道1号"),
    ("浙江省义乌市福田街道1号", "浙江省/金华市/义乌市/福田街道1号"),
    ("恩施州利川市都亭街道清江大道55号", "湖北省/恩施土家族苗族自治州/利川市/都亭街道清江大道55号"),
    ("长沙县星沙街道1号", "湖南省/长沙市/长沙县/星沙街道1号"),
    ("仙桃市沙嘴街道黄金大道9号", "湖北省/仙桃市//沙嘴街道黄金大道9号"),
    ("朝阳市双塔区1号院", "辽宁省/朝阳市/双塔区/1号院"),
    # short names
    ("杭州西湖区文三路1号", "浙江省/杭州市/西湖区/文三路1号"),
    ("广东/深圳/南山/科技园1号", "广东省/深圳市/南山区/科技园1号"),
    ("辽宁朝阳双塔区新华路1号", "辽宁省/朝阳市/双塔区/新华路1号"),
    ("吉林船营区北京路5号", "吉林省/吉林市/船营区/北京路5号"),
    ("湖北恩施利川市清江大道55号", "湖北省/恩施土家族苗族自治州/利川市/清江大道55号"),
    ("新疆伊犁州伊宁市解放路1号", "新疆维吾尔自治区/伊犁哈萨克自治州/伊宁市/解放路1号"),
    ("四川省凉山州西昌市三岔口路1号", "四川省/凉山彝族自治州/西昌市/三岔口路1号"),
    ("青海省海南州共和县恰卜恰镇1号", "青海省/海南藏族自治州/共和县/恰卜恰镇1号"),
    ("广东省梅州市梅县程江镇1号", "广东省/梅州市/梅县区/程江镇1号"),
    # names that begin like others
    ("青岛市北区辽宁路1号", "山东省/青岛市/市北区/辽宁路1号"),
    ("乐山市中区嘉定南路8号", "四川省/乐山市/市中区/嘉定南路8号"),
    ("吉林省吉林市船营区北京路5号", "吉林省/吉林市/船营区/北京路5号"),
    ("海南藏族自治州共和县恰卜恰镇1号", "青海省/海南藏族自治州/共和县/恰卜恰镇1号"),
    ("河南蒙古族自治县优干宁镇1号", "青海省/黄南藏族自治州/河南蒙古族自治县/优干宁镇1号"),
    ("云南省大理市大理古城人民路1号", "云南省/大理白族自治州/大理市/大理古城人民路1号"),
    ("黑龙江大兴安岭地区呼玛县1号院", "黑龙江省/大兴安岭地区/呼玛县/1号院"),
    # counties and cities without what others have
    ("湖北省 省直辖县级行政区划 潜江市 园林街道1号", "湖北省/潜江市//园林街道1号"),
    ("新疆维吾尔自治区石河子市北四路1号", "新疆维吾尔自治区/石河子市//北四路1号"),
    ("广东省东莞市东城街道主山社区1号", "广东省/东莞市//东城街道主山社区1号"),
    ("广东省中山市石岐街道孙文中路1号", "广东省/中山市//石岐街道孙文中路1号"),
    ("甘肃省嘉峪关市新华中路1号", "甘肃省/嘉峪关市//新华中路1号"),
    ("海南省儋州市那大镇1号", "海南省/儋州市//那大镇1号"),
    ("重庆市重庆市渝中区解放碑1号", "重庆市/重庆市/渝中区/解放碑1号"),
    ("北京市市辖区海淀区中关村大街1号", "北京市/北京市/海淀区/中关村大街1号"),
    ("重庆市 县 城口县 葛城街道1号", "重庆市/重庆市/城口县/葛城街道1号"),
    # written twice, with signs, in full width
    ("浙江省 杭州市 余杭区 浙江省杭州市余杭区文一西路969号", "浙江省/杭州市/余杭区/文一西路969号"),
    ("浙江省 杭州市 浙江省杭州市余杭区文一西路969号", "浙江省/杭州市/余杭区/文一西路969号"),
    ("广东省-深圳市-南山区-科技园1号", "广东省/深圳市/南山区/科技园1号"),
    ("广东省，深圳市，南山区，粤海街道，１号", "广东省/深圳市/南山区/粤海街道1号"),
]


@pytest.mark.parametrize(("text", "places"), SURE)
def test_sure(text: str, places: str) -> None:
    parsed = parse(text, TABLE)
    assert "/".join(_places(parsed)) == places
    assert (parsed.verdict, _codes(parsed), parsed.candidates) == (Verdict.OK, [], ())
    assert parsed.code == TABLE.get(*_places(parsed)[:3]).code  # type: ignore[union-attr]


NOTED = [
    ("下城区体育场路229号", "浙江省/杭州市/拱墅区/体育场路229号", "division_renamed"),
    ("重庆市江北区观音桥步行街1号", "重庆市/重庆市/两江新区/观音桥步行街1号", "division_renamed"),
    ("山东济宁市中区太白路1号", "山东省/济宁市/任城区/太白路1号", "division_renamed"),
    ("山东省莱芜市莱城区鲁中西大街1号", "山东省/济南市/莱芜区/鲁中西大街1号", "division_renamed"),
    ("湖北省襄樊市襄城区荆州街1号", "湖北省/襄阳市/襄城区/荆州街1号", "division_renamed"),
    ("江苏省苏州市吴江市盛泽镇1号", "江苏省/苏州市/吴江区/盛泽镇1号", "division_renamed"),
    ("贵州省铜仁地区万山特区1号楼201", "贵州省/铜仁市/万山区/1号楼201", "division_renamed"),
    ("天津市塘沽区1号路", "天津市/天津市/滨海新区/1号路", "division_renamed"),
    ("成都市高新区天府五街200号", "四川省/成都市//高新区天府五街200号", "zone_no_division"),
    ("四川成都高新区天府五街200号", "四川省/成都市//高新区天府五街200号", "zone_no_division"),
    ("江苏省苏州市苏州工业园区星湖街328号", "江苏省/苏州市//苏州工业园区星湖街328号", "zone_no_division"),
    ("广东省深圳市新区大道1号", "广东省/深圳市//新区大道1号", "district_not_written"),
    ("上海市南京东路100号", "上海市/上海市//南京东路100号", "district_not_written"),
    ("内蒙古呼和浩特市新城市花园3栋1号", "内蒙古自治区/呼和浩特市//新城市花园3栋1号", "district_not_written"),
    ("香港特别行政区九龙旺角弥敦道700号", "香港特别行政区///九龙旺角弥敦道700号", "outside_mainland"),
    ("台湾省台北市信义区市府路1号", "台湾省///台北市信义区市府路1号", "outside_mainland"),
    ("3栋502 广东省深圳市南山区科技园", "广东省/深圳市/南山区/科技园 3栋502", "text_moved"),
]


@pytest.mark.parametrize(("text", "places", "note"), NOTED)
def test_sure_with_a_note(text: str, places: str, note: str) -> None:
    parsed = parse(text, TABLE)
    assert "/".join(_places(parsed)) == places
    assert (parsed.verdict, _codes(parsed)) == (Verdict.OK, [note])


DOUBTED = [
    ("南山区科技园南路5号", "//南山区/科技园南路5号", "divisions_ambiguous", "深圳市南山区 鹤岗市南山区"),
    ("朝阳区建国路88号", "//朝阳区/建国路88号", "divisions_ambiguous", "北京市朝阳区 长春市朝阳区"),
    ("杭州西湖文化广场3楼", "///杭州西湖文化广场3楼", "divisions_ambiguous", "杭州市西湖区"),
    ("浙江省杭州市西湖文化广场3楼", "浙江省/杭州市//西湖文化广场3楼", "district_doubtful", "杭州市西湖区"),
    ("浙江杭州余杭文一西路969号", "浙江省///杭州余杭文一西路969号", "divisions_ambiguous", "杭州市余杭区"),
    ("深圳科技园12栋", "///深圳科技园12栋", "divisions_ambiguous", "深圳市"),
    ("广东深圳科技园12栋", "广东省///深圳科技园12栋", "divisions_ambiguous", "深圳市"),
    ("江苏昆山花桥镇1号", "江苏省///昆山花桥镇1号", "divisions_ambiguous", "苏州市昆山市"),
    ("广东省广州市南山区科技园1号", "广东省/广州市//南山区科技园1号", "divisions_disagree", "深圳市南山区"),
    ("广东省深圳市罗胡区人民南路1号", "广东省/深圳市//罗胡区人民南路1号", "district_unknown", "深圳市罗湖区"),
    ("安徽省巢湖市庐江县城西大道1号", "安徽省/合肥市/巢湖市/庐江县城西大道1号", "divisions_disagree", "合肥市庐江县"),
    (
        "河北省石家庄市桥东区中山路1号",
        "河北省/石家庄市//桥东区中山路1号",
        "divisions_ambiguous",
        "石家庄市桥西区 石家庄市长安区",
    ),
    (
        "浙江省杭州市江干区凯旋路1号",
        "浙江省/杭州市//江干区凯旋路1号",
        "divisions_ambiguous",
        "杭州市上城区 杭州市钱塘区",
    ),
    ("上海南京东路100号", "上海市///南京东路100号", "divisions_ambiguous", "上海市"),
    (
        "浙江省杭州市余杭区江苏省南京市鼓楼区中山路1号",
        "浙江省/杭州市/余杭区/江苏省南京市鼓楼区中山路1号",
        "divisions_disagree",
        "南京市鼓楼区 杭州市余杭区",
    ),
]


@pytest.mark.parametrize(("text", "places", "problem", "candidates"), DOUBTED)
def test_doubted(text: str, places: str, problem: str, candidates: str) -> None:
    parsed = parse(text, TABLE)
    assert "/".join(_places(parsed)) == places
    assert (parsed.verdict, _codes(parsed), parsed.code) == (Verdict.AMBIGUOUS, [problem], "")
    assert " ".join(sorted(one.city + one.district for one in parsed.candidates)) == candidates


@pytest.mark.parametrize(
    "text", ["南京东路100号", "北京西站南广场", "长安镇1号", "火星省月球市1号", "海南路5号楼", "广东省", ""]
)
def test_unknown(text: str) -> None:
    parsed = parse(text, TABLE)
    assert (parsed.verdict, parsed.city, parsed.district, parsed.code) == (Verdict.UNKNOWN, "", "", "")
    assert parsed.original == text


HOME = "广东省/深圳市/南山区/粤海街道1号"

PEOPLE = [
    ("张伟广东省深圳市南山区粤海街道1号13800001111", "张伟", "13800001111", "", ""),
    ("广东省深圳市南山区粤海街道1号张伟13800001111", "张伟", "13800001111", "", ""),
    ("13800001111-1234 李四 广东省深圳市南山区粤海街道1号", "李四", "13800001111", "1234", ""),
    ("收货人:李四 电话:13800001111转5678 地址:广东省深圳市南山区粤海街道1号", "李四", "13800001111", "5678", ""),
    ("【收货人】李四【电话】13800001111【地址】广东省深圳市南山区粤海街道1号", "李四", "13800001111", "", ""),
    ("１３８００００１１１１　李四　广东省深圳市南山区粤海街道１号", "李四", "13800001111", "", ""),
    ("广东省深圳市南山区粤海街道1号,518000,李四,0755-26001234-801", "李四", "0755-26001234", "801", "518000"),
    ("(0755)26001234 王女士 广东省深圳市南山区粤海街道1号", "王女士", "0755-26001234", "", ""),
    ("安阳 +86 138-0000-1111 广东省深圳市南山区粤海街道1号", "安阳", "13800001111", "", ""),
    ("李四[1234] 13800001111-1234 广东省深圳市南山区粤海街道1号", "李四[1234]", "13800001111", "1234", ""),
    (
        "姓名：欧阳娜娜\n手机：13800001111\n地区：广东省深圳市南山区\n详细地址：粤海街道1号",
        "欧阳娜娜",
        "13800001111",
        "",
        "",
    ),
    ("广东省深圳市南山区 粤海街道1号 邮编518000 骆总收 400-800-1234", "骆总", "400-800-1234", "", "518000"),
]


@pytest.mark.parametrize(("text", "name", "phone", "extension", "postcode"), PEOPLE)
def test_people(text: str, name: str, phone: str, extension: str, postcode: str) -> None:
    parsed = parse(text, TABLE)
    assert "/".join(_places(parsed)) == HOME
    assert (parsed.name, parsed.phone, parsed.extension, parsed.postcode) == (name, phone, extension, postcode)
    assert (parsed.verdict, parsed.problems) == (Verdict.OK, ())


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("李四 138****1111 广东省深圳市南山区粤海街道****", ["phone_masked", "detail_masked"]),
        ("李四 13800001111 13900002222 广东省深圳市南山区科技园1号", ["phones_several"]),
        ("广东省深圳市南山区 13800001111", ["detail_missing"]),
    ],
)
def test_what_to_look_at(text: str, codes: list[str]) -> None:
    found = _codes(parse(text, TABLE))
    assert set(codes) <= set(found)


def test_columns_repeat_or_lack_what_the_detail_says() -> None:
    want = ("浙江省", "杭州市", "余杭区", "文一西路969号")
    for columns in (
        {"province": "浙江省", "city": "杭州市", "district": "余杭区", "detail": "文一西路969号"},
        {"province": "浙江省", "city": "杭州市", "district": "余杭区", "detail": "浙江省杭州市余杭区文一西路969号"},
        {"province": "浙江", "city": "杭州", "district": "余杭", "detail": "文一西路969号"},
        {"province": "浙江省", "detail": "杭州市余杭区文一西路969号"},
        {"detail": "浙江省杭州市余杭区文一西路969号"},
    ):
        parsed = parse_columns(TABLE, **columns, name="王 强", phone="+86 138 0000 1111-22")
        assert _places(parsed) == want
        assert (parsed.name, parsed.phone, parsed.extension) == ("王 强", "13800001111", "22")
        assert (parsed.verdict, parsed.problems) == (Verdict.OK, ())


_ROADS = st.sampled_from(
    ["解放路", "人民中路", "南京东路", "中山大道", "幸福小区", "城北路", "北京路", "建设街", "新华书店"]
)
_DOORS = st.integers(1, 999).map(lambda number: f"{number}号")
_PEOPLE = st.sampled_from(["张伟", "欧阳静怡", "李先生", "王芳"])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TABLE.counties), _ROADS, _DOORS, _PEOPLE, st.sampled_from(["", " ", "，", "-"]), st.booleans())
def test_every_county_comes_back(
    county: Division, road: str, door: str, name: str, sign: str, person_first: bool
) -> None:
    place = sign.join(part for part in (county.province, county.city, county.district, road + door) if part)
    person = f"{name} 13800001111"
    parsed = parse(f"{person} {place}" if person_first else f"{place} {person}", TABLE)
    assert _places(parsed) == (county.province, county.city, county.district, road + door)
    assert (parsed.name, parsed.phone, parsed.code) == (name, "13800001111", county.code)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TABLE.counties), _ROADS, _DOORS, st.sets(st.sampled_from(["province", "city"])))
def test_less_is_never_read_as_another_county(county: Division, road: str, door: str, left_out: set[str]) -> None:
    levels = {"province": county.province, "city": county.city, "district": county.district}
    text = "".join(value for level, value in levels.items() if level not in left_out) + road + door
    parsed = parse(text, TABLE)
    if parsed.verdict is Verdict.OK and parsed.district:
        assert _places(parsed) == (county.province, county.city, county.district, road + door)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("广东省深圳市南山区张伟北京朝阳路号1380001 ,，:[]（）电话收货人地址-转*"), max_size=60))
def test_anything_is_read_without_a_fault_and_kept(text: str) -> None:
    parsed = parse(text, TABLE)
    assert parsed.original == text
    assert parsed.verdict is not Verdict.OK or parsed.province


@pytest.mark.slow
@pytest.mark.parametrize("sign", ["", " ", "，"])
def test_all_counties_come_back(sign: str) -> None:
    for county in TABLE.counties:
        for rest in ("解放路1号", "南京东路88号", "新城花园3栋"):
            text = sign.join(part for part in (county.province, county.city, county.district, rest) if part)
            parsed = parse(text, TABLE)
            assert (_places(parsed), parsed.verdict) == (
                (county.province, county.city, county.district, rest),
                Verdict.OK,
            )


@pytest.mark.samples
@pytest.mark.skipif(not (SAMPLES / "data" / "addresses").is_dir(), reason="the shared samples are not there")
def test_messy_addresses() -> None:
    """All of them, with today's name where a division was dissolved, and 朝阳区 without a city doubted."""
    today = {"渝北区": "两江新区"}
    lines = (SAMPLES / "data" / "addresses" / "addresses.jsonl").read_text("utf-8").splitlines()
    for said in map(json.loads, lines):
        parsed = parse(said["text"], TABLE)
        city, county = said["city"], today.get(said["county"], said["county"])
        if said["province"] and not city:  # a county right under its province is its own city here
            city, county = county, ""
        assert (parsed.province, parsed.city, parsed.district) == (said["province"], city, county), said["text"]
        assert (parsed.name, parsed.phone) == (said["name"], said["phone"])
        assert parsed.verdict is (Verdict.OK if said["province"] else Verdict.AMBIGUOUS)
        assert not said["name"] or said["name"] not in parsed.town + parsed.detail
        assert not said["phone"] or said["phone"] not in parsed.town + parsed.detail
