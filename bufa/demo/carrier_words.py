"""Reading the carriers' answers, as an agent does who looks for the words that matter."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bufa.domain.cases import Claim

_CLAIMS: tuple[tuple[str, Claim], ...] = (
    ("遗失", Claim.LOST),
    ("破损", Claim.DAMAGED),
    ("未及时揽收", Claim.NOT_PICKED_UP),
    ("未按址派送", Claim.SIGNED_NOT_RECEIVED),
    ("短少", Claim.WRONG_OR_SHORT),
    ("退回", Claim.RETURNED),
    ("延误", Claim.LATE),
)
_CUSTOMER: tuple[tuple[str, Claim], ...] = (
    ("没有收到", Claim.SIGNED_NOT_RECEIVED),
    ("少了", Claim.WRONG_OR_SHORT),
    ("破损", Claim.DAMAGED),
    ("没有揽收", Claim.NOT_PICKED_UP),
    ("丢了", Claim.LOST),
    ("停着", Claim.STALLED),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """`given` None: neither yes nor no yet."""

    given: bool | None
    claim: Claim | None
    amount_fen: int | None
    ticket: str
    text: str = field(repr=False)


def read_answer(text: str) -> Answer:
    """What a carrier's mail says."""
    given = False if "暂不符合补发条件" in text else True if "同意补发" in text else None
    claim = next((claim for word, claim in _CLAIMS if word in text), None) if given else None
    limit = re.search(r"上限(\d+)元", text)
    ticket = re.search(r"处理编号：(\w+)", text)
    return Answer(given, claim, int(limit[1]) * 100 if limit else None, ticket[1] if ticket else "", text)


def customer_claim(text: str) -> Claim | None:
    """What a customer says is wrong, None for talk about something else."""
    return next((claim for word, claim in _CUSTOMER if word in text), None)


def wants_refund(text: str) -> bool:
    return "直接退款" in text
