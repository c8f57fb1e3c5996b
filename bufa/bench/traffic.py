"""The traffic that benchmarks send: parcels on their way, and what a tracking provider pushes about them.

Every parcel lives the same ten scans within a day (a slow one would open findings and cases, and those would be
measured instead). Texts name places, couriers and phones as carriers write them, a few ten thousand different ones.
"""

from __future__ import annotations

import hashlib
import json
import random
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from bufa.integrations.wire import china_text

SHIPPED_AT = datetime(2026, 11, 3, 4, 0, tzinfo=UTC)
NOW = SHIPPED_AT + timedelta(hours=20)
BUSINESS_ID, APP_KEY, SALT = "1300000", "bench-key", "bench-salt"
STEPS = 10
_SPREAD_MINUTES = 60

_CITIES = tuple(
    f"{one}{other}"
    for one, other in zip(
        *[
            iter(
                "杭州宁波温州金华嘉兴南京苏州无锡徐州南通上海合肥芜湖福州厦门泉州济南青岛临沂郑州"
                "洛阳武汉长沙广州深圳东莞佛山南宁成都重庆贵阳昆明西安太原沈阳大连长春天津兰州海口"
            )
        ]
        * 2,
        strict=True,
    )
)
_NAMES = tuple(f"{family}{given}" for family in "王李张刘陈杨黄赵吴周" for given in "伟芳娜敏静强磊军洋勇艳杰娟涛明超")
_TEXTS = (
    ("1", "【{a}市】您的快件已被【{a}{s}网点】揽收,揽投员:{n},电话:{p}"),
    ("2", "【{a}{s}网点】已发出,下一站【{a}转运中心】"),
    ("2", "【{a}市】快件已到达【{a}转运中心】"),
    ("2", "【{a}转运中心】已发出,下一站【{b}转运中心】"),
    ("2", "【{b}市】快件已到达【{b}转运中心】"),
    ("2", "【{b}转运中心】已发出,下一站【{b}{t}公司】"),
    ("201", "【{b}市】快件已到达【{b}{t}公司】"),
    ("202", "【{b}市】【{b}{t}公司】派件中,派件员:{n},电话:{p}"),
    ("2", "【{b}市】快件等待派送,请保持电话畅通"),
    ("3", "【{b}市】已签收,签收人:本人,如有疑问请联系派件员{n}({p})"),
)


def number(parcel: int) -> str:
    return f"78{parcel:012d}"


def scan_of(parcel: int, step: int, shipped_at: datetime = SHIPPED_AT) -> dict[str, str]:
    """What KDNiao says of one step in a parcel's life."""
    dice = parcel * 2654435761 % 4294967296
    code, text = _TEXTS[step]
    a, b = _CITIES[dice % 40], _CITIES[dice // 40 % 40]
    courier = (dice // 1600 + step) % 1600
    told = text.format(
        a=a, b=b, s=courier % 5, t=courier % 7, n=_NAMES[courier % 160], p=f"1380{courier % 400:03d}5678"
    )
    at = shipped_at + timedelta(hours=1.9 * step, minutes=parcel % _SPREAD_MINUTES, seconds=parcel % 47)
    return {"AcceptTime": china_text(at), "AcceptStation": told, "Location": "", "Action": code}


def tracks(parcels: Sequence[int], repeated: float, dice: random.Random) -> list[tuple[int, int]]:
    """Whole reports in any order, as (parcel, steps of its track so far); the share `repeated` was heard before."""
    once = [(parcel, STEPS - 2 + parcel % 3 - parcel % 2) for parcel in parcels]
    told = once + dice.choices(once, k=round(len(once) * repeated / (1 - repeated)))
    dice.shuffle(told)
    return told


def kdniao_push(items: Sequence[tuple[int, Sequence[int]]]) -> bytes:
    """A signed push about many parcels: (parcel, the steps told of it)."""
    told = {
        "EBusinessID": BUSINESS_ID,
        "PushTime": china_text(NOW),
        "Count": str(len(items)),
        "Data": [
            {
                "ShipperCode": "ZTO", "LogisticCode": number(parcel), "Success": True, "Reason": "", "State": "2",
                "StateEx": "", "Traces": [scan_of(parcel, step) for step in steps],
            }
            for parcel, steps in items
        ],
    }  # fmt: skip
    data = json.dumps(told, ensure_ascii=False)
    sign = b64encode(hashlib.md5((data + APP_KEY).encode(), usedforsecurity=False).hexdigest().encode()).decode()
    return urlencode({"RequestData": data, "RequestType": "102", "DataSign": sign}).encode()


def kuaidi100_push(
    parcel: int, steps: Sequence[int], shipped_at: datetime = SHIPPED_AT, ending: tuple[datetime, str] | None = None
) -> bytes:
    """A signed push of one parcel's track; `ending` is one more line of it."""
    lines = [(row["AcceptTime"], row["AcceptStation"]) for row in (scan_of(parcel, step, shipped_at) for step in steps)]
    if ending is not None:
        lines.append((china_text(ending[0]), ending[1]))
    rows = [{"time": at, "ftime": at, "context": said, "status": ""} for at, said in lines]
    last = {"message": "ok", "state": "0", "com": "zhongtong", "nu": number(parcel), "data": rows[::-1]}
    param = json.dumps({"status": "polling", "message": "", "lastResult": last}, ensure_ascii=False)
    sign = hashlib.md5((param + SALT).encode(), usedforsecurity=False).hexdigest().upper()
    return urlencode({"sign": sign, "param": param}).encode()
