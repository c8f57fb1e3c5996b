"""A file of taught texts: each row is a template, or a text of one, and what it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bufa.apps.parcels import actions as parcels
from bufa.domain.outcome import Refused
from bufa.domain.teaching import Template
from bufa.jobs.import_fields import Fields
from bufa.jobs.import_files import read_rows
from bufa.jobs.import_report import Effect, ImportReport

TEMPLATE_COLUMNS: Mapping[str, Sequence[str]] = {
    "template": ("文案", "模板", "text"),
    "kind": ("含义",),
    "reason": ("原因",),
}
_LONGEST = 1000
_COLUMN_OF = {"template_kind_unknown": "kind", "template_reason_unknown": "reason", "template_reason_unfit": "reason"}


def take(
    path: Path, shop_id: int, report: ImportReport, progress: Callable[[int, int | None], None], now: datetime, by: str
) -> None:
    """Teach each row; a row that can't be is named and leaves the others alone. Repeating a file changes nothing."""
    seen: dict[str, int] = {}
    for row in read_rows(path, TEMPLATE_COLUMNS, ("template", "kind"), report):
        fields = Fields(row, report)
        text = fields.text("template", limit=_LONGEST, required=True)
        kind = fields.text("kind", limit=24, required=True)
        reason = fields.text("reason", limit=24)
        if fields.refused:
            continue
        first = seen.setdefault(Template.of(text).key, row.number)
        if first != row.number:
            fields.problem("template", "template_twice", Effect.ROW, row=first)
            continue
        try:
            parcels.teach_text(shop_id=shop_id, text=text, kind=kind, reason=reason, by=by, now=now)
        except Refused as refused:
            column = _COLUMN_OF.get(refused.why.code, "template")
            fields.problem(column, refused.why.code, Effect.ROW, **refused.why.params)
            continue
        report.taken += 1
        progress(report.taken, None)
