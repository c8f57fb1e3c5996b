"""What the case's page shows of the customer's side: the address of their page, the dates that they were told, and two
parcels on their way to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bufa.apps.cases import doubles
from bufa.apps.cases.shapes import CaseRow, CaseView
from bufa.apps.notices import links, promises
from bufa.domain.permissions import Permission
from bufa.jobs import doubles as guard
from bufa.lib import clock
from bufa.web.desk import Desk


def beside(row: CaseRow) -> list[Callable[[], object]]:
    """The same for reading it together with the rest of the page."""
    return [
        lambda: links.of_case(row.shop_id, row.case_id, clock.now()),
        lambda: promises.of_case(row.shop_id, row.case_id),
        lambda: doubles.of_case(row.shop_id, row.case_id),
    ]


def context(here: Desk, found: CaseView, now: datetime) -> dict[str, Any]:
    row = found.row
    link = links.of_case(row.shop_id, row.case_id, now)
    chosen = doubles.of_case(row.shop_id, row.case_id)
    return {
        "customer_page": link,
        "customer_address": links.public_address() + link.path if link else "",
        "promises": promises.of_case(row.shop_id, row.case_id),
        "returned": found.original.stage == "returned",
        "goods_back": chosen.get("goods"),
    } | _double(here, found, chosen.get("choice"), now)


def _double(here: Desk, found: CaseView, chosen: doubles.Chosen | None, now: datetime) -> dict[str, Any]:
    """Shown while the finding stands, and while a choice does."""
    of_first = [one for one in found.findings if one.parcel_id == found.original.parcel_id]
    standing = any(one.rule == doubles.RULE and one.state in ("open", "snoozed") for one in of_first)
    shown = guard.compare(found, now) if standing or chosen is not None else None
    return {
        "double": shown,
        "double_standing": standing,
        "chosen_way": chosen,
        "double_penalty": max((one.penalty_fen for one in shown.options), default=0) if shown else 0,
        "double_why_not": here.refusal(Permission.APPROVE_MEASURE, found.row.shop_id),
    }
