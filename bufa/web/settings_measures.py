"""Settings of the first step: whose consent a reissue needs, what a measure may cost, what is proposed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from bufa.apps.audit import queries as audit
from bufa.apps.cases.files import KEEP_DAYS
from bufa.apps.shops import actions, queries
from bufa.domain.caps import PER_CASE, PER_DAY, SECOND_FROM, Caps
from bufa.domain.case_facts import Claim
from bufa.domain.kinds import Measure
from bufa.domain.measures import MeasurePolicy
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.web.desk import back_to, by, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import label, word, yuan


def _yuan(label: Any, help_text: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=0, max_value=1_000_000, decimal_places=2, help_text=help_text
    )


LIMITS = (PER_CASE, PER_DAY, SECOND_FROM)


class MeasuresForm(Choices):
    approve_over = _yuan(_("超过多少元要第二个人批准"), _("补发、退款、赔付、拦截都算；留空不用批准"))
    refund_under = _yuan(_("多少元以内直接退款，不补发"), _("0 或留空：不按金额退款"))
    compensation_percent = forms.IntegerField(label=_("赔付默认按实付的百分之几"), min_value=0, max_value=100)
    sure = forms.IntegerField(
        label=_("“丢失”的把握到百分之几才动手"), min_value=1, max_value=99, help_text=_("不到就先催件问清楚")
    )
    refund_hours = forms.IntegerField(label=_("退款多少小时到账"), min_value=1, max_value=720)
    file_days = forms.IntegerField(
        label=_("照片和文件在结案后保留几天"),
        min_value=1,
        max_value=3650,
        help_text=_("到期后内容删除，只留下“有过”的记录"),
    )
    reissues_per_case = forms.IntegerField(
        label=_("一个案件最多补发几次"),
        min_value=1,
        max_value=20,
        required=False,
        help_text=_("撤回的、被拒的不算；留空用 3"),
    )
    reissues_per_day = forms.IntegerField(
        label=_("全店一天最多提交几件补发"),
        min_value=1,
        max_value=100_000,
        required=False,
        help_text=_("账号被盗、表格弄错时的保险；留空用 2000"),
    )
    bulk_second_from = forms.IntegerField(
        label=_("批量超过几行要另一个人启动"),
        min_value=0,
        max_value=2000,
        required=False,
        help_text=_("0：不用；只有一个人能提交的店不用；留空用 50"),
    )
    follow_wish = forms.BooleanField(label=_("客户说了想要什么，就先建议什么"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for claim in Claim:
            name = f"first_{claim.value}"
            self.fields[name] = forms.ChoiceField(label=word("claim", claim.value), required=False)
            self.choose(name, [(each.value, label("measure", each.value)) for each in Measure], blank=_now("按默认"))

    @property
    def money_fields(self) -> list[Any]:
        names = ("approve_over", "refund_under", "compensation_percent", "refund_hours", "sure", "file_days", *LIMITS)
        return [self[name] for name in names]

    @property
    def first_fields(self) -> list[Any]:
        return [self[name] for name in self.fields if name.startswith("first_")]


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    form = MeasuresForm(request.POST if request.method == "POST" else None, initial=_initial(shop_id))
    if request.method == "POST" and form.is_valid():
        try:
            here.check(Permission.EDIT_SETTINGS, shop_id)
            actions.change_policy(shop_id=shop_id, changes=_changes(form), by=by(request))
            tell(request, _now("措施设置已保存"))
            return back_to(reverse("settings_measures"))
        except Refused as refused:
            tell_refusal(request, refused)
    said = {"form": form, "changes": _changed_lately(shop_id)}
    return render(request, "web/settings/measures.html", said, status=422 if form.errors else 200)


@dataclass(frozen=True, slots=True)
class Changed:
    """Who changed the measures' settings when, and what: (name, before, after) in words."""

    at: datetime
    by: str
    what: tuple[tuple[str, str, str], ...]


def _changed_lately(shop_id: int) -> list[Changed]:
    acts = [
        act
        for act in audit.newest([shop_id], subject=f"shop:{shop_id}", limit=40)
        if act.action == "policy.change" and act.data.get("changed")
    ]
    return [Changed(act.at, act.by, tuple(_lines(act.data["changed"]))) for act in acts[:8]]


def _lines(changed: Mapping[str, tuple[Any, Any]]) -> Iterator[tuple[str, str, str]]:
    for name, (before, after) in changed.items():
        if name == "first":
            was, now = before or {}, after or {}
            for claim in Claim:
                if was.get(claim.value) != now.get(claim.value):
                    named = _now("%(claim)s先建议什么") % {"claim": word("claim", claim.value)}
                    yield named, _measure(was.get(claim.value)), _measure(now.get(claim.value))
            continue
        field = MeasuresForm.base_fields.get(name.removesuffix("_fen"))
        yield str(field.label) if field else name, _shown(name, before), _shown(name, after)


def _measure(code: str | None) -> str:
    return word("measure", code) if code else ""


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _now("是") if value else _now("否")
    return yuan(value) if name.endswith("_fen") else str(value)


def _initial(shop_id: int) -> dict[str, Any]:
    stored = queries.policy_json(shop_id)
    policy, caps = MeasurePolicy.read(stored), Caps.read(stored)
    limit = policy.approve_over_fen
    return {
        "approve_over": None if limit is None else Decimal(limit) / 100,
        "refund_under": Decimal(policy.refund_under_fen) / 100 if policy.refund_under_fen else None,
        "compensation_percent": policy.compensation_percent,
        "refund_hours": policy.refund_hours,
        "sure": policy.sure,
        "follow_wish": policy.follow_wish,
        "file_days": stored.get("file_days", KEEP_DAYS),
        PER_CASE: caps.per_case,
        PER_DAY: caps.per_day,
        SECOND_FROM: caps.second_from,
    } | {f"first_{claim.value}": measure.value for claim, measure in policy.first.items()}


def _changes(form: MeasuresForm) -> dict[str, Any]:
    said = form.cleaned_data
    limit, small = said["approve_over"], said["refund_under"]
    first = {claim.value: said[f"first_{claim.value}"] for claim in Claim if said.get(f"first_{claim.value}")}
    return {
        "approve_over_fen": None if limit is None else int(limit * 100),
        "refund_under_fen": int((small or 0) * 100),
        "compensation_percent": said["compensation_percent"],
        "refund_hours": said["refund_hours"],
        "sure": said["sure"],
        "follow_wish": said["follow_wish"],
        "file_days": said["file_days"],
        "first": first,
        **{name: said[name] for name in LIMITS},
    }
