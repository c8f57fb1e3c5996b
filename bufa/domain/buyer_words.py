"""What a buyer's own reason for an after-sale says about the parcel."""

from __future__ import annotations

import re

_NOTHING_CAME = re.compile(r"(?:未|没|没有|从未|并未)(?:有)?(?:收到|拿到|见到)|签收未收|虚假签收|收不到")
_SOMETHING_CAME = re.compile(r"收到[^,，。]{0,8}(?:破|坏|错|少|空)")


def says_not_received(reason: str) -> bool:
    """未收到货, 显示签收但没有收到: nothing came. Not: 收到的是空包裹."""
    return bool(_NOTHING_CAME.search(reason)) and not _SOMETHING_CAME.search(reason)
