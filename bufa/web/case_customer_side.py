"""What the case's page shows of the customer's side: the address of their page, the dates that they were told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bufa.apps.cases.shapes import CaseRow, CaseView
from bufa.apps.notices import links
from bufa.lib import clock


def beside(row: CaseRow) -> list[Callable[[], object]]:
    """The same for reading it together with the rest of the page."""
    return [lambda: links.of_case(row.shop_id, row.case_id, clock.now())]


def context(found: CaseView, now: datetime) -> dict[str, Any]:
    row = found.row
    link = links.of_case(row.shop_id, row.case_id, now)
    return {"customer_page": link, "customer_address": links.public_address() + link.path if link else ""}
