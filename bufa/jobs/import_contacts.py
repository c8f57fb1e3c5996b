"""A file of carriers' contacts: each row is one whom to ask, at a branch, a head office or the platform."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bufa.apps.cases.actors import Actor
from bufa.apps.negotiations import contacts, ladder
from bufa.apps.negotiations.contacts import NewContact
from bufa.domain import carriers
from bufa.domain.chasing import DAY_MINUTES, Hours, Level
from bufa.domain.outcome import Refused
from bufa.jobs.import_fields import Fields
from bufa.jobs.import_files import read_rows
from bufa.jobs.import_report import Effect, ImportReport

CONTACT_COLUMNS: Mapping[str, Sequence[str]] = {
    "carrier": ("承运商", "快递公司", "物流公司", "carrier"),
    "level": ("级别", "层级", "level"),
    "branch": ("网点", "网点名称", "branch"),
    "origin": ("始发省", "发件省", "origin"),
    "destination": ("目的省", "收件省", "destination"),
    "name": ("称呼", "联系人", "姓名", "name"),
    "email": ("邮箱", "电子邮箱", "email"),
    "hours": ("上班时间", "工作时间", "hours"),
    "days": ("上班日", "工作日", "days"),
    "answer_hours": ("答复小时", "一般答复小时", "answer_hours"),
}
LEVELS: Mapping[str, Level] = {
    "网点": Level.BRANCH,
    "branch": Level.BRANCH,
    "总部": Level.HEAD_OFFICE,
    "总公司": Level.HEAD_OFFICE,
    "head_office": Level.HEAD_OFFICE,
    "平台": Level.PLATFORM,
    "platform": Level.PLATFORM,
}
_SPAN = re.compile(r"^(\d{1,2})[:：](\d{2})\s*[-–—~至到]\s*(\d{1,2})[:：](\d{2})$")
_DAYS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "日": 7, "天": 7}
PROGRESS_EVERY = 100


def take(
    path: Path, shop_id: int, report: ImportReport, progress: Callable[[int, int | None], None], now: datetime, by: str
) -> None:
    """Keep each row's contact; a row that can't be is named and leaves the others alone."""
    actor = Actor(None, by, None)
    for done, row in enumerate(read_rows(path, CONTACT_COLUMNS, ("carrier",), report), start=1):
        fields = Fields(row, report)
        new = _read(fields)
        if new is not None and not fields.refused:
            try:
                contacts.save_contact(shop_id=shop_id, new=new, by=actor)
                report.taken += 1
            except Refused as refused:
                fields.problem(
                    _COLUMN.get(refused.why.code, "carrier"), refused.why.code, Effect.ROW, **refused.why.params
                )
        if done % PROGRESS_EVERY == 0:
            progress(done, None)
    ladder.again(shop_id=shop_id, now=now)


_COLUMN = {
    "email_shape": "email",
    "province_unknown": "origin",
    "contact_unreachable": "email",
    "contact_answer_hours": "answer_hours",
}


def _read(fields: Fields) -> NewContact | None:
    written = fields.text("carrier", limit=40, required=True)
    carrier = carriers.by_name(written) if written else None
    if written and carrier is None:
        fields.problem("carrier", "carrier_unknown", Effect.ROW, value=written)
    branch = fields.text("branch", limit=80)
    told = fields.text("level", limit=20)
    level = LEVELS.get(told.lower()) if told else (Level.BRANCH if branch else Level.HEAD_OFFICE)
    if level is None:
        fields.problem("level", "level_unknown", Effect.ROW, value=told)
    hours = _hours(fields)
    answer = fields.text("answer_hours", limit=6)
    if answer and not answer.isdigit():
        fields.problem("answer_hours", "answer_hours_shape", Effect.ROW, value=answer)
    if fields.refused or carrier is None or level is None or hours is None:
        return None
    return NewContact(
        carrier, level, branch, fields.text("origin", limit=20), fields.text("destination", limit=20),
        fields.text("name", limit=60), fields.text("email", limit=254), None, hours, int(answer) if answer else None,
    )  # fmt: skip


def _hours(fields: Fields) -> Hours | None:
    """`9:00-18:00` and `一二三四五` or `1-5`; empty cells: around the clock, every day."""
    span, said = fields.text("hours", limit=30), fields.text("days", limit=30)
    opens, closes = 0, DAY_MINUTES
    if span:
        found = _SPAN.match(span)
        if found is None:
            fields.problem("hours", "hours_shape", Effect.ROW, value=span)
            return None
        opens, closes = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    days = _days(said)
    try:
        return Hours(opens, closes, days)
    except Refused:
        column, value = ("hours", span) if days else ("days", said)
        fields.problem(column, "hours_shape", Effect.ROW, value=value)
        return None


def _days(said: str) -> frozenset[int]:
    if not said:
        return frozenset(range(1, 8))
    text = re.sub(r"周|星期|礼拜|[、，, ]", "", said)
    numbers = [_DAYS.get(char, int(char) if char.isdigit() else 0) for char in re.sub(r"[-–—~至到]", "", text)]
    if re.search(r"[-–—~至到]", text) and len(numbers) == 2:
        return frozenset(range(numbers[0], numbers[1] + 1))
    return frozenset(numbers)
