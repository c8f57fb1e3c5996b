"""Waybill numbers: cleaning, checking against a carrier's forms, the S10 check digit.

Six of eight "no trace" parcels of one real shop had dirty numbers: clean first, then say "not picked up".
Patterns only warn: digit-only forms of carriers overlap and change, so a mismatch is no proof.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from bufa.domain.carriers import Carrier, carriers, get
from bufa.domain.outcome import Why

MIN_LENGTH, MAX_LENGTH = 6, 32
"""What tracking providers accept."""

_PIECES = re.compile(r"^(JD[0-9A-Z]{8,20}?)-\d{1,3}(?:-\d{1,3})?-?\d*-?$")
_S10 = re.compile(r"^[A-Z]{2}(\d{8})(\d)[A-Z]{2}$")
_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_WRAPPING = re.compile(r"^['\"`,;:。、]+|['\"`,;:。、]+$")
"""Spreadsheets guard long digits with an apostrophe; lists leave their commas."""
_ODD = re.compile(r"[^0-9A-Z]")


class NumberState(StrEnum):
    """What a check of a number found, worst first where several hold."""

    EMPTY = "empty"
    DIRTY = "dirty"
    LENGTH = "length"
    BAD_CHECK_DIGIT = "bad_check_digit"
    PATTERN_MISMATCH = "pattern_mismatch"
    OLD_FORM = "old_form"
    UNKNOWN_CARRIER = "unknown_carrier"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """`number` is the cleaned number; `why` is None only for ok. `changed`: cleaning altered what was typed."""

    state: NumberState
    number: str
    changed: bool
    why: Why | None

    @property
    def usable(self) -> bool:
        """Whether the number can be asked for at all; a mismatch of pattern only warns."""
        return self.state not in (
            NumberState.EMPTY,
            NumberState.DIRTY,
            NumberState.LENGTH,
            NumberState.BAD_CHECK_DIGIT,
        )


def clean(raw: str) -> str:
    """The number as the carrier knows it: half-width, upper case, without blanks, invisible characters, or the
    piece/total suffix of JD's box barcodes (JDVD00936215561-1-1-). Idempotent. Other odd characters stay, for `check`.
    """
    if raw.isascii() and raw.isalnum():
        return raw.upper()  # as nearly all of them come
    text = _evened(raw)
    while (again := _evened(text)) != text:  # dropping a blank or raising a case can make letters that combine
        text = again
    boxed = _PIECES.match(text)
    return boxed.group(1) if boxed else text


def _evened(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    text = "".join(char for char in text if not char.isspace() and unicodedata.category(char) not in ("Cf", "Cc"))
    return _WRAPPING.sub("", text).upper()


def s10_check_digit(serial: str) -> int:
    """The check digit of an S10 number's eight serial digits: weights 8 6 4 2 3 5 9 7, modulus 11."""
    rest = 11 - sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, serial, strict=True)) % 11
    return {10: 0, 11: 5}.get(rest, rest)


def check(carrier: str, raw: str) -> NumberCheck:
    """Check a number as typed against a carrier (company_code)."""
    number = clean(raw)
    changed = number != raw
    state = _state(get(carrier), number)
    why = None if state is NumberState.OK else Why(f"number_{state.value}", {"carrier": carrier, "number": number})
    return NumberCheck(state, number, changed, why)


def guess(raw: str) -> tuple[str, ...]:
    """Carriers whose forms the number fits, today's forms before old ones, in the order of the table."""
    number = clean(raw)
    if not number or (_S10.match(number) and not has_good_s10(number)):
        return ()
    today = [code for code, row in carriers().items() if _fits(row.patterns, number)]
    old = [code for code, row in carriers().items() if code not in today and _fits(row.old, number)]
    return (*today, *old)


def has_good_s10(number: str) -> bool:
    """Whether a number has the S10 form and its check digit is right."""
    found = _S10.match(number)
    return bool(found) and s10_check_digit(found.group(1)) == int(found.group(2)) if found else False


def _state(carrier: Carrier | None, number: str) -> NumberState:
    if not number:
        return NumberState.EMPTY
    if _ODD.search(number):
        return NumberState.DIRTY
    if not MIN_LENGTH <= len(number) <= MAX_LENGTH:
        return NumberState.LENGTH
    if carrier is None:
        return NumberState.UNKNOWN_CARRIER
    if carrier.s10 and _S10.match(number) and not has_good_s10(number):
        return NumberState.BAD_CHECK_DIGIT
    if _fits(carrier.patterns, number) or not (carrier.patterns or carrier.old):
        return NumberState.OK
    return NumberState.OLD_FORM if _fits(carrier.old, number) else NumberState.PATTERN_MISMATCH


def _fits(patterns: tuple[re.Pattern[str], ...], number: str) -> bool:
    return any(pattern.fullmatch(number) for pattern in patterns)
