"""Where people live and how far that is from the shop. Division codes are the public GB/T 2260 ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

# province | code | city | code | district | code | street | latitude | longitude | weight of orders
_TABLE = """
广东省|440000|广州市|440100|天河区|440106|石牌街道|23.1|113.3|9
广东省|440000|深圳市|440300|南山区|440305|粤海街道|22.5|114.0|9
广东省|440000|佛山市|440600|顺德区|440606|大良街道|22.8|113.2|4
浙江省|330000|杭州市|330100|西湖区|330106|翠苑街道|30.3|120.1|7
浙江省|330000|宁波市|330200|鄞州区|330212|首南街道|29.9|121.5|4
浙江省|330000|金华市|330700|义乌市|330782|稠城街道|29.3|120.1|2
江苏省|320000|南京市|320100|鼓楼区|320106|宁海路街道|32.0|118.8|6
江苏省|320000|苏州市|320500|昆山市|320583|玉山镇|31.4|120.9|5
江苏省|320000|无锡市|320200|梁溪区|320213|崇安寺街道|31.6|120.3|3
上海市|310000|上海市|310100|浦东新区|310115|花木街道|31.2|121.5|7
上海市|310000|上海市|310100|闵行区|310112|莘庄镇|31.1|121.4|4
北京市|110000|北京市|110100|朝阳区|110105|望京街道|39.9|116.5|7
北京市|110000|北京市|110100|海淀区|110108|中关村街道|40.0|116.3|5
天津市|120000|天津市|120100|南开区|120104|学府街道|39.1|117.2|3
河北省|130000|石家庄市|130100|长安区|130102|育才街道|38.0|114.5|3
山东省|370000|济南市|370100|历下区|370102|千佛山街道|36.7|117.0|4
山东省|370000|青岛市|370200|市南区|370202|香港中路街道|36.1|120.4|4
河南省|410000|郑州市|410100|金水区|410105|经八路街道|34.8|113.7|5
湖北省|420000|武汉市|420100|武昌区|420106|中南路街道|30.6|114.3|5
湖南省|430000|长沙市|430100|岳麓区|430104|望月湖街道|28.2|112.9|4
四川省|510000|成都市|510100|武侯区|510107|浆洗街街道|30.6|104.0|6
重庆市|500000|重庆市|500100|渝中区|500103|解放碑街道|29.6|106.6|4
陕西省|610000|西安市|610100|雁塔区|610113|小寨路街道|34.2|108.9|4
陕西省|610000|咸阳市|610400|秦都区|610402|人民路街道|34.3|108.7|2
安徽省|340000|合肥市|340100|蜀山区|340104|三里庵街道|31.9|117.2|3
福建省|350000|福州市|350100|鼓楼区|350102|东街街道|26.1|119.3|3
福建省|350000|厦门市|350200|思明区|350203|嘉莲街道|24.5|118.1|3
江西省|360000|南昌市|360100|东湖区|360102|百花洲街道|28.7|115.9|2
广西壮族自治区|450000|南宁市|450100|青秀区|450103|新竹街道|22.8|108.4|2
云南省|530000|昆明市|530100|五华区|530102|华山街道|25.0|102.7|2
贵州省|520000|贵阳市|520100|云岩区|520103|中华路街道|26.6|106.7|2
辽宁省|210000|沈阳市|210100|和平区|210102|南湖街道|41.8|123.4|3
辽宁省|210000|大连市|210200|中山区|210202|青泥洼桥街道|38.9|121.6|2
吉林省|220000|长春市|220100|朝阳区|220104|桂林街道|43.9|125.3|2
黑龙江省|230000|哈尔滨市|230100|南岗区|230103|荣市街道|45.8|126.5|2
山西省|140000|太原市|140100|小店区|140105|平阳路街道|37.9|112.5|2
甘肃省|620000|兰州市|620100|城关区|620102|皋兰路街道|36.1|103.8|1
宁夏回族自治区|640000|银川市|640100|兴庆区|640104|凤凰北街街道|38.5|106.3|1
青海省|630000|西宁市|630100|城西区|630104|西关大街街道|36.6|101.8|1
内蒙古自治区|150000|呼和浩特市|150100|新城区|150102|中山东路街道|40.8|111.7|1
新疆维吾尔自治区|650000|乌鲁木齐市|650100|天山区|650102|新华北路街道|43.8|87.6|1
西藏自治区|540000|拉萨市|540100|城关区|540102|八廓街道|29.7|91.1|1
海南省|460000|海口市|460100|龙华区|460106|金贸街道|20.0|110.3|1
"""


@dataclass(frozen=True)
class Place:
    """A street and the divisions above it."""

    province: str
    province_id: int
    city: str
    city_id: int
    district: str
    district_id: int
    street: str
    latitude: float
    longitude: float
    weight: int

    @property
    def street_id(self) -> int:
        return self.district_id * 1000 + 2

    @property
    def short(self) -> str:
        """The city without its ending: 西安市 → 西安."""
        return self.city.removesuffix("市")

    @property
    def site(self) -> str:
        """What branch names are built from: 西安雁塔."""
        return self.short + self.district.removesuffix("区").removesuffix("市").removesuffix("新区")


def _read() -> list[Place]:
    places = []
    for row in _TABLE.strip().splitlines():
        a = row.split("|")
        places.append(
            Place(a[0], int(a[1]), a[2], int(a[3]), a[4], int(a[5]), a[6], float(a[7]), float(a[8]), int(a[9]))
        )
    return places


PLACES = _read()
ORIGIN = Place("陕西省", 610000, "西安市", 610100, "长安区", 610116, "郭杜街道", 34.2, 108.9, 0)
SLOW = ("新疆", "西藏", "内蒙古", "青海", "宁夏", "云南", "甘肃", "海南")


def pick(rng: Random, province: str | None = None) -> Place:
    """A place by weight of orders, in a province where one is named (full or short name)."""
    pool = [p for p in PLACES if province is None or p.province.startswith(province.rstrip("省市"))]
    if not pool:
        raise ValueError(f"unknown province: {province}")
    return rng.choices(pool, weights=[p.weight for p in pool])[0]


def kilometres(a: Place, b: Place) -> float:
    """The great-circle distance."""
    la, lb = math.radians(a.latitude), math.radians(b.latitude)
    dlon = math.radians(b.longitude - a.longitude)
    cosine = math.sin(la) * math.sin(lb) + math.cos(la) * math.cos(lb) * math.cos(dlon)
    return 6371 * math.acos(max(-1.0, min(1.0, cosine)))


def linehaul_hours(a: Place, b: Place, rng: Random) -> float:
    """Hours between the first and the last hub: 55 km/h in effect, slower to the far west and the islands."""
    hours = 4 + kilometres(a, b) / 55
    if any(p.province.startswith(SLOW) for p in (a, b)):
        hours *= 1.45
    return min(hours * rng.uniform(0.85, 1.3), 60)
