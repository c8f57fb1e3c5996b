"""Single fields of imported rows: read strictly, refused with a reason, never guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from bufa.domain import carriers, waybills
from bufa.domain.waybills import NumberState
from bufa.jobs.import_files import Row
from bufa.jobs.import_report import Effect, ImportReport, RowProblem

SHOP_ZONE = ZoneInfo("Asia/Shanghai")
LARGEST_EXACT = 10**15  # from here a spreadsheet's number has lost digits
LARGEST_FEN = 10**12
_EXPONENT = re.compile(r"^\d(?:\.\d+)?[eE]\+?\d+$")
_DATE = re.compile(
    r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T\s]+(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2})(?:\.\d+)?)?秒?分?)?$"
)
_SPREADSHEET_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a calendar without a zone, until the shop's is put on it


class Fields:
    """The fields of one row. A field that can't be read is put into the report and comes out empty."""

    def __init__(self, row: Row, report: ImportReport) -> None:
        self.row = row
        self.report = report
        self.refused = False

    def problem(self, column: str, code: str, effect: Effect = Effect.FIELD, **params: Any) -> None:
        self.report.problems.append(RowProblem(self.row.number, column, code, effect, params))
        if effect is Effect.ROW:
            self.refused = True

    def text(self, column: str, *, limit: int, required: bool = False) -> str:
        """Trimmed text; longer than `limit` is refused, not cut."""
        value = as_text(self.row.values.get(column))
        if not value and required:
            self.problem(column, "missing", Effect.ROW)
        if len(value) > limit:
            self.problem(column, "too_long", Effect.ROW if required else Effect.FIELD, limit=limit)
            return ""
        return value

    def identifier(self, column: str, *, limit: int = 40, required: bool = False) -> str:
        """A long number as text. One that a spreadsheet has rounded is refused: its last digits are gone."""
        raw: Any = self.row.values.get(column)
        rounded = isinstance(raw, float) and abs(raw) >= LARGEST_EXACT
        if rounded or _EXPONENT.match(as_text(raw)):
            self.problem(column, "number_rounded", Effect.ROW if required else Effect.FIELD)
            return ""
        return self.text(column, limit=limit, required=required).strip("'`\"")

    def time(self, column: str, *, effect: Effect = Effect.FIELD) -> datetime | None:
        raw = self.row.values.get(column)
        if as_text(raw) == "":
            return None
        found = as_time(raw)
        if found is None:
            self.problem(column, "date_unreadable", effect, value=as_text(raw)[:40])
        return found

    def count(self, column: str, most: int) -> int:
        """A whole number from nought; an empty cell is no number (nobody counted)."""
        raw = as_text(self.row.values.get(column))
        try:
            value = Decimal(raw.replace(",", "")) if raw else Decimal(-1)
        except InvalidOperation:
            value = Decimal(-1)
        if not value.is_finite() or value != value.to_integral_value() or not 0 <= value <= most:
            self.problem(column, "count_wrong" if raw else "missing", Effect.ROW, value=raw[:20])
            return 0
        return int(value)

    def quantity(self, column: str) -> int:
        raw = as_text(self.row.values.get(column))
        try:
            value = Decimal(raw.replace(",", "")) if raw else Decimal(1)
        except InvalidOperation:
            value = Decimal(0)
        if not value.is_finite() or value != value.to_integral_value() or not 0 < value < 100_000:
            self.problem(column, "quantity_wrong", Effect.ROW, value=raw[:20])
            return 0
        return int(value)

    def fen(self, column: str) -> int:
        """Yuan as written ("¥1,299.50") in fen; 0 when empty."""
        raw = as_text(self.row.values.get(column))
        if not raw:
            return 0
        try:
            value = Decimal(re.sub(r"[¥￥,\s元]", "", raw)) * 100
        except InvalidOperation:
            value = Decimal(-1)
        if not value.is_finite() or value != value.to_integral_value() or not 0 <= value < LARGEST_FEN:
            self.problem(column, "amount_wrong", value=raw[:20])
            return 0
        return int(value)

    def email(self, column: str) -> str:
        value = self.text(column, limit=254)
        if value:
            try:
                validate_email(value)
            except ValidationError:
                self.problem(column, "email_wrong")
                return ""
        return value

    def waybill(self, number_column: str, carrier_column: str, *, effect: Effect) -> tuple[str, str]:
        """(carrier, number), both checked; ("", "") without a number. A number of the wrong shape is refused with
        `effect`; one that merely looks unlike its carrier's is taken and noted."""
        number = waybills.clean(self.identifier(number_column, limit=80))
        said = self.text(carrier_column, limit=40)
        if not number:
            return "", ""
        carrier = carrier_of(said, number)
        checked = waybills.check(carrier, number)
        if not checked.usable:
            self.problem(number_column, f"number_{checked.state.value}", effect, number=number[:40])
            return "", ""
        if not carrier:
            self.problem(carrier_column, "carrier_missing", effect)
            return "", ""
        if carriers.get(carrier) is None:
            self.problem(carrier_column, "carrier_unknown", Effect.NOTE, value=said)
        elif checked.state is NumberState.PATTERN_MISMATCH:
            self.problem(number_column, "number_pattern_mismatch", Effect.NOTE, number=number)
        return carrier, number


def carrier_of(said: str, number: str) -> str:
    """company_code of what a file calls a carrier. Where it says nothing (or "unknown"), the number tells if only one
    carrier writes such numbers; a name that nobody knows is kept in small letters."""
    if said and said.lower() not in ("unknown", "未知", "其他"):
        return carriers.by_name(said) or re.sub(r"[^0-9a-z一-鿿]+", "_", said.lower()).strip("_")[:40]
    fitting = waybills.guess(number)
    return fitting[0] if len(fitting) == 1 else ""


def as_text(raw: Any) -> str:
    """A cell as text: whole numbers without ".0", no blanks around, nothing that the database can't hold."""
    if raw is None:
        return ""
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    return str(raw).replace("\x00", "").encode("utf-8", "ignore").decode().strip()


def as_time(raw: Any) -> datetime | None:
    """Aware UTC; without a zone it is the shop's time. None when it is no time."""
    try:
        if isinstance(raw, datetime):
            return (raw if raw.tzinfo else raw.replace(tzinfo=SHOP_ZONE)).astimezone(UTC)
        if isinstance(raw, float | int) and not isinstance(raw, bool) and 20_000 < raw < 80_000:
            return (_SPREADSHEET_EPOCH + timedelta(days=raw)).replace(tzinfo=SHOP_ZONE).astimezone(UTC)
        text = as_text(raw)
        if found := _DATE.match(text):
            parts = [int(part or 0) for part in found.groups()]
            return datetime(*parts, tzinfo=SHOP_ZONE).astimezone(UTC)  # type: ignore[misc, arg-type]
        if len(text) > 10 and "T" in text:
            value = datetime.fromisoformat(text)
            return (value if value.tzinfo else value.replace(tzinfo=SHOP_ZONE)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    return None
