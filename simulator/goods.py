"""What the shop sells and who buys it. All names and numbers are made up."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from simulator.places import Place, pick

SHOP_NAME = "青禾鲜果旗舰店"


@dataclass(frozen=True)
class Goods:
    product_id: int
    sku_id: int
    code: str
    name: str
    spec: str
    price_fen: int
    perishable: bool
    weight: int


GOODS = [
    Goods(3601870012345670001, 1780000000000011, "QH-MHT-10", "周至徐香猕猴桃", "中果 10斤", 5980, True, 16),
    Goods(3601870012345670001, 1780000000000012, "QH-MHT-5", "周至徐香猕猴桃", "大果 5斤", 3980, True, 14),
    Goods(3601870012345670002, 1780000000000021, "QH-PG-9", "洛川红富士苹果", "85果 净重9斤", 6990, True, 14),
    Goods(3601870012345670003, 1780000000000031, "QH-SL-5", "临潼石榴", "甜石榴 5斤", 4580, True, 8),
    Goods(3601870012345670004, 1780000000000041, "QH-HZ-500", "清涧滩枣", "500克×2袋", 2980, False, 10),
    Goods(3601870012345670005, 1780000000000051, "QH-HT-1000", "绿岭原味核桃", "1000克", 4990, False, 9),
    Goods(3601870012345670006, 1780000000000061, "QH-SB-6", "富平柿饼", "礼盒 6枚×4", 8800, False, 7),
    Goods(3601870012345670007, 1780000000000071, "QH-GP-12", "猕猴桃果干", "100克×12袋", 9900, False, 7),
    Goods(3601870012345670008, 1780000000000081, "QH-MH-24", "每日混合坚果", "25克×24包", 12900, False, 8),
    Goods(3601870012345670009, 1780000000000091, "QH-LP-4", "年货水果礼盒", "四样 约8斤", 15800, True, 4),
]

_FAMILY = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任沈"
_GIVEN = [
    "晓雯", "建国", "丽华", "子涵", "浩然", "雨桐", "志强", "秀英", "婷婷", "俊杰", "美玲", "文博", "佳怡",
    "海燕", "春梅", "思远", "雪", "磊", "静", "敏", "洋", "鹏", "倩", "宇航", "梦琪", "国栋", "玉兰", "小龙",
    "晨曦", "立群", "淑芬", "嘉豪", "一诺", "欣妍", "泽宇", "晓东", "红梅", "永康", "若曦", "景行",
]  # fmt: skip
_ROADS = [
    "人民路", "建设路", "学府路", "滨河路", "解放路", "和平路", "兴业街", "文昌路", "朝阳街", "光明路",
    "科技路", "金桥路", "翠竹路", "迎宾大道",
]  # fmt: skip
_ESTATES = [
    "阳光花园", "锦绣家园", "翠苑小区", "金色港湾", "书香名邸", "幸福里", "绿地世纪城", "万和公馆", "江南春城",
    "丽景苑", "中央公园", "云栖雅苑",
]  # fmt: skip
_PREFIXES = [
    "130", "131", "132", "135", "136", "137", "138", "139", "150", "151", "152", "155", "156", "157", "158",
    "159", "176", "177", "178", "180", "181", "182", "185", "186", "187", "188", "189",
]  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A recipient in plain text; only the simulator and the shop's customers know it."""

    name: str
    phone: str
    place: Place
    detail: str

    @property
    def mask_name(self) -> str:
        return self.name[0] + "*" * (len(self.name) - 1)

    @property
    def mask_phone(self) -> str:
        return f"{self.phone[:3]}****{self.phone[-4:]}"

    @property
    def full(self) -> str:
        p = self.place
        return f"{p.province}{p.city}{p.district}{p.street}{self.detail}"


def person(rng: Random, province: str | None = None) -> Person:
    """Somebody who might order fruit, in a province where one is named."""
    place = pick(rng, province)
    name = rng.choice(_FAMILY) + rng.choice(_GIVEN)
    phone = rng.choice(_PREFIXES) + f"{rng.randrange(10**8):08d}"
    house = f"{rng.randint(1, 38)}栋{rng.randint(1, 4)}单元{rng.randint(1, 26)}{rng.randint(1, 4):02d}室"
    detail = f"{rng.choice(_ROADS)}{rng.randint(1, 399)}号{rng.choice(_ESTATES)}{house}"
    return Person(name, phone, place, detail)


def courier(rng: Random) -> tuple[str, str]:
    """A courier's name and phone, as they stand in scan texts."""
    name = rng.choice(_FAMILY) + rng.choice(_GIVEN)
    return name, rng.choice(_PREFIXES) + f"{rng.randrange(10**8):08d}"


def basket(rng: Random) -> list[tuple[Goods, int]]:
    """One or two kinds of goods with their count."""
    first = rng.choices(GOODS, weights=[g.weight for g in GOODS])[0]
    lines = [(first, 1 if rng.random() < 0.85 else 2)]
    if rng.random() < 0.18:
        second = rng.choice([g for g in GOODS if g.sku_id != first.sku_id])
        lines.append((second, 1))
    return lines
