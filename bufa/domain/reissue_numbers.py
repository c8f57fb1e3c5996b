"""Our own reissue numbers: short, said over a phone without mistakes, never given twice.

`R7K4-29HX-R` is R, the shop, its running number, and a check character over both. The alphabet has 23 characters, a
prime, so that one weighted sum finds every wrong and every swapped character; it leaves out what looks or sounds like
something that is in it (0 D O Q, 1 I L, B for 8, G for 6, S for 5, V for U, Z for 2, N for M).
"""

from __future__ import annotations

import unicodedata

ALPHABET = "23456789ACEFHJKMPRTUWXY"
LOOKS_LIKE = {"B": "8", "G": "6", "S": "5", "V": "U", "Z": "2", "N": "M"}
"""What people write or hear instead; each stands for exactly one character of the alphabet."""

SHOP, SEQ = 3, 4
_BASE = len(ALPHABET)
_LONG = ALPHABET[-1]
_LONG_SHOP = 6
_SHORT_SHOPS = (_BASE - 1) * _BASE ** (SHOP - 1)
MOST_SHOPS = _SHORT_SHOPS + _BASE ** (_LONG_SHOP - 1)
_LONGEST = 20  # weights stay below the base, and no two of them are the same modulo it


def reissue_number(shop_no: int, seq: int) -> str:
    """The number of a shop's reissue; both count from 0. Unique per pair, also when written without dashes.

    A running number of 279,841 and more takes a fifth character, and so on; shops from 11,638 on take six (their group
    begins with Y, which no short one does). Raises ValueError outside of the range.
    """
    if not 0 <= shop_no < MOST_SHOPS or seq < 0:
        raise ValueError("shop and running numbers count from 0")
    shop = _digits(shop_no, SHOP) if shop_no < _SHORT_SHOPS else _LONG + _digits(shop_no - _SHORT_SHOPS, _LONG_SHOP - 1)
    body = shop + _digits(seq, SEQ)
    return f"R{shop}-{body[len(shop) :]}-{_check_character(body)}"


def find_reissue_number(text: str) -> str | None:
    """The number that was typed, scanned or heard, as we write it; None when it is none of ours or holds a mistake.

    Case, blanks, dashes and full-width characters do not matter; look-alikes are read as what they stand for.
    """
    signs = _plain(text)
    if not signs.startswith("R"):
        return None
    body, check = signs[1:-1], signs[-1:]
    width = _LONG_SHOP if body.startswith(_LONG) else SHOP
    if not width + SEQ <= len(body) <= _LONGEST or set(body + check) - set(ALPHABET):
        return None
    seq = body[width:]
    if len(seq) > SEQ and seq.startswith(ALPHABET[0]):  # no number is written with needless noughts
        return None
    return f"R{body[:width]}-{seq}-{check}" if _check_character(body) == check else None


def valid_reissue_number(text: str) -> bool:
    """Whether this is one of our numbers, however it is written."""
    return find_reissue_number(text) is not None


def beginning(text: str) -> str:
    """What was typed so far of a number, as we write it, for a search by prefix; "" when it can't be one."""
    signs = _plain(text)
    if not signs.startswith("R") or set(signs[1:]) - set(ALPHABET):
        return ""
    width = 1 + (_LONG_SHOP if signs[1:2] == _LONG else SHOP)
    return signs if len(signs) <= width else f"{signs[:width]}-{signs[width : width + SEQ]}"


def beginnings(text: str) -> tuple[str, ...]:
    """As `beginning`, and as it was typed: numbers given before this alphabet hold the look-alikes themselves."""
    typed = "".join(sign for sign in unicodedata.normalize("NFKC", text).upper() if sign.isascii() and sign.isalnum())
    old = typed if len(typed) <= 1 + SHOP else f"{typed[: 1 + SHOP]}-{typed[1 + SHOP : 1 + SHOP + SEQ]}"
    if len(typed) > 1 + SHOP + SEQ:
        old += f"-{typed[1 + SHOP + SEQ :]}"
    ways = (beginning(text), old if old.startswith("R") else "")
    return tuple(dict.fromkeys(way for way in ways if way))


def spoken_groups(number: str) -> tuple[tuple[str, ...], ...]:
    """The characters to say, in groups with a pause between them; the dashes are the pauses."""
    return tuple(tuple(group) for group in number.split("-") if group)


def _plain(text: str) -> str:
    """Upper case, half width, letters and digits only, look-alikes read (the R in front is never one)."""
    signs = "".join(sign for sign in unicodedata.normalize("NFKC", text).upper() if sign.isascii() and sign.isalnum())
    return "".join(LOOKS_LIKE.get(sign, sign) for sign in signs)


def _digits(number: int, width: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, _BASE)
        digits = ALPHABET[rest] + digits
    return digits.rjust(width, ALPHABET[0])


def _check_character(body: str) -> str:
    return ALPHABET[sum(weight * ALPHABET.index(sign) for weight, sign in enumerate(body, 1)) % _BASE]
