"""Cases picked in a list: each is sent as `shop:code`, since two shops may give out the same code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bufa.apps.cases import queries as cases
from bufa.apps.cases.shapes import CaseRow


def read(text: str) -> tuple[int | None, str]:
    """`3:C-20261120-0007` → (3, the code); a code alone has no shop."""
    shop, _, code = text.rpartition(":")
    return (int(shop) if shop.isdigit() else None), code[:24]


def picked(shops: Sequence[int], texts: Iterable[str], most: int) -> list[CaseRow]:
    """The cases meant, of these shops; one query."""
    wanted = {read(text) for text in texts if text}
    rows = cases.cases_by_code(shops, sorted({code for _, code in wanted})[: most + 1])
    return [row for row in rows if (row.shop_id, row.code) in wanted or (None, row.code) in wanted]
