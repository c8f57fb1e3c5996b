"""What a carrier's sentence about one parcel says: consent or refusal, what happened, a promised day, money.

It reads what is plainly said and leaves the rest: a question, a condition or two statements that contradict each other
come out as nothing, because a person looks at every answer before it counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bufa.domain.case_facts import Claim
from bufa.domain.rulebook import SHOP_ZONE


@dataclass(frozen=True, slots=True)
class Said:
    """`consent`: to our sending again; a refusal to pay counts as a refusal. `freight_by`: carrier, shop or ""."""

    consent: bool | None = None
    claim: Claim | None = None
    promise_on: date | None = None
    amount_fen: int | None = None
    freight_by: str = ""

    @property
    def is_empty(self) -> bool:
        return self == Said()


_SENTENCE = re.compile(r"[。；;！!\n\r\t|]+")
_CLAUSE = re.compile(r"[，,]+|→+|-+>+|\s+")
_GAP = re.compile(r"(?<=[\u4e00-\u9fff:：￥¥])[ \u3000]+(?=[￥¥]?\d)|(?<=\d)[ \u3000]+(?=[元块天号日])")
_LABELS = re.compile(
    r"(?:^|(?<=[\n，,。；;\s]))(?:处理|核实|查询|网点)?(?:意见|结果|情况|反馈|回复|备注|说明|答复)\s*[:：]"
)
_QUESTION = re.compile(r"[?？]|吗|是否|能否|可否|有没有|能不能|可不可以|呢$")
_CONDITION = re.compile(r"如果|假如|要是|倘若|若是|^如(?!下)|^若|的话")

_NOT = r"(?:没有?|未|不是.{0,4}|并未|并没有?|并非|非|无|不会|不属于|不算|排除|没被|未见|不存在)"
_STRONG: tuple[tuple[Claim, str], ...] = (
    (
        Claim.LOST,
        r"遗失|丢失|没得了|丢件|丢货|件丢|丢了|弄丢|丢(?:的|$)|灭失|按丢|没找到|未找到|找不到|未再出现|没找着",
    ),
    (Claim.DAMAGED, r"破损|损坏|摔坏|压坏|摔碎|碎了|破了|坏了|受损|漏液"),
    (Claim.WRONG_OR_SHORT, r"短少|少件|缺件|少货|内件不符|错件|少了"),
    (Claim.RETURNED, r"已退回|退回了|已退件|退回发件|退回寄件|已退[^货款]|退件了|已返回"),
    (Claim.REFUSED, r"拒收"),
    (Claim.DELIVERED, r"已签收|本人签收|代签收?|签收了|已送达|已妥投|妥投了|派送成功|已取件"),
)
_MOVING = re.compile(
    r"在途|派送|派件|[能可去再会]派|[天午晚]派|正常|流转|已找到|找到了|都找到|已经找到|已发出|发走了|在网点|在仓|在.{0,4}中心"
    r"|发车|装车|留仓|安排中转|已中转|转运中|运输中|正在配送|配送中|[天号日晚午前]内?(?:能|可|会)?(?:送?到|送达|送)|预计.{0,12}(?:到|送)"
)
_NEVER_MOVING = re.compile(r"不正常|异常|停滞|没有?派送|未派送|无法派送")

_REFUSE = re.compile(
    r"(?:不|未|暂不|不能|无法|不可以?|不予|不支持|不认可|不符合|拒绝|没法|不给|暂缓).{0,3}(?:补|重发|赔|理赔)"
    r"|拒赔|补不了|赔不了|不同意|不认(?!识|得)|(?<!行)不行(?!的话)|不赔|不补|^拒绝?$|补发?[:：](?:不|拒|否)"
)
_GIVE = re.compile(
    r"(?:同意|可以?|能|认可|批准|支持|准予|安排|直接|先|ok|OK|好的?)\s*(?:给您?|你们?|您们?|贵司)?\s*(?:先|直接)?(?:补发|补寄|重发|补(?!偿|贴|充|录))"
    r"|补发吧|补寄吧|重发吧|补吧|补发嘛|补嘛|补发?[:：](?:同意|可以?|是$)|^同意\d"
    r"|(?:你们?|您|你这边|你方|贵方|你家)(?:就|先|直接|那边)?补(?:发|寄|一[件个份])(?!的|后|了|件|需|要|前|时)|^(?:同意|OK|ok)$|^补发$|同意.{0,4}补发"
)

_MONEY = re.compile(
    r"(?:赔付|赔偿|理赔|赔款|补偿|赔|上限|金额|按)(?!.{0,4}倍)\s*(?:付|偿|款)?(?:上限|金额|给您?|你们?|个|约|大概|到|为|是|:|：|按|成本价?|申报价值?|采购价|人民币|共计?|合计)*\s*"
    r"[￥¥]?\s*(\d{1,6}(?:\.\d{1,2})?)\s*(元|块|￥|rmb|RMB|$|(?=[^\d.%倍天日号小时月点]))"
    r"|[￥¥]\s*(\d{1,6}(?:\.\d{1,2})?)"
)
_BARE_SUM = re.compile(r"^(?:￥|¥)?(\d{1,6}(?:\.\d{1,2})?)[元块]$|^同意(?:补发?)?(\d{1,5}(?:\.\d{1,2})?)[元块]?$")
_NO_MONEY = re.compile(r"运费|邮费|不赔|拒赔|不予赔|拒绝赔|保价|货值|单价")
_CARRIER_PAYS = re.compile(
    r"运费.{0,4}(?:我司|我们|我方|网点|本司|快递).{0,4}(?:承担|出|付|负责)|(?:我司|我们|我方|网点)(?:承担|出|付)运费"
)
_SHOP_PAYS = re.compile(r"运费.{0,4}(?:贵司|你们|您们|商家|店铺|贵店|寄件人?|自理).{0,4}(?:承担|出|付|负责|$)")

_ABOUT_TALK = re.compile(r"答复|回复|反馈|提供|核实|处理|理赔|赔|到账|提交|联系|打款|前发来")
_GOES = re.compile(r"派|送|到|达|妥投|配送")
_WEEKDAYS = "一二三四五六日"
_DAY = re.compile(
    r"(?P<word>大后天|后天|明天|明日|明早|今天|今日|今晚|今早|今下午)"
    r"|(?P<next>下)?(?:周|星期|礼拜)(?P<week>[一二三四五六日天])"
    r"|(?:(?P<year>20\d\d)[-/.年])?(?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})(?:日|号)?"
    r"|(?<!\d)(?P<only>\d{1,2})[号日](?!内)"
    r"|(?P<within>\d{1,2})(?P<unit>天|日|小时|h)(?:之?内|左右)"
)
_WORDS = {"大后天": 3, "后天": 2, "明天": 1, "明日": 1, "明早": 1}


def read(text: str, now: datetime) -> Said:
    """What `text` says; waybills and codes must be cut out of it before."""
    text = _GAP.sub("", _LABELS.sub("，", _typed_right(text)))
    clauses = [one for sentence in _SENTENCE.split(text) for one in _clauses(sentence)]
    plain = [one.replace(" ", "") for one in clauses]
    promised = _promise(plain, now)
    claim = _claim(plain)
    if claim is None and promised is not None and not _strong(plain):
        claim = Claim.MOVING
    return Said(_consent(plain), claim, promised, _amount(plain), _freight(plain))


_SLIPS = (
    (re.compile(r"陪(?=\s*[\d付偿款一二两三四五六七八九十百])"), "赔"),
    (re.compile(r"己(?=经|同意|丢|派|签|退|到|找)"), "已"),
)
_IN_WORDS = re.compile(
    r"((?:赔付?|赔偿|理赔|补偿|金额)[:：给你们]*\s*)([一二两三四五六七八九十百]{1,6})(?=[块元整\s]|$|[，,。；;！!])"
)
_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}


def _typed_right(text: str) -> str:
    """Slips of the keyboard that mean one thing only (陪50, 己同意), and small sums written in words (赔五十)."""
    for slip, meant in _SLIPS:
        text = slip.sub(meant, text)
    return _IN_WORDS.sub(_sum, text)


def _sum(hit: re.Match[str]) -> str:
    total = left = 0
    for char in hit[2]:
        if char in "十百":
            unit = 10 if char == "十" else 100
            total, left = total + (left or 1) * unit, 0
        elif left:
            return hit[0]  # 一二: digits in a row are no sum
        else:
            left = _DIGITS[char]
    if hit[2][-2:-1] == "百":
        left *= 10  # 一百二 is 120
    return f"{hit[1]}{total + left}"


def _clauses(sentence: str) -> list[str]:
    """What is said outright: no question, no request, and nothing behind an "if"."""
    found: list[str] = []
    for part in _CLAUSE.split(sentence):
        one = part.strip(" :：.【】[]()（）~·-")
        if _CONDITION.search(one):
            break
        if one and not _QUESTION.search(one) and not one.startswith("请"):
            found.append(one)
    return found


def _consent(clauses: list[str]) -> bool | None:
    refused = any(_REFUSE.search(one) for one in clauses)
    given = any(_GIVE.search(one) and not _REFUSE.search(one) for one in clauses)
    if refused == given:
        return None
    return given


def _claim(clauses: list[str]) -> Claim | None:
    found = _strong(clauses)
    moving = any(_MOVING.search(one) and not _NEVER_MOVING.search(one) for one in clauses)
    if {Claim.RETURNED, Claim.REFUSED} <= found:
        found.discard(Claim.REFUSED)
    if len(found) == 1:
        only = next(iter(found))
        is_found_again = only is Claim.LOST and any(
            re.search(r"(?<![没未不])(?:已|都|又|已经)?找到", one) for one in clauses
        )
        return None if is_found_again else only
    if found:
        return None
    return Claim.MOVING if moving else None


def _strong(clauses: list[str]) -> set[Claim]:
    return {claim for claim, words in _STRONG if any(_stands(one, words) for one in clauses)}


def _stands(clause: str, words: str) -> bool:
    """Whether one of the words stands there without being denied."""
    for hit in re.finditer(words, clause):
        before = clause[: hit.start()]
        if not re.search(_NOT + r"$", before) and not re.search(_NOT + r"[有被]?$", before):
            return True
    return False


def _promise(clauses: list[str], now: datetime) -> date | None:
    days: list[date] = []
    for one in clauses:
        if _ABOUT_TALK.search(one) or not _GOES.search(one) or re.search(r"已(?!安排)|了$", one):
            continue
        hit = _DAY.search(one)
        if hit and (on := _day(hit, now)) is not None:
            days.append(on)
    return days[0] if len(set(days)) == 1 else None


def _day(hit: re.Match[str], now: datetime) -> date | None:
    today = now.astimezone(SHOP_ZONE).date()
    if word := hit["word"]:
        return today + timedelta(days=_WORDS.get(word, 0))
    if week := hit["week"]:
        ahead = (_WEEKDAYS.index("日" if week == "天" else week) - today.weekday()) % 7
        monday_after = 7 if hit["next"] and ahead + today.weekday() < 7 else 0
        return today + timedelta(days=ahead + monday_after)
    if within := hit["within"]:
        hours = int(within) * (24 if hit["unit"] in ("天", "日") else 1)
        return (now + timedelta(hours=hours)).astimezone(SHOP_ZONE).date()
    if only := hit["only"]:
        return _next_of(today, int(only))
    try:
        on = date(int(hit["year"] or today.year), int(hit["month"]), int(hit["day"]))
        if not hit["year"] and on < today - timedelta(days=180):
            on = on.replace(year=on.year + 1)
    except ValueError:
        return None
    return on if today <= on <= today + timedelta(days=90) else None


def _next_of(today: date, day: int) -> date | None:
    """The next day of the month with this number, at most three weeks ahead."""
    for ahead in range(22):
        on = today + timedelta(days=ahead)
        if on.day == day:
            return on
    return None


def _amount(clauses: list[str]) -> int | None:
    found: set[int] = set()
    agreed = _consent(clauses) is True
    for one in clauses:
        if _NO_MONEY.search(one):
            continue
        if agreed and (bare := _BARE_SUM.match(one)):  # 同意补发 | 95元, 同意50: with a yes beside it a sum is the pay
            found.add(round(float(bare[1] or bare[2]) * 100))
            continue
        for hit in _MONEY.finditer(one):
            yuan = hit[1] or hit[3]
            found.add(round(float(yuan) * 100))
    found.discard(0)
    return found.pop() if len(found) == 1 else None


def _freight(clauses: list[str]) -> str:
    carrier, shop = (any(words.search(one) for one in clauses) for words in (_CARRIER_PAYS, _SHOP_PAYS))
    return "" if carrier == shop else "carrier" if carrier else "shop"
