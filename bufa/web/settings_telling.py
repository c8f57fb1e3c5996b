"""Settings: when a rule warns, after how many hours the shop's own rules speak, and who is told. For leads, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from bufa.apps.cases import incidents, told_whom
from bufa.apps.parcels import watching
from bufa.apps.shops import actions, queries
from bufa.domain import rulebook
from bufa.domain import told_whom as whom
from bufa.domain.incidents import thresholds
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.domain.rulebook import Mark, Rule
from bufa.lib import clock
from bufa.web import settings_mail
from bufa.web.desk import back_to, by, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import label, word

MOST_HOURS = 1440


def rules() -> list[Rule]:
    """All rules in their newest version, in the order of the rule book."""
    book = rulebook.load().at(clock.now())
    return [book.rule(rule_id) for rule_id in book.ids]


def has_own_hours(rule: Rule) -> bool:
    """Only the shop's own clocks are the shop's to set; the platform's stand in its rules."""
    return rule.mark is Mark.SHOP and rule.is_silence


class PolicyForm(Choices):
    """Three fields a rule; an empty one, or the first choice, is the default."""

    incident_parcels = forms.IntegerField(
        label=_("几件同一个原因算一起事故"), min_value=2, max_value=1000, required=False
    )

    def __init__(self, *args: Any, people: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["incident_parcels"].help_text = _now("默认 %(n)d") % {"n": thresholds().min_parcels}
        everybody = [(each.value, label("whom", each.value)) for each in whom.Whom] + people
        for rule in rules():
            name = word("rule", rule.id)
            if rule.is_silence:
                self.fields[f"warn_{rule.id}"] = _hours(
                    _now("%(rule)s：提前几小时预警") % {"rule": name}, str(rule.warn_hours)
                )
            if has_own_hours(rule):
                own = sorted(set(rule.hours.values()))
                usual = str(own[0]) if len(own) == 1 else f"{own[0]}–{own[-1]}"
                self.fields[f"hours_{rule.id}"] = _hours(_now("%(rule)s：几小时") % {"rule": name}, usual)
            self.fields[f"tell_{rule.id}"] = forms.ChoiceField(
                label=_now("%(rule)s：告诉谁") % {"rule": name}, required=False
            )
            usual = _now("默认：%(whom)s") % {"whom": word("whom", whom.default_of(rule))}
            self.choose(f"tell_{rule.id}", everybody, blank=usual)

    def said(self, kind: str) -> dict[str, Any]:
        """Rule → what is set for it, of one kind of field."""
        start = f"{kind}_"
        return {
            name.removeprefix(start): value
            for name, value in self.cleaned_data.items()
            if name.startswith(start) and value not in (None, "")
        }


def _hours(label: str, usual: str) -> forms.IntegerField:
    field = forms.IntegerField(label=label, min_value=0, max_value=MOST_HOURS, required=False)
    field.widget.attrs["placeholder"] = usual
    return field


@dataclass(frozen=True, slots=True)
class RuleRow:
    rule: Rule
    warn: Any
    hours: Any
    whom: Any
    is_changed: bool


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    people = _people(shop_id)
    form = PolicyForm(request.POST if request.method == "POST" else None, people=people, initial=_initial(shop_id))
    if request.method == "POST":
        try:
            here.check(Permission.EDIT_POLICY, shop_id)
            if restored := request.POST.get("restore"):
                _restore(shop_id, restored, by(request))
                tell(request, _now("“%(rule)s”已恢复默认") % {"rule": word("rule", restored)})
                return back_to(reverse("settings_telling") + f"#r-{restored}")
            if form.is_valid():
                _save(shop_id, form, by(request))
                tell(request, _now("已保存；改了预警时间的，全部包裹正在重新判断"))
                return back_to(reverse("settings_telling"))
        except Refused as refused:
            tell_refusal(request, refused)
    return show(request, form)


def show(
    request: HttpRequest, form: PolicyForm | None = None, mail: settings_mail.MailForm | None = None
) -> HttpResponse:
    """The whole page, with a form as it was filled where it was not taken."""
    here = desk(request)
    shop_id = here.one.shop_id
    form = form or PolicyForm(people=_people(shop_id), initial=_initial(shop_id))
    changed = {rule for kind in _stored(shop_id).values() for rule in kind}
    rows = [
        RuleRow(
            rule,
            form[f"warn_{rule.id}"] if rule.is_silence else None,
            form[f"hours_{rule.id}"] if has_own_hours(rule) else None,
            form[f"tell_{rule.id}"],
            rule.id in changed,
        )
        for rule in rules()
    ]
    said = {"form": form, "rows": rows, **settings_mail.shown(here, mail)}
    refused = form.errors or (mail is not None and mail.errors)
    return render(request, "web/settings/telling.html", said, status=422 if refused else 200)


def _people(shop_id: int) -> list[tuple[str, str]]:
    return [
        (f"{whom.PERSON}{each.operator_id}", _now("只告诉%(name)s") % {"name": each.display_name or each.login})
        for each in queries.members([shop_id])
        if each.is_active
    ]


_KINDS = {"warn": "warn_hours", "hours": "hours", "tell": told_whom.POLICY}


def _stored(shop_id: int) -> dict[str, dict[str, Any]]:
    policy = queries.policy_json(shop_id)
    return {kind: dict(policy.get(name) or {}) for kind, name in _KINDS.items()}


def _initial(shop_id: int) -> dict[str, Any]:
    first: dict[str, Any] = {"incident_parcels": queries.policy_json(shop_id).get(incidents.POLICY)}
    for kind, stored in _stored(shop_id).items():
        first |= {f"{kind}_{rule}": value for rule, value in stored.items()}
    return first


def _save(shop_id: int, form: PolicyForm, who: str) -> None:
    changes: dict[str, Any] = {name: form.said(kind) or None for kind, name in _KINDS.items()}
    changes[incidents.POLICY] = form.cleaned_data["incident_parcels"]
    _change(shop_id, changes, who)


def _restore(shop_id: int, rule_id: str, who: str) -> None:
    if rule_id not in {rule.id for rule in rules()}:
        raise Http404
    stored = _stored(shop_id)
    changes = {
        name: {rule: value for rule, value in stored[kind].items() if rule != rule_id} or None
        for kind, name in _KINDS.items()
        if rule_id in stored[kind]
    }
    _change(shop_id, changes, who)


def _change(shop_id: int, changes: dict[str, Any], who: str) -> None:
    changed = actions.change_policy(shop_id=shop_id, changes=changes, by=who)
    if {"warn_hours", "hours"} & changed.keys():
        watching.judge_soon(shop_id, clock.now())
