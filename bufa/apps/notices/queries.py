"""Reading notices."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bufa.apps.notices.actions import note_place, text_place
from bufa.apps.notices.models import Notice
from bufa.apps.notices.texts import Proposal, proposals
from bufa.lib.crypto import unseal
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading

__all__ = ["NoticeView", "Proposal", "calls", "of_case", "proposals"]


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One notice; its text unsealed for staff. `script`: the steps of a call."""

    shop_id: int
    case_id: int
    case_code: str
    notice_id: int
    round: int
    purpose: str
    channel: str
    language: str
    state: str
    params: dict[str, Any]
    subject: str = field(repr=False)
    text: str = field(repr=False)
    script: tuple[str, ...] = field(repr=False)
    outcome: str
    note: str = field(repr=False)
    promised_to: datetime | None
    sent_at: datetime | None
    effect_id: int | None
    by: str
    created_at: datetime


@remembered
def of_case(shop_id: int, case_id: int) -> tuple[NoticeView, ...]:
    """A case's notices, oldest first."""
    with reading([shop_id]):
        rows = Notice.objects.filter(shop_id=shop_id, case_id=case_id).select_related("case").order_by("id")
        return tuple(_view(row) for row in rows)


def calls(shops: Sequence[int], limit: int = 50) -> tuple[NoticeView, ...]:
    """Phone tasks that wait, oldest first."""
    with reading(shops):
        rows = Notice.objects.filter(shop_id__in=shops, state="todo").select_related("case").order_by("id")
        return tuple(_view(row) for row in rows[:limit])


def _view(row: Notice) -> NoticeView:
    kept = json.loads(unseal(row.shop_id, row.text, where=text_place(row)))
    note = unseal(row.shop_id, row.note, where=note_place(row)).decode() if bytes(row.note) else ""
    return NoticeView(
        shop_id=row.shop_id,
        case_id=row.case_id,
        case_code=row.case.code,
        notice_id=row.pk,
        round=row.round,
        purpose=row.purpose,
        channel=row.channel,
        language=row.language,
        state=row.state,
        params=row.params,
        subject=kept["subject"],
        text=kept["text"],
        script=tuple(kept["script"]),
        outcome=row.outcome,
        note=note,
        promised_to=row.promised_to,
        sent_at=row.sent_at,
        effect_id=row.effect_id,
        by=row.by,
        created_at=row.created_at,
    )
