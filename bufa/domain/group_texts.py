"""Many waybills in one text, for a chat group with a carrier: by what is asked and by branch, short enough to read.

It says what a letter says: reason, evidence (newest scan), what is asked, the rule that it rests on, until when.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bufa.domain.carrier_messages import Ask
from bufa.domain.notices import Language
from bufa.domain.rulebook import SHOP_ZONE


@dataclass(frozen=True, slots=True)
class AskedParcel:
    """One parcel that a carrier is asked about. `reason` as words, in both languages; nothing of the buyer."""

    number: str
    case_code: str
    order_tail: str
    reason: str
    reason_en: str
    ask: Ask
    place: str = ""
    collected_at: datetime | None = None
    last_scan_at: datetime | None = None
    destination: str = ""
    contents: str = ""
    value_fen: int = 0
    regulation: str = ""
    regulation_en: str = ""


ASKED = {
    Ask.CONSENT: (
        "请核实是否丢失，能否同意补发、赔付多少",
        "please check whether it is lost, and agree to a reissue and to what you pay",
    ),
    Ask.LOCATE: ("请核实位置，预计哪天送达", "please find it, and say when it will be delivered"),
    Ask.PICK_UP: ("请安排揽收", "please collect it"),
    Ask.REDELIVER: ("请再次派送，哪天派", "please deliver again, and say when"),
    Ask.CHANGE_ADDRESS: ("请改派到新的地址", "please take it to the other address"),
    Ask.INTERCEPT: ("请拦截退回", "please stop it and send it back"),
    Ask.PROOF: ("请提供签收凭证", "please send the proof of delivery"),
}


MOST_RULES = 3
"""Different regulations that one text cites; a group reads no law book."""


def write(
    parcels: Sequence[AskedParcel],
    shop: str,
    answer_by: datetime,
    language: Language = Language.ZH,
    *,
    head: str = "",
) -> str:
    """The text; "" for no parcels. One heading for each branch and ask, one line a parcel. `head` goes before it."""
    if not parcels:
        return ""
    zh = language is Language.ZH
    groups: dict[tuple[str, Ask], list[AskedParcel]] = {}
    for one in parcels:
        groups.setdefault((one.place, one.ask), []).append(one)
    until = answer_by.astimezone(SHOP_ZONE).strftime("%m-%d %H:%M")
    first = (
        f"{head}{shop}，共 {len(parcels)} 票，请在 {until} 前按单号回复："
        if zh
        else f"{head}{shop}: {len(parcels)} parcels, please answer by waybill before {until}:"
    )
    lines = [first]
    at_branch = {place: sum(len(inside) for (at, _), inside in groups.items() if at == place) for place, _ in groups}
    for (place, ask), inside in sorted(groups.items(), key=lambda one: (-at_branch[one[0][0]], one[0][0], one[0][1])):
        said = ASKED[ask][0 if zh else 1]
        where = place or ("无轨迹" if zh else "no track")
        lines.append(f"\n【{where}】{said}" if zh else f"\n[{where}] {said}")
        lines += [_line(one, language) for one in inside]
    cited = dict.fromkeys(one.regulation if zh else one.regulation_en for one in parcels)
    rules = [text for text in cited if text][:MOST_RULES]
    if rules:
        lines.append(("\n依据：" if zh else "\nUnder: ") + ("；" if zh else "; ").join(rules))
    return "\n".join(lines)


def _line(one: AskedParcel, language: Language) -> str:
    zh = language is Language.ZH
    if one.last_scan_at is not None:
        at = one.last_scan_at.astimezone(SHOP_ZONE).strftime("%m-%d %H:%M")
        seen = f"最后轨迹 {at}" if zh else f"last scan {at}"
    else:
        seen = "无轨迹" if zh else "no scan"
    reason = one.reason if zh else one.reason_en
    return f"{one.number} {reason}，{seen}" if zh else f"{one.number} {reason}, {seen}"


def fitting(
    parcels: Sequence[AskedParcel], most_bytes: int, text_of: Callable[[Sequence[AskedParcel]], str]
) -> list[tuple[AskedParcel, ...]]:
    """The parcels in few parts whose texts fit: a group's robot takes only so many bytes. A parcel alone is a part even
    where its text is too long."""
    parts: list[tuple[AskedParcel, ...]] = []
    left = sorted(parcels, key=lambda one: (one.place, one.ask))
    while left:
        count = len(left)
        while count > 1 and len(text_of(left[:count]).encode()) > most_bytes:
            count = max(1, count * 3 // 4)
        parts.append(tuple(left[:count]))
        left = left[count:]
    return parts
