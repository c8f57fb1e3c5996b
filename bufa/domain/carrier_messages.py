"""The mail to a carrier: reason, order information, what is asked, until when.

It holds what a carrier needs to find the parcel: waybill, order tail, dates, places. No buyer's name, phone or street.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bufa.domain.money import yuan
from bufa.domain.notices import Language
from bufa.domain.outcome import Refused
from bufa.domain.rulebook import SHOP_ZONE


class Ask(StrEnum):
    """What is asked of the carrier."""

    CONSENT = "ask_consent"
    LOCATE = "locate"
    PICK_UP = "pick_up"
    REDELIVER = "redeliver"
    INTERCEPT = "intercept"
    CHANGE_ADDRESS = "change_address"
    PROOF = "proof"


@dataclass(frozen=True, slots=True)
class CarrierLetter:
    """What goes into the mail. `reason` comes in as words in the mail's language; `case_code` marks the answers.

    `last_scan_at`, `collected_at`: None where nothing was scanned. `place`: the newest place of the parcel.
    `contents`: what is inside, as a short text; `value_fen`: what the buyer paid for it. `regulation`: the rule that we
    rest on, as words; `escalated_from`: who was asked before and did not answer, "" for nobody.
    """

    case_code: str
    shop: str
    waybill: str
    order_tail: str
    reason: str
    ask: Ask
    answer_by: datetime
    origin: str = ""
    destination: str = ""
    collected_at: datetime | None = None
    last_scan_at: datetime | None = None
    place: str = ""
    contents: str = ""
    value_fen: int | None = None
    reminder: bool = False
    regulation: str = ""
    escalated_from: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail's subject and plain-text body."""

    subject: str
    body: str


ASKS = {
    Language.ZH: {
        Ask.CONSENT: "请核实该件是否已丢失或无法按时送达；如是，请回复同意我方补发，并确认按贵司规定赔付。",
        Ask.LOCATE: "请核实该件目前所在位置，催促尽快中转、派送，并回复预计送达时间。",
        Ask.PICK_UP: "该件单号已上传，请尽快安排揽收并补录揽收信息；如实物已交接，请提供交接凭证。",
        Ask.REDELIVER: "请联系收件人，安排再次派送，并回复派送时间。",
        Ask.INTERCEPT: "请拦截该件并退回寄件地址，回复拦截结果。",
        Ask.CHANGE_ADDRESS: "请把该件改派到文末的地址，回复能否改派。",
        Ask.PROOF: "收件人反映未收到，请提供签收凭证（签收人、照片、派送位置）。",
    },
    Language.EN: {
        Ask.CONSENT: (
            "Please check whether this parcel is lost or can't arrive in time. "
            "If so, please answer that you agree to our reissue and that you pay by your rules."
        ),
        Ask.LOCATE: "Please find out where this parcel is, move it on, and answer when it will be delivered.",
        Ask.PICK_UP: (
            "The waybill was uploaded. Please collect the parcel and enter the pickup; "
            "if you have it already, please send the proof of hand-over."
        ),
        Ask.REDELIVER: "Please contact the recipient, deliver again, and answer when.",
        Ask.INTERCEPT: "Please stop this parcel, return it to the sender, and answer whether it worked.",
        Ask.CHANGE_ADDRESS: "Please take this parcel to the address at the end, and answer whether that works.",
        Ask.PROOF: "The recipient says nothing arrived. Please send the proof of delivery (who signed, photo, place).",
    },
}

_LABELS = {
    Language.ZH: {
        "waybill": "运单号",
        "order": "订单尾号",
        "reason": "异常原因",
        "origin": "寄出地",
        "destination": "目的地",
        "collected": "揽收时间",
        "last_scan": "最后轨迹时间",
        "place": "最后位置",
        "contents": "内件",
        "value": "货值",
        "none": "无记录",
    },
    Language.EN: {
        "waybill": "Waybill",
        "order": "Order ending in",
        "reason": "Problem",
        "origin": "From",
        "destination": "To",
        "collected": "Collected",
        "last_scan": "Last scan",
        "place": "Last place",
        "contents": "Contents",
        "value": "Value",
        "none": "none",
    },
}


def write(letter: CarrierLetter, language: Language = Language.ZH) -> Mail:
    """The mail. Refused("letter_values_missing", names) when the carrier could not act on it."""
    missing = [name for name in ("case_code", "shop", "waybill", "reason") if not getattr(letter, name).strip()]
    if missing:
        raise Refused("letter_values_missing", names=missing)
    lines = "\n".join(_facts(letter, language))
    ask, due = ASKS[language][letter.ask], minute(letter.answer_by)
    if language is Language.ZH:
        mark = "【升级】" if letter.escalated_from else "【催办】" if letter.reminder else ""
        before = f"此前已联系{letter.escalated_from}，至今没有答复，请协助督办。\n\n" if letter.escalated_from else ""
        rests = f"依据：{letter.regulation}。\n\n" if letter.regulation else ""
        subject = f"{mark}运单 {letter.waybill} {letter.reason}，请于 {due} 前回复 [{letter.case_code}]"
        body = (
            f"您好：\n\n{before}我店一票快件出现异常，情况如下：\n\n{lines}\n\n{ask}\n\n{rests}"
            f"请在 {due}（北京时间）前直接回复本邮件，并保留标题中的编号 {letter.case_code}。谢谢！\n\n{letter.shop}\n"
        )
    else:
        mark = "Escalation: " if letter.escalated_from else "Reminder: " if letter.reminder else ""
        before = f"we asked {letter.escalated_from} and got no answer; please help. " if letter.escalated_from else ""
        rests = f"Under: {letter.regulation}.\n\n" if letter.regulation else ""
        subject = f"{mark}waybill {letter.waybill}: {letter.reason}, please answer by {due} [{letter.case_code}]"
        body = (
            f"Hello,\n\n{before}one of our parcels has a problem:\n\n{lines}\n\n{ask}\n\n{rests}"
            f"Please answer this mail by {due} (Beijing time) and keep {letter.case_code} in the subject.\n\n"
            f"{letter.shop}\n"
        )
    return Mail(one_line(subject), body)


def _facts(letter: CarrierLetter, language: Language) -> list[str]:
    label = _LABELS[language]
    value = "" if letter.value_fen is None else f"¥{yuan(letter.value_fen)}"
    rows = (
        ("waybill", letter.waybill),
        ("order", letter.order_tail),
        ("reason", letter.reason),
        ("origin", letter.origin),
        ("destination", letter.destination),
        ("collected", minute(letter.collected_at) or label["none"]),
        ("last_scan", minute(letter.last_scan_at) or label["none"]),
        ("place", letter.place),
        ("contents", letter.contents),
        ("value", value),
    )
    colon = "：" if language is Language.ZH else ": "
    return [f"{label[name]}{colon}{one_line(text)}" for name, text in rows if text]


def minute(at: datetime | None) -> str:
    """2026-11-24 12:00 in the shop's time, "" for none."""
    return at.astimezone(SHOP_ZONE).strftime("%Y-%m-%d %H:%M") if at else ""


def one_line(text: str) -> str:
    """A line break in a subject would start a new mail header."""
    return " ".join(text.split())
