"""Scan texts: cleaning them, and the ordered rules of lexicon.toml that say what happened."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from bufa.domain.kinds import Kind, Reason

PLACE, HUB, STATION, LOCKER, OFFICE = "〔处〕", "〔枢〕", "〔站〕", "〔柜〕", "〔投〕"
SENDER_SIGNED = "签收人〔退〕"

PLATFORM_HUB_WORDS = ("转运中心", "中转中心", "集散中心", "分拨中心")
"""The platform's own four words; only these stop its dispatch clock for certain."""

CARRIER_HUB_WORDS = (
    *PLATFORM_HUB_WORDS,
    *("分拣中心", "处理中心", "枢纽中心", "集包中心", "操作中心", "速运中心", "速递中心", "航空中心", "运转中心"),
    *("管理中心", "航空部", "航空组", "转运场", "中转场", "分拨场", "转运部", "中转部", "分拣部", "中转站", "转运站"),
    *("集散点", "集散地", "航站", "口岸局", "中心局", "枢纽", "分拨", "中转", "转运", "集散", "邮区"),
)
"""What carriers call their hubs: JD 分拣中心, China Post 处理中心, Deppon 枢纽中心, ZTO 中转部, SF and J&T 集散点."""

_PHONE = (
    r"(?:\+?86[-\s]?)?(?<!\d)(?:1\d{2}[-\s*]?[\d*]{4}[-\s*]?\d{4}(?:[-转]\d{1,6})?|0\d{2,3}[-\s]?\d{7,8}(?:[-转]\d{1,6})?"
    r"|400[-\s]?\d{3,4}[-\s]?\d{3,4}|9[5-6]\d{3,4})(?!\d)"
)
_PHONES = re.compile(rf"<[pnl]>|{_PHONE}", re.IGNORECASE)
_BRACKETED_PHONES = re.compile(
    rf"[(\[【]\s*(?:(?:手机|电话|tel)[:\s]*)?(?:{_PHONE}|<[pl]>)(?:\s*[/,、]\s*(?:{_PHONE}|<[pl]>))*\s*[)\]】]",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"(?:【([^【】]*)】|\[([^\[\]]*)\])")
_SAID = re.compile(r"(?:原因|类型|备注|状态|因|结果|说明|情况)(?:是|为|:)?\s*$")
_SPOKEN = re.compile(
    r"^(?:问题件|疑难件|异常件|拒收|签收|派件|到件|收件|发件|装袋|拆包|建包|代收点|自提柜|快递柜|退件|退件签收|退回|留仓|揽收"
    r"|问题件签收|派送|投递|拦截|拦截件|转寄|.{0,6}签收)$"
)
_LOCKER = re.compile(r"柜|丰巢|速递易|格格货栈|近邻宝|收件宝")
_AT_THE_DOOR = re.compile(r"门口$|^(?:前台|门卫|物业|收发室|保安室?|传达室|信报?箱|邮箱|楼下|过道|电表箱)")
_STATION = re.compile(
    r"驿站|超市|便利店|兔喜|邻里|代收点|自提|菜鸟|合作点|服务站|小栈|快递之家|生活\+"
    r"|代收$|熊猫快收|村邮站|溪鸟|快收|便民店"
)
_DELIVERY_OFFICE = re.compile(r"投递部$|揽投部$|投递站$|揽投站$|派送部$")
_HUB = re.compile("|".join(CARRIER_HUB_WORDS))
_HUB_SITE = re.compile(
    "|".join(word for word in CARRIER_HUB_WORDS if len(word) > 2)
    + r"|(?:中转|集散|枢纽|分拨|转运)(?:公司)?(?=[】\]]|$)"
)
_HUB_NAMES = re.compile(
    rf"(?:{'|'.join(word for word in CARRIER_HUB_WORDS if len(word) > 2)}|(?<=发往)\S{{1,6}}中转\b)(?:公司)?"
)
_PLATFORM_HUB = re.compile("|".join(PLATFORM_HUB_WORDS))
_NEXT_STOP = re.compile(
    r"(?:(?:准备|正|已)?(?:发往|运往|送往|前往|驶向|转往|发至)|下一(?:站|部门|网点|个?节点)|目的地)(?:是|为|:)?\s*[^,。;!]*"
)

_SIGNER = re.compile(r"(签收人|收件人|签收人类型)\s*(?:是|为|:|在:)\s*(【[^】]*】|[^,。;!\s]*)(?:\s+(?=已签收))?")
_SENDER = re.compile(r"^【?(?:本人)?(?:退(?!休|役|伍)|寄件人|发件人|商家|卖家|原寄)")
_COURIER = (
    r"(?:快递员|派件员|派送员|配送员|业务员|小件员|收件员|揽收员|揽件员|揽投员|投递员|取件员|扫描员|操作员|收派员|派件人|派送人|取件人"
    r"|揽收人|投递人|发件员|兔兔快递员|扫描人员|司机|站长|联系人)"
)
_VERBS = (
    r"派|收|取|已|将|外|开始|按|重新|操作|联系|会|再|因|与|电话|手机|在|到|的|上门|无法|未|为|揽|进行|完成|库存|接|正|多次"
    r"|第|凭"
)
_COURIER_NAME = re.compile(
    rf"({_COURIER})(?:姓名)?\s*(?:是|为|:)?\s*(?!{_VERBS})[^\s,。;!()〔〕:\d]{{1,10}}?"
    rf"(?=正在|派件|派送|已|完成|电话|手机|第\s*[\d一二三四五]|[\s,。;!()〔:\d]|$)"
)
_PLACES_MAN = re.compile(
    r"〕\s*的\s*(?!派件|快件|包裹)[^\s,。;()〔]{1,12}?\s*(?=正在|已收件|已揽收|已取件|已进行|失败签收|派件中)"
)
_COURIER_CARD = re.compile(rf"({_COURIER}|小哥)\s*\([^()]*\)")
_HANDED_TO = re.compile(r"(?<=交给)[^\s,。;()〔]{1,8}(?=,|\s)|(?<=分配给)[^\s,。;()〔]{1,8}")

_CONDITIONS = re.compile(
    r"(?:如果|如有|如遇|如您|如需|如未|如发现|如对|如非|如出现|如包裹|如快件|如外包装|如货物|如收到|如存在|若|倘若|万一|一旦"
    r"|有问题请?|有疑问|有任何|任何(?:问题|疑问))[^,。;!]*"
)
_BOILERPLATE = re.compile(
    r"(?:(?:投诉|客服|查询|咨询|联系|派件员|网点|部门|揽投部)电话|(?:投诉|客服|服务)热线)[:\s]*[^,。;!]*"
    r"|(?:感谢|谢谢|期待|敬请|祝|请放心|请您放心|请耐心|请保持|请您?当面|请当场|请您?(?:先)?(?:验|检查|清点|查验|开箱)"
    r"|请您?准备签收|请您?(?:及时|尽快|注意|当面)?(?:查收|签收)|请确认|请在评价|赏个|给个好评|温馨提示|收到(?:包裹|快件|货)后"
    r"|签收(?:前|时|后)(?:请|如|可|务必|及时|概不|不予|恕不)|验收|为(?:了)?(?:避免|防止|保证|保障|确保|您的)|以免|以防|谨防|避免|防止|本着|保护您|可放心"
    r"|疫情(?:期间|防控|期)|给您服务|疫苗|佩戴口罩|体温|也可联系|今天的兔兔|怀揣|卯足|连接美好|无处不在"
    r"|风里来|上有老|不求|申通小哥一刻|圆通快递小哥每|快递小哥每)[^,。;!]*"
    r"|[^,。;!]*(?:找不到(?:包裹|快件)等问题|安全呼叫|消毒|口罩|体温)[^,。;!]*"
    r"|(?:是否|有无)[^,。;!]*"
)
_NEGATED = re.compile(
    r"(?:无|未见?|没有|并未|不会|不存在|未发现|防|杜绝|非)[^,。;!原因]{0,4}(?:破损|丢失|遗失|损坏|短少|受损)"
    r"|(?:外包装|包装|外观|包裹)?完好(?:无损)?"
)
_ASIDES = re.compile(r"[(【\[][^()【】\[\]]*(?:外呼|专属|热线|安全呼叫|放心接听|号码)[^()【】\[\]]*[)】\]]")
_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+")
_SPACES = re.compile(r"\s+")


def fold_width(text: str) -> str:
    """Half-width letters, digits and punctuation; invisible characters out; blanks folded."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return _SPACES.sub(" ", text).strip()


def clean(text: str) -> str:
    """The text as the rules want it: see the head of lexicon.toml."""
    text = fold_width(text).lower().replace("、", "/").replace("!", "。").replace("。,", ",")
    text = _BRACKETED_PHONES.sub("", text)  # before anything else: STO writes them into the word 已签收
    text = _PHONES.sub("", text)
    text = re.sub(r"\(\s*\)|【\s*】|\[\s*\]", "", text)
    text = _ASIDES.sub("", text)
    text = _SIGNER.sub(_signer, text)
    text = _mask_brackets(text)
    text = _COURIER_CARD.sub(r"\1", text)
    text = _COURIER_NAME.sub(r"\1", text)
    text = _PLACES_MAN.sub("〕的", text)
    text = _HANDED_TO.sub("", text)
    text = _CONDITIONS.sub("", text)
    text = _BOILERPLATE.sub("", text)
    text = _NEGATED.sub("", text)
    text = _HUB_NAMES.sub(HUB, text)
    return _SPACES.sub(" ", text).strip(" ,;")


def _signer(match: re.Match[str]) -> str:
    """Who signed is cut out: signers are called 图片, 有问题打…, 公司件周一派送. A sender's signature is marked."""
    word, value = match.group(1), match.group(2)
    if _SENDER.search(value):
        return SENDER_SIGNED + " "
    if word == "收件人":
        return match.group(0)
    return "签收人 " + ("已签收" if "签收" in value else "")


def mask_places(text: str) -> str:
    """The text with each bracketed place as the kind of place it is; brackets with reasons or words open up."""
    return _mask_brackets(text)


def _mask_brackets(text: str) -> str:
    parts: list[str] = []
    end = 0
    for match in _BRACKETS.finditer(text):
        before = text[end : match.start()]
        parts.append(before)
        inner = (match.group(1) if match.group(1) is not None else match.group(2)).strip()
        parts.append(_masked(inner, text[: match.start()]))
        end = match.end()
    parts.append(text[end:])
    return "".join(parts)


def _masked(inner: str, before: str) -> str:
    if _SAID.search(before) or _SPOKEN.match(inner) or _AT_THE_DOOR.search(inner):
        return inner + " "
    if _HUB.search(inner):
        return HUB
    if _LOCKER.search(inner):
        return LOCKER
    if _STATION.search(inner):
        return STATION
    return OFFICE if _DELIVERY_OFFICE.search(inner) else PLACE


def names_platform_hub(text: str) -> bool:
    """Whether the text puts the parcel at a place with one of the platform's four hub words.

    A hub that is only announced (发往…, 下一站…) is not yet a record of it.
    """
    return bool(_PLATFORM_HUB.search(_NEXT_STOP.sub("", fold_width(text))))


def names_carrier_hub(text: str) -> bool:
    """The same with any of the words that carriers have for their hubs."""
    return bool(_HUB_SITE.search(_NEXT_STOP.sub("", fold_width(text))))


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of lexicon.toml."""

    name: str
    kind: Kind
    reason: Reason | None
    any: re.Pattern[str]
    none: re.Pattern[str] | None
    reasoned: bool
    only: frozenset[Reason]
    why: str


@dataclass(frozen=True, slots=True)
class Match:
    """What the rules found: kind, reason and the rule's name."""

    kind: Kind
    reason: Reason | None
    rule: str


def match(cleaned: str) -> Match | None:
    """The first rule that fits a cleaned text, or None."""
    if not cleaned:
        return None
    reason: Reason | None = None
    looked_up = False
    for rule in rules():
        if not rule.any.search(cleaned) or (rule.none is not None and rule.none.search(cleaned)):
            continue
        if not rule.reasoned:
            return Match(rule.kind, rule.reason, rule.name)
        if not looked_up:
            reason, looked_up = reason_of(cleaned), True
        if rule.only and (reason or Reason.OTHER) not in rule.only:
            continue
        return Match(rule.kind, reason or Reason.OTHER, rule.name)
    return None


def reason_of(cleaned: str) -> Reason | None:
    """The first reason whose words a cleaned text holds, or None."""
    for reason, pattern in reasons():
        if pattern.search(cleaned):
            return reason
    return None


@cache
def rules() -> tuple[Rule, ...]:
    """The rules in their order."""
    return tuple(
        Rule(
            name=row["name"],
            kind=Kind(row["kind"]),
            reason=Reason(row["reason"]) if "reason" in row else None,
            any=_one_of(row["any"]),
            none=_one_of(row["not"]) if "not" in row else None,
            reasoned=row.get("reasoned", False),
            only=frozenset(Reason(word) for word in row.get("only", ())),
            why=row["why"],
        )
        for row in _data()["rule"]
    )


@cache
def reasons() -> tuple[tuple[Reason, re.Pattern[str]], ...]:
    """The reason tables in their order."""
    return tuple((Reason(row["reason"]), _one_of(row["any"])) for row in _data()["reason"])


def _one_of(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


@cache
def _data() -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads(files("bufa.domain").joinpath("lexicon.toml").read_text(encoding="utf-8"))
