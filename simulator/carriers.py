"""Carriers: their codes with each service, their waybill numbers, their mailboxes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

MAIL_DOMAIN = "sim.example"


@dataclass(frozen=True)
class Carrier:
    """``code`` is the platform's company_code and Kuaidi100's code at once; the eight here have the same in both."""

    code: str
    name: str
    platform_id: int
    kdniao: str
    pattern: str
    weight: int
    phone_check: bool = False

    def fits(self, number: str) -> bool:
        return re.fullmatch(self.pattern, number) is not None

    @property
    def email(self) -> str:
        return f"kefu@{self.code}.{MAIL_DOMAIN}"


CARRIERS = {
    c.code: c
    for c in (
        Carrier("zhongtong", "中通快递", 15, "ZTO", r"7[358]\d{12}", 26, True),
        Carrier("yuantong", "圆通速递", 7, "YTO", r"YT\d{13,15}", 20),
        Carrier("yunda", "韵达快递", 9, "YD", r"[34]\d{12}(\d{2})?", 16),
        Carrier("shentong", "申通快递", 8, "STO", r"77\d{13}", 12),
        Carrier("jtexpress", "极兔速递", 1078, "JTSD", r"JT\d{13}", 12),
        Carrier("shunfeng", "顺丰速运", 12, "SF", r"SF\d{13}", 6, True),
        Carrier("jd", "京东快递", 14, "JD", r"JD[0-9A-Z]{11,15}", 4),
        Carrier("youzhengguonei", "邮政快递包裹", 17, "YZPY", r"9[689]\d{11}|[A-Z]{2}\d{9}[A-Z]{2}", 4),
    )
}
BY_KDNIAO = {c.kdniao: c for c in CARRIERS.values()}


def _digits(rng: Random, count: int) -> str:
    return f"{rng.randrange(10**count):0{count}d}"


def s10_check(serial: str) -> str:
    """The check digit of a postal S10 number over its eight digits."""
    rest = 11 - sum(int(d) * w for d, w in zip(serial, (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11
    return str({10: 0, 11: 5}.get(rest, rest))


def waybill(code: str, rng: Random) -> str:
    """A number of the carrier's shape. Raises KeyError for a carrier that nobody here knows."""
    if code == "zhongtong":
        return rng.choice(("73", "75", "78")) + _digits(rng, 12)
    if code == "yuantong":
        return "YT" + _digits(rng, 13)
    if code == "yunda":
        return rng.choice("34") + _digits(rng, 12)
    if code == "shentong":
        return "77" + _digits(rng, 13)
    if code == "jtexpress":
        return "JT" + _digits(rng, 13)
    if code == "shunfeng":
        return "SF" + _digits(rng, 13)
    if code == "jd":
        return "JDV" + _digits(rng, 12)
    if code == "youzhengguonei":
        if rng.random() < 0.2:
            serial = _digits(rng, 8)
            return f"PA{serial}{s10_check(serial)}CN"
        return rng.choice(("98", "99")) + _digits(rng, 11)
    raise KeyError(code)


def pick(rng: Random) -> str:
    pool = list(CARRIERS.values())
    return rng.choices(pool, weights=[c.weight for c in pool])[0].code
