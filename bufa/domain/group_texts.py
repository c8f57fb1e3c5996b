"""Many waybills in one text, for a chat group with a carrier: by what is asked and by branch, short enough to read."""

from __future__ import annotations

from collections.abc import Sequence
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


ASKED = {
    Ask.CONSENT: (
        "请核实是否丢失，能否同意补发、赔付多少",
        "please check whether it is lost, and agree to a reissue and to what you pay",
    ),
    Ask.LOCATE: ("请核实位置，预计哪天送达", "please find it, and say when it will be delivered"),
    Ask.PICK_UP: ("请安排揽收", "please collect it"),
    Ask.REDELIVER: ("请再次派送，哪天派", "please deliver again, and say when"),
    Ask.INTERCEPT: ("请拦截退回", "please stop it and send it back"),
    Ask.PROOF: ("请提供签收凭证", "please send the proof of delivery"),
}


def write(parcels: Sequence[AskedParcel], shop: str, answer_by: datetime, language: Language = Language.ZH) -> str:
    """The text; "" for no parcels. One heading for each ask and branch, one line a parcel."""
    if not parcels:
        return ""
    zh = language is Language.ZH
    groups: dict[tuple[Ask, str], list[AskedParcel]] = {}
    for one in parcels:
        groups.setdefault((one.ask, one.place), []).append(one)
    until = answer_by.astimezone(SHOP_ZONE).strftime("%m-%d %H:%M")
    head = (
        f"{shop}，共 {len(parcels)} 票，请在 {until} 前按单号回复："
        if zh
        else (f"{shop}: {len(parcels)} parcels, please answer by waybill before {until}:")
    )
    lines = [head]
    for (ask, place), inside in sorted(groups.items(), key=lambda one: (-len(one[1]), one[0][0].value, one[0][1])):
        said = ASKED[ask][0 if zh else 1]
        where = place or ("无轨迹" if zh else "no track")
        lines.append(f"\n【{where}】{said}" if zh else f"\n[{where}] {said}")
        lines += [f"{one.number} {one.reason if zh else one.reason_en}" for one in inside]
    return "\n".join(lines)
