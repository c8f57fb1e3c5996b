"""How many reissue forms the number gate checks in a second: one core, no database, as the form does at each key."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from bufa.bench import Figure
from bufa.domain.reissues import Form, FormAddress, FormItem, RecipientMatch, gate
from bufa.lib.divisions import divisions

FORMS = 20_000
GOAL_PER_S = 5_000
_NOW = datetime(2026, 11, 3, 4, 0, tzinfo=UTC)


def measure() -> Figure:
    """Forms a second, over distinct numbers so that nothing is remembered."""
    forms = [_form(number) for number in range(FORMS)]
    table = divisions()
    begun = time.perf_counter()
    refused = sum(bool(gate(form, _NOW, table).checks) for form in forms)
    taken = time.perf_counter() - begun
    return Figure(FORMS / taken, "forms/s", GOAL_PER_S, beside={"forms": FORMS, "answered": refused})


def _form(number: int) -> Form:
    whole = FormAddress("广东省", "深圳市", "南山区", has_detail=True, has_name=True, has_phone=True, address_id="a1")
    return Form(
        order_number=f"69{number:014d}",
        carrier="zhongtong",
        number=f"78{number:012d}",
        pickup=whole,
        delivery=whole,
        recipient=RecipientMatch(order_open_address_id="a1", form_open_address_id="a1"),
        items=(FormItem("L1", 1, 1),),
        used_before=False,
    )
