"""Settings: how customers are told. Order of channels, quiet hours, limits, budget; who wants to be left alone."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from bufa.apps.notices import opt_outs, planning
from bufa.apps.shops import actions
from bufa.domain.notice_plan import DEFAULT_PRICES, POLICY, Rules
from bufa.domain.notices import Channel
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.lib import clock
from bufa.web.desk import actor, back_to, by, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import word

LI_A_YUAN = 1000


def _time(label: Any) -> forms.TimeField:
    return forms.TimeField(label=label, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))


class RulesForm(Choices):
    quiet_from = _time(_("从几点起不打扰"))
    quiet_to = _time(_("到几点"))
    urgent = forms.BooleanField(
        label=_("时限会在夜里到的，夜里也发"), required=False, help_text=_("不勾：一律等到早上；两个时间一样就没有夜里")
    )
    per_day = forms.IntegerField(
        label=_("一位客户一天最多几条"), min_value=0, max_value=100, help_text=_("0 不限；多出来的第二天再发")
    )
    receipt_minutes = forms.IntegerField(label=_("多少分钟没有回执就换下一个渠道"), min_value=5, max_value=10080)
    budget = forms.DecimalField(
        label=_("一天的费用上限（元）"),
        required=False,
        min_value=0,
        max_value=1_000_000,
        decimal_places=2,
        help_text=_("到了就停发收费的，不收费的照发；留空不限"),
    )
    warn_percent = forms.IntegerField(label=_("用到百分之几提醒"), min_value=1, max_value=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for at in range(1, len(Channel) + 1):
            self.fields[f"order_{at}"] = forms.ChoiceField(label=_now("第 %(n)d 个") % {"n": at}, required=at == 1)
            blank = None if at == 1 else _now("没有了")
            self.choose(f"order_{at}", [(each.value, word("channel", each.value)) for each in Channel], blank=blank)
        for channel in DEFAULT_PRICES:
            label = _now("%(channel)s：一通多少元") if channel is Channel.VOICE else _now("%(channel)s：一条多少元")
            self.fields[f"price_{channel.value}"] = forms.DecimalField(
                label=label % {"channel": word("channel", channel.value)},
                min_value=0,
                max_value=1000,
                decimal_places=3,
            )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        order = [said[f"order_{at}"] for at in range(1, len(Channel) + 1) if said.get(f"order_{at}")]
        for at, channel in enumerate(order):
            if channel in order[:at]:
                name = next(name for name in reversed(self.fields) if said.get(name) == channel)
                self.add_error(name, _now("%(channel)s已经在前面了") % {"channel": word("channel", channel)})
        return said

    @property
    def channel_fields(self) -> list[Any]:
        return [self[name] for name in self.fields if name.startswith("order_")]

    @property
    def when_fields(self) -> list[Any]:
        return [self[name] for name in ("quiet_from", "quiet_to", "per_day", "receipt_minutes")]

    @property
    def money_fields(self) -> list[Any]:
        prices = [name for name in self.fields if name.startswith("price_")]
        return [self[name] for name in ("budget", "warn_percent", *prices)]

    def rules(self) -> Rules:
        said = self.cleaned_data
        order = tuple(Channel(said[f"order_{at}"]) for at in range(1, len(Channel) + 1) if said.get(f"order_{at}"))
        return Rules(
            order=order,
            quiet_from=_minutes(said["quiet_from"]),
            quiet_to=_minutes(said["quiet_to"]),
            urgent=said["urgent"],
            per_day=said["per_day"],
            receipt_minutes=said["receipt_minutes"],
            budget_li=None if said["budget"] is None else int(said["budget"] * LI_A_YUAN),
            warn_percent=said["warn_percent"],
            prices={each: int(said[f"price_{each.value}"] * LI_A_YUAN) for each in DEFAULT_PRICES},
        )


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _initial(rules: Rules) -> dict[str, Any]:
    return {
        "quiet_from": time(*divmod(rules.quiet_from, 60)),
        "quiet_to": time(*divmod(rules.quiet_to, 60)),
        "urgent": rules.urgent,
        "per_day": rules.per_day,
        "receipt_minutes": rules.receipt_minutes,
        "budget": None if rules.budget_li is None else Decimal(rules.budget_li) / LI_A_YUAN,
        "warn_percent": rules.warn_percent,
        **{f"order_{at}": each.value for at, each in enumerate(rules.order, 1)},
        **{f"price_{each.value}": Decimal(price) / LI_A_YUAN for each, price in rules.prices.items()},
    }


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    rules = planning.rules_of(shop_id)
    form = RulesForm(request.POST if request.method == "POST" else None, initial=_initial(rules))
    if request.method == "POST" and form.is_valid():
        try:
            here.check(Permission.EDIT_POLICY, shop_id)
            before = rules.stored()
            actions.change_policy(shop_id=shop_id, changes={POLICY: form.rules().stored()}, by=by(request))
            undo = reverse("settings_notices_undo")
            request.session["notices_before"] = before
            tell(request, _now("通知客户的规则已保存"), undo=undo)
            return back_to(reverse("settings_notices"))
        except Refused as refused:
            tell_refusal(request, refused)
    said = {
        "form": form,
        "day": planning.today(shop_id, clock.now()),
        "opt_outs": opt_outs.standing(shop_id),
    }
    return render(request, "web/settings/notices.html", said, status=422 if form.errors else 200)


@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Back to the rules before the last change of this session."""
    here = desk(request)
    shop_id = here.one.shop_id
    try:
        here.check(Permission.EDIT_POLICY, shop_id)
        before = request.session.pop("notices_before", None)
        if before is None:
            raise Refused("not_there_any_more")
        kept = Rules.read({POLICY: before}).stored()
        actions.change_policy(shop_id=shop_id, changes={POLICY: kept}, by=by(request))
        tell(request, _now("已撤销，规则和之前一样"))
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("settings_notices"))


@require_POST
def lift(request: HttpRequest, opt_out_id: int) -> HttpResponse:
    """A wish to be left alone is taken back."""
    here = desk(request)
    shop_id = here.one.shop_id
    try:
        here.check(Permission.SEND_NOTICE, shop_id)
        opt_outs.lift(shop_id=shop_id, opt_out_id=opt_out_id, by=actor(here, shop_id))
        tell(request, _now("已取消，可以再通知这位客户"))
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("settings_notices") + "#opt-outs")
