"""Forms about findings and about what no scan tells; they stand on a parcel's page and on a case's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from bufa.apps.cases.shapes import FindingView
from bufa.domain.penalties import Penalty
from bufa.domain.rulebook import TOLD_BY_PEOPLE
from bufa.web.forms import Choices
from bufa.web.words import label

SCAN, NONE = "scan", "none"
HOURS = (4, 12, 24, 48, 72, 168)


class PutOffForm(Choices):
    """Until when a finding is put off: hours, the next scan, or for good."""

    until = forms.ChoiceField(label=_("怎么处理"))
    reason = forms.CharField(label=_("原因"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        later = [(str(n), _now("%(n)d 小时后再看") % {"n": n}) for n in HOURS]
        self.choose("until", [(SCAN, _now("有新轨迹再看")), *later, (NONE, _now("忽略：不是异常"))])

    def wake_at(self, now: datetime) -> datetime | None:
        until = self.cleaned_data["until"]
        return now + timedelta(hours=int(until)) if until.isdigit() else None


class TellForm(Choices):
    """Something that is so about a parcel and that no scan tells, and since when."""

    fact = forms.ChoiceField(label=_("什么事"))
    at = forms.DateTimeField(
        label=_("从什么时候起"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("fact", [(each.value, label("fact", each.value)) for each in TOLD_BY_PEOPLE])


class PenaltyForm(Choices):
    """What a penalty notice of the platform says: which, when, how much."""

    kind = forms.ChoiceField(label=_("处罚类型"))
    noticed_at = forms.DateTimeField(
        label=_("通知时间"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
    amount = forms.DecimalField(
        label=_("金额（元）"), required=False, min_value=0, max_digits=9, decimal_places=2, help_text=_("没有写就留空")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = sorted(Penalty, key=lambda each: not each.starts_clock)
        self.choose("kind", [(each.value, label("penalty", each.value)) for each in kinds])

    def amount_fen(self) -> int | None:
        amount = self.cleaned_data["amount"]
        return None if amount is None else int(amount * 100)


def put_off_forms(found: Iterable[FindingView], typed: Mapping[int, PutOffForm] | None = None) -> dict[int, PutOffForm]:
    """One form for each open finding, with ids of its own; `typed`: those that came back with an error."""
    typed = typed or {}
    return {
        one.finding_id: typed.get(one.finding_id) or put_off_form(one.finding_id)
        for one in found
        if one.state == "open"
    }


def put_off_form(finding_id: int, data: Any = None) -> PutOffForm:
    return PutOffForm(data, auto_id=f"id_put_off_{finding_id}_%s")


def tell_form(data: Any = None) -> TellForm:
    return TellForm(data, auto_id="id_told_%s")


def penalty_form(data: Any = None) -> PenaltyForm:
    return PenaltyForm(data, auto_id="id_penalty_%s")
