"""What a check of the gate says, and the words that all checks share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bufa.domain.outcome import Why


class Answer(StrEnum):
    """What a check says."""

    PASS = "pass"  # noqa: S105 - an answer, not a secret
    REFUSED = "refused"
    PUNISHED_LATER = "punished_later"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Check:
    """One check's answer, with the reason and the rule it rests on."""

    code: str
    verdict: Answer
    why: Why
    rule: str = ""


def said(code: str, answer: Answer, why: str = "", rule: str = "", **params: object) -> Check:
    """A check's answer; without `why` the reason is named after check and answer."""
    return Check(code, answer, Why(why or f"{code}_{answer.value}", params), rule)
