"""The rule library of carriers: read beside each case, edited by a lead, always able to go back to what was there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from bufa.apps.negotiations import rules
from bufa.domain.carrier_rules import CLAIMABLE, Basis, CarrierRule, From, Paper, Topic, defaults, shown
from bufa.domain.case_facts import Claim
from bufa.domain.outcome import Refused
from bufa.lib import clock
from bufa.web.desk import actor, back_to, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import carrier_choices, label, word

_NEEDS: dict[Topic, tuple[str, ...]] = {
    Topic.WINDOW: ("hours", "begins"),
    Topic.AMOUNT: ("basis", "low", "high", "percent", "cap"),
    Topic.PAPERS: ("papers",),
    Topic.ANSWER: ("hours", "then"),
    Topic.TERMS: (),
    Topic.CONTACT: ("phone",),
}


class RuleForm(Choices):
    """One rule; only the fields that its topic needs."""

    zh = forms.CharField(
        label=_("规则（中文）"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("案件旁边会显示这句话"),
    )
    en = forms.CharField(
        label=_("规则（英文）"), max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    hours = forms.IntegerField(label=_("多少小时"), min_value=1, max_value=26_352)
    begins = forms.ChoiceField(label=_("从什么时候起算"))
    basis = forms.ChoiceField(label=_("怎么算"))
    low = forms.IntegerField(label=_("最低几倍运费"), min_value=1, max_value=100, required=False)
    high = forms.IntegerField(label=_("最高几倍运费"), min_value=1, max_value=100, required=False)
    percent = forms.IntegerField(label=_("货值的百分之几"), min_value=1, max_value=100, required=False)
    cap = forms.DecimalField(
        label=_("最多赔多少元"),
        min_value=0,
        max_value=1_000_000,
        decimal_places=2,
        required=False,
        help_text=_("留空不封顶"),
    )
    papers = forms.MultipleChoiceField(label=_("要的材料"), widget=forms.CheckboxSelectMultiple)
    then = forms.CharField(label=_("逾期找谁"), max_length=80, required=False)
    phone = forms.CharField(label=_("电话"), max_length=40)
    carriers = forms.MultipleChoiceField(
        label=_("哪些承运商"), required=False, widget=forms.CheckboxSelectMultiple, help_text=_("一个都不选就是全部")
    )
    claims = forms.MultipleChoiceField(
        label=_("哪些问题"), required=False, widget=forms.CheckboxSelectMultiple, help_text=_("一个都不选就是全部")
    )
    source = forms.CharField(label=_("依据"), max_length=120, help_text=_("合同号、协议日期、谁说的"))
    since = forms.DateField(label=_("从哪天起"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, topic: Topic, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.topic = topic
        always = ("zh", "en", "carriers", "claims", "source", "since")
        for name in list(self.fields):
            if name not in always and name not in _NEEDS[topic]:
                del self.fields[name]
        self.choose("carriers", carrier_choices())
        self.choose("claims", [(each.value, label("claim", each.value)) for each in Claim if each in CLAIMABLE])
        for name, group, kind in (("begins", "begins", From), ("basis", "basis", Basis), ("papers", "paper", Paper)):
            if name in self.fields:
                self.choose(name, [(each.value, word(group, each.value)) for each in kind])

    @property
    def own_fields(self) -> list[Any]:
        return [self[name] for name in self.fields if name not in ("carriers", "claims", "papers")]

    @property
    def choice_fields(self) -> list[Any]:
        return [self[name] for name in ("papers", "carriers", "claims") if name in self.fields]

    def row(self) -> dict[str, Any]:
        said = dict(self.cleaned_data)
        cap = said.pop("cap", None)
        begins = said.pop("begins", None)
        row = {name: value for name, value in said.items() if value not in (None, "", [])}
        row |= {"topic": self.topic.value, "since": said["since"].isoformat()}
        if begins:
            row["from"] = begins
        if cap:
            row["cap_fen"] = int(cap * 100)
        return row


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    known = dict(carrier_choices())
    carrier = request.GET.get("carrier", "")
    carrier = carrier if carrier in known else ""
    today = localtime(clock.now()).date()
    book = rules.of_shop(shop_id)
    found = [one for one in book.rules if not carrier or not one.carriers or carrier in one.carriers]
    mine = rules.changed_by(shop_id)
    groups = [
        (topic.value, [_shown(one, mine, today) for one in found if one.topic is topic])
        for topic in Topic
        if any(one.topic is topic for one in found)
    ]
    said = {
        "groups": groups,
        "carrier": carrier,
        "carriers": carrier_choices(),
        "history": rules.history(shop_id),
        "shop_id": shop_id,
    }
    return render(request, "web/carrier_rules/page.html", said)


@require_POST
def undo(request: HttpRequest, shop_id: int, change_id: int) -> HttpResponse:
    """A rule is again what it was before one change."""
    here = desk(request)
    try:
        rules.undo(shop_id=shop_id, change_id=change_id, by=actor(here, shop_id))
        tell(request, _now("已撤销这次改动"))
    except Refused as refused:
        tell_refusal(request, refused)
    except ObjectDoesNotExist:
        raise Http404 from None
    return back_to(reverse("settings_carrier_rules") + "#history")


def _shown(one: CarrierRule, mine: dict[str, tuple[str, datetime]], today: date) -> dict[str, Any]:
    changed = mine.get(one.rule_id)
    return {
        "rule": one,
        "changed": {"by": changed[0], "at": changed[1]} if changed else None,
        "is_new": changed is not None and defaults().get(one.rule_id) is None,
        "later": one.since > today,
    }


def edit(request: HttpRequest, rule_id: str) -> HttpResponse:
    """One rule to change; `new` with ?topic= for a fresh one."""
    here = desk(request)
    shop_id = here.one.shop_id
    there = None if rule_id == "new" else rules.of_shop(shop_id).get(rule_id)
    if rule_id != "new" and there is None:
        raise Http404
    topic = there.topic if there else _topic(request.GET.get("topic", ""))
    start = _initial(there, request.GET.get("carrier", ""))
    form = RuleForm(topic, request.POST if request.method == "POST" and "restore" not in request.POST else None,
                    initial=start)  # fmt: skip
    if request.method == "POST":
        try:
            by = actor(here, shop_id)
            if "restore" in request.POST:
                rules.restore_rule(shop_id=shop_id, rule_id=rule_id, by=by)
                tell(request, _now("已恢复默认"))
                return back_to(reverse("settings_carrier_rules"))
            if form.is_valid():
                rules.set_rule(shop_id=shop_id, row=form.row(), by=by, rule_id="" if rule_id == "new" else rule_id)
                tell(request, _now("规则已保存，从现在起按它算"))
                return back_to(reverse("settings_carrier_rules"))
        except Refused as refused:
            tell_refusal(request, refused)
    said = {
        "form": form,
        "rule": there,
        "topic": topic.value,
        "default": defaults().get(rule_id) if there else None,
        "changed": rules.changed_by(shop_id).get(rule_id),
    }
    return render(request, "web/carrier_rules/edit.html", said, status=422 if form.errors else 200)


def _topic(said: str) -> Topic:
    try:
        return Topic(said)
    except ValueError:
        return Topic.TERMS


def _initial(there: CarrierRule | None, carrier: str) -> dict[str, Any]:
    today = localtime(clock.now()).date()
    if there is None:
        return {"carriers": [carrier] if carrier else [], "since": today, "percent": 100}
    return {
        "zh": there.zh,
        "en": there.en,
        "hours": there.hours,
        "begins": there.begins.value if there.begins else "",
        "basis": there.basis.value if there.basis else "",
        "low": there.low or None,
        "high": there.high or None,
        "percent": there.percent,
        "cap": there.cap_fen / 100 if there.cap_fen else None,
        "papers": [each.value for each in there.papers],
        "then": there.then,
        "phone": there.phone,
        "carriers": list(there.carriers),
        "claims": [each.value for each in there.claims],
        "source": there.source if there.mark == "own" else "",
        "since": there.since if there.mark == "own" else today,
    }


def beside_case(shop_id: int, carrier: str, claim: str, now: datetime) -> Sequence[CarrierRule]:
    """The rules that are shown beside a case."""
    kind = Claim(claim) if claim in set(Claim) else None
    return shown(rules.of_shop(shop_id).of(carrier, kind, now.date()))
