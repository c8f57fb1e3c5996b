"""Reading notices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bufa.apps.notices.making import kept_text, note_place
from bufa.apps.notices.models import Notice
from bufa.apps.notices.receipts import KIND_OF_CHANNEL
from bufa.apps.notices.texts import Proposal, proposals
from bufa.domain.notices import Channel
from bufa.domain.outcome import Why
from bufa.lib.crypto import unseal
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading

__all__ = ["NoticeView", "Proposal", "calls", "of_case", "proposals"]


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One notice; its text unsealed for staff. `script`: the steps of a call. `chosen`: why this channel and moment;
    `cost_li` is reserved or spent."""

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
    send_at: datetime | None = None
    chosen: dict[str, Any] = field(default_factory=dict)
    follows_id: int | None = None
    segments: int = 0
    cost_li: int = 0
    receipt: str = ""
    receipt_code: str = ""
    receipt_at: datetime | None = None
    receipt_due_at: datetime | None = None

    @property
    def skipped(self) -> tuple[tuple[str, Why], ...]:
        """Channels that the shop's order would have taken before this one, and why not."""
        return tuple((one["channel"], Why(one["code"], one["params"])) for one in self.chosen.get("skipped", ()))

    @property
    def held(self) -> Why | None:
        """Why it waits, or waited."""
        told = self.chosen.get("held")
        return Why(told["code"], told["params"]) if told else None

    @property
    def let_go(self) -> Why | None:
        """Why it never left."""
        return Why(str(self.chosen["let_go"])) if self.chosen.get("let_go") else None


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


def held_until(shop_id: int, notice_id: int) -> datetime | None:
    """Until when a notice waits; None when it does not."""
    with reading([shop_id]):
        return (
            Notice.objects.filter(shop_id=shop_id, id=notice_id, state="held").values_list("send_at", flat=True).first()
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice whose receipt is waited for. `kind`: the connection that carried it."""

    notice_id: int
    kind: str
    tag: str
    provider_id: str
    effect_id: int
    sent_at: datetime


def waiting_for_receipt(shop_id: int, notice_ids: Sequence[int]) -> tuple[Waiting, ...]:
    """Those of the notices named that still wait for one."""
    with reading([shop_id]):
        rows = Notice.objects.filter(shop_id=shop_id, id__in=notice_ids, receipt="waiting", state="sent")
        return tuple(
            Waiting(
                row.pk,
                KIND_OF_CHANNEL[Channel(row.channel)],
                row.tag,
                row.provider_id,
                row.effect_id or 0,
                row.sent_at or row.created_at,
            )
            for row in rows.order_by("id")
        )


def _view(row: Notice) -> NoticeView:
    kept = kept_text(row)
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
        send_at=row.send_at,
        chosen=row.chosen,
        follows_id=row.follows_id,
        segments=row.segments,
        cost_li=row.cost_li,
        receipt=row.receipt,
        receipt_code=row.receipt_code,
        receipt_at=row.receipt_at,
        receipt_due_at=row.receipt_due_at,
    )
