"""How long a sheet of a thousand reissues takes to be checked: cases, orders, parcels, tickets, used numbers and pickup
address from the database, then the gate itself. Beside it, the gate alone, without a database, in the same run: so many
times its seconds does a whole sheet take, on whatever machine and beside whatever else runs there."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from bufa.apps.cases import actions as cases
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.taking_in import take_in
from bufa.apps.parcels.views import parcel_list
from bufa.apps.reissues.bulk_check import SheetRow, check_rows
from bufa.apps.shops.actions import create_shop, set_pickup_address
from bufa.bench import Figure, server_cpu_s
from bufa.domain.bulk import RowState
from bufa.domain.cases import Action
from bufa.domain.kinds import Role
from bufa.domain.reissues import Form, FormAddress, FormItem, RecipientMatch, gate
from bufa.integrations.ports import LineFact, OrderFact, PackageFact, PickupAddressFact, RecipientFact
from bufa.lib import clock
from bufa.lib.divisions import divisions

FORMS = 20_000
ROWS = 1_000
GOAL_S = 2.0
GATE_PER_S = 5_000
TIMES = 5
_SHIPPED_AT = datetime(2026, 11, 3, 4, 0, tzinfo=UTC)
_NOW = _SHIPPED_AT + timedelta(days=1)
_AGENT = Actor(1, "bench", Role.OWNER)
_DECIDED: tuple[tuple[Action, dict[str, Any]], ...] = (
    (Action.CONFIRM_VERDICT, {"claim": "lost"}),
    (Action.CHOOSE_MEASURE, {"measure": "reissue"}),
)


def measure(scale: float = 1.0) -> Figure:
    """Seconds for a sheet of 1,000 rows, every one with a case of its own; the slowest of five times, the first (which
    loads what a process loads once) among them."""
    wanted, forms = max(10, round(ROWS * scale)), max(200, round(FORMS * scale))
    shop_id = create_shop("量一量", owner_login="bench", owner_password="not-a-secret-here", is_demo=True)  # noqa: S106
    with clock.frozen(_NOW):
        rows = _sheet(shop_id, wanted)
        taken, worked = [], []
        for _ in range(TIMES):
            begun, used = time.perf_counter(), _processor_s()
            found = check_rows(shop_id, rows, Role.OWNER, _NOW)
            taken.append(time.perf_counter() - begun)
            worked.append(_processor_s() - used)
    passed = sum(row.state is not RowState.REFUSED for row in found)
    alone = _gate_alone(forms)
    beside = {
        "rows": wanted,
        "rows_that_may_go": passed,
        "each_s": [round(each, 3) for each in taken],
        "fastest_s": round(min(taken), 3),
        "processor_s": round(min(worked), 3),
        "gate_alone_forms_per_s": round(alone),
        "times_the_gate_alone": round(min(taken) * alone / wanted, 1),
    }
    holds = passed == wanted and alone >= GATE_PER_S
    return Figure(max(taken), "s", GOAL_S, less_is_better=True, beside=beside, holds=holds)


def _processor_s() -> float:
    """Seconds of processor that we and the database have used."""
    return time.process_time() + server_cpu_s()


def _sheet(shop_id: int, wanted: int) -> list[SheetRow]:
    """A shop with as many cases that wait for their reissue's number, and the sheet that brings the numbers."""
    set_pickup_address(
        shop_id=shop_id,
        by="bench",
        fact=PickupAddressFact("1", "陈", "13800000000", "浙江省", "杭州市", "余杭区", "仓前街道", "未来路 1 号", True),
    )
    for first in range(0, wanted, 250):
        orders = [_order(n) for n in range(first, min(wanted, first + 250))]
        take_in(shop_id=shop_id, orders=orders, now=_NOW)
    rows = []
    for n, (parcel_id, order) in enumerate(_parcels(shop_id)):
        case_id = cases.open_case(shop_id=shop_id, parcel_id=parcel_id, now=_NOW, by=_AGENT)
        for action, said in _DECIDED:
            cases.act(shop_id=shop_id, case_id=case_id, action=action, by=_AGENT, now=_NOW, **said)
        rows.append(SheetRow(n + 2, order, "yuantong", f"YT88{n:011d}"))
    return rows


def _parcels(shop_id: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    cursor = ""
    while True:
        page = parcel_list([shop_id], None, cursor, 500)
        found += [(row.parcel_id, row.order_number) for row in page.rows]
        if not (cursor := page.next_cursor):
            return found


def _order(n: int) -> OrderFact:
    whole = RecipientFact(
        name_mask="张*", phone_mask="138****0000", address_mask="科技路*", province="广东省", city="深圳市",
        district="南山区", open_address_id=f"a{n}",
    )  # fmt: skip
    package = PackageFact(f"p{n}", "zhongtong", f"78{n:012d}", _SHIPPED_AT, ((f"L{n}", 1),))
    return OrderFact(
        number=f"69{n:014d}",
        status=3,
        main_status=3,
        created_at=_SHIPPED_AT - timedelta(hours=20),
        paid_at=_SHIPPED_AT - timedelta(hours=19),
        ship_by=_SHIPPED_AT + timedelta(hours=29),
        promise_hours=48,
        paid_fen=9900,
        updated_at=_SHIPPED_AT,
        finished_at=None,
        lines=(LineFact(f"L{n}", "P1", "S1", "杯子", "红色", 1, 9900),),
        packages=(package,),
        recipient=whole,
    )


def _gate_alone(count: int) -> float:
    """Forms a second, over distinct numbers so that nothing is remembered."""
    forms = [_form(number) for number in range(count)]
    table = divisions()
    begun = time.perf_counter()
    for form in forms:
        gate(form, _NOW, table)
    return count / (time.perf_counter() - begun)


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
