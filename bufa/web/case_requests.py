"""What the case page shows of parcels to be stopped, delivered again or taken elsewhere: price and result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from bufa.apps.cases.facts import ENDED
from bufa.apps.cases.shapes import CaseView
from bufa.apps.negotiations import intercept


class RequestForm(forms.Form):
    """What the carrier has to know."""

    words = forms.CharField(
        label=gettext_lazy("要告诉承运商的"),
        required=False,
        max_length=600,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("改派地址要写新的地址和电话；只加密保存"),
    )


def beside(shop_id: int, case_id: int) -> list[Callable[[], object]]:
    """What the page reads of them, together with the rest."""
    return [partial(intercept.of_case, shop_id, case_id)]


def context(found: CaseView, now: datetime) -> dict[str, Any]:
    """What the page shows of them: what was asked, and what could be, with its price and its last moment."""
    row = found.row
    made = intercept.of_case(row.shop_id, row.case_id)
    could = intercept.choices(
        row.shop_id,
        (found.original, *found.reissue_parcels),
        asked={(one.parcel_id, one.kind) for one in made if one.is_open},
        recall_fen=found.penalty_fen,
        has_ticket=any(each.status not in ENDED for each in found.order.after_sales),
        now=now,
    )
    return {
        "requests": made,
        "request_choices": [one for one in could if one.why is None] if row.is_open else [],
        "request_form": RequestForm(auto_id="id_request_%s"),
    }
