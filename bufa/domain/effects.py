"""What a change outside may become: when it is tried again, when it is read back, and when a person has to say.

Only the decisions. HTTP timeout 10 s < LEASE < LEASE + GRACE: whoever still holds a call has long given up when the
rescue calls its outcome unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

LEASE = timedelta(seconds=20)
GRACE = timedelta(seconds=10)
TAKE_BACK = timedelta(seconds=10)
LEAVE_WITHIN = timedelta(seconds=8)
"""A call leaves so soon after its attempt began or not at all: at most 19.5 s later it is over, before the rescue."""

READ_BACK_AFTER = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=5))
"""When an unknown effect is read back, counted from the moment it became unknown."""

MOST_LOOKS = 20
MAIL_KINDS = frozenset({"carrier_mail", "customer_mail", "told_mail"})
UNREADABLE_KINDS = frozenset({"intercept", "group_message", "voice"})
"""A recall and a phone call are asked about by an id that only the lost answer held; a group tells nobody."""

UNASKED_KINDS = frozenset({"told_mail"})
"""Where it stays unknown, nobody has to say what became of it: what it told stands on the desk."""

MESSAGE_KINDS = {"aliyun_sms": "aliyun_sms", "tencent_sms": "tencent_sms", "voice": "aliyun_voice"}
"""Kind of effect → kind of connection that carries it out."""

_FIRST_RETRY = timedelta(seconds=2)
_LONGEST_RETRY = timedelta(minutes=10)
_TRIES_BEFORE_A_PERSON_SEES = 6


class Result(StrEnum):
    """How one attempt ended."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    RETRY = "retry"


def result_of_error(*, unknown: bool, retryable: bool) -> Result:
    """An attempt that raised: only one that surely had no effect may be repeated."""
    if unknown:
        return Result.UNKNOWN
    return Result.RETRY if retryable else Result.REJECTED


def retry_after(attempt: int, asked: timedelta | None = None) -> timedelta:
    """Pause before attempt + 1: 2 s, 4 s, 8 s … at most 10 min, never less than the provider asked for."""
    own = min(_FIRST_RETRY * (1 << min(max(attempt - 1, 0), 12)), _LONGEST_RETRY)
    return max(own, asked) if asked is not None else own


def shown_to_a_person(attempt: int) -> bool:
    """An effect that keeps being put off is tried on, but a person should know."""
    return attempt >= _TRIES_BEFORE_A_PERSON_SEES


def can_be_read_back(kind: str) -> bool:
    """A mail, a group's message or a call that left leaves no trace that we could ask for; nor does a recall."""
    return kind not in MAIL_KINDS and kind not in UNREADABLE_KINDS


def next_read(kind: str, reads: int) -> timedelta | None:
    """Pause before the next read-back after `reads` of them; None: reading can't settle it, a person has to."""
    if not can_be_read_back(kind) or reads >= len(READ_BACK_AFTER):
        return None
    return READ_BACK_AFTER[reads] - (READ_BACK_AFTER[reads - 1] if reads else timedelta(0))


def asks_a_person(kind: str) -> bool:
    """Whether somebody is shown an effect of that kind that reading back could not settle."""
    return kind not in UNASKED_KINDS


# --- pace ------------------------------------------------------------------------------------------------------------

DENIED_FOR = timedelta(hours=6)
"""A method that was not granted is not proposed again before this; the shop may have asked for it meanwhile."""

_FIRST_PAUSE_MS, _LONGEST_PAUSE_MS, _SHORTEST_PAUSE_MS = 500, 60_000, 100


def next_pause(pause_ms: int, *, limited: bool) -> int:
    """Milliseconds between two changes of one kind: doubled when the platform says too fast, a quarter less after
    each that passed, none at all once it is short."""
    if limited:
        return min(max(pause_ms * 2, _FIRST_PAUSE_MS), _LONGEST_PAUSE_MS)
    shorter = pause_ms * 3 // 4
    return shorter if shorter >= _SHORTEST_PAUSE_MS else 0


# --- what people may see of an intent --------------------------------------------------------------------------------

_SHOWN: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "resend": ("afterSale.fillLogistics", ("after_sale", "carrier", "number")),
    "extra_package": ("order.uploadextrapackage", ("order", "lines", "carrier", "number", "send_address_id")),
    "add_pack": (
        "order.logisticsAddMultiPack",
        ("order", "lines", "carrier", "number", "send_address_id", "request_id"),
    ),
    "correct_number": (
        "order.logisticsEdit / order.logisticsEditByPack",
        ("order", "package_id", "was", "carrier", "number"),
    ),
    "report_view": ("security.batchReportOrderSecurityEvent", ("event_id", "account", "order_number", "fields")),
    "agree_resend": ("afterSale.operate 501", ("after_sale", "update_time")),
    "refuse_resend": ("afterSale.operate 502", ("after_sale", "update_time", "reason_code")),
    "platform_sms": ("sms.send", ("template_id", "tag")),
    "carrier_mail": ("SMTP", ("message_id", "sender")),
    "customer_mail": ("SMTP", ("message_id", "sender")),
    "group_message": ("webhook", ("robot",)),
    "told_mail": ("SMTP", ("message_id", "sender")),
    "aliyun_sms": ("dysmsapi SendSms", ("template_id", "tag")),
    "tencent_sms": ("sms SendSms", ("template_id", "tag")),
    "voice": ("dyvmsapi SingleCallByTts", ("template_id", "tag")),
}


def shown_intent(kind: str, intent: Mapping[str, Any]) -> dict[str, Any]:
    """`{"method", "fields"}` of an intent, without buyers' data: only fields that are known to hold none come through,
    so that a new field is hidden until somebody says that it may be seen."""
    method, names = _SHOWN.get(kind, ("", ()))
    return {"method": method, "fields": {name: intent[name] for name in names if intent.get(name) not in (None, "")}}
