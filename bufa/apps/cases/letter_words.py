"""Words that go into letters and notices: what is wrong, what is done, who carries. Both languages side by side,
because a letter's language is chosen by its reader and not by whoever is at the desk."""

from __future__ import annotations

from collections.abc import Mapping

from bufa.domain.cases import Claim
from bufa.domain.kinds import Measure
from bufa.domain.notices import Language

_REASONS: Mapping[Claim, tuple[str, str]] = {
    Claim.NOT_SHIPPED: ("未能按时发货", "it was not shipped in time"),
    Claim.NOT_PICKED_UP: ("快递未揽收", "the carrier has not collected it"),
    Claim.STALLED: ("快件中途停滞", "it has stopped on the way"),
    Claim.LATE: ("快件派送延误", "its delivery is late"),
    Claim.LOST: ("快件疑似丢失", "it is probably lost"),
    Claim.DAMAGED: ("快件破损", "it was damaged"),
    Claim.REFUSED: ("快件被拒收", "it was refused"),
    Claim.RETURNED: ("快件被退回", "it was sent back"),
    Claim.WRONG_OR_SHORT: ("商品少发或错发", "items are missing or wrong"),
    Claim.SIGNED_NOT_RECEIVED: ("显示签收但未收到", "it was signed for but not received"),
    Claim.DELIVERED: ("快件已送达", "it has been delivered"),
    Claim.MOVING: ("快件运输中", "it is on its way"),
}

_MEASURES: Mapping[Measure, tuple[str, str]] = {
    Measure.WAIT: ("继续关注", "we keep watching it"),
    Measure.CHASE: ("催办快递", "we urge the carrier"),
    Measure.INTERCEPT: ("拦截退回", "we call it back"),
    Measure.REDELIVER: ("安排再次派送", "it will be delivered again"),
    Measure.REISSUE: ("补发", "we have sent it again"),
    Measure.REFUND: ("退款", "we refund you"),
    Measure.COMPENSATE: ("补偿", "we make up for it"),
}

_CARRIERS: Mapping[str, tuple[str, str]] = {
    "zhongtong": ("中通快递", "ZTO Express"),
    "yuantong": ("圆通速递", "YTO Express"),
    "shentong": ("申通快递", "STO Express"),
    "yunda": ("韵达快递", "Yunda Express"),
    "shunfeng": ("顺丰速运", "SF Express"),
    "jd": ("京东快递", "JD Logistics"),
    "jtexpress": ("极兔速递", "J&T Express"),
    "jituexpress": ("极兔速递", "J&T Express"),
    "youzhengguonei": ("邮政快递包裹", "China Post"),
    "ems": ("EMS", "EMS"),
    "debangkuaidi": ("德邦快递", "Deppon Express"),
}


def reason_words(claim: Claim | None, language: Language) -> str:
    """What is wrong, as a customer or carrier reads it; "late" while nothing is confirmed."""
    return _pick(_REASONS[claim or Claim.LATE], language)


def measure_words(measure: Measure | None, language: Language) -> str:
    """What is done about it."""
    return _pick(_MEASURES[measure or Measure.CHASE], language)


def carrier_name(carrier: str, language: Language = Language.ZH) -> str:
    """The carrier's name; its code where no name is known."""
    return _pick(_CARRIERS.get(carrier, (carrier, carrier)), language)


def _pick(words: tuple[str, str], language: Language) -> str:
    return words[0] if language is Language.ZH else words[1]
