"""Settings of the shop: name, policy, pickup addresses; and the platform's rules to read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from bufa.apps.parcels import watching
from bufa.apps.parcels.lane_counts import LOSS_LEVEL
from bufa.apps.reissues.counting import COUNTS
from bufa.apps.reissues.packing import ALARM_HOURS, SUBMITS
from bufa.apps.shops import actions, queries
from bufa.apps.shops import outbound as pausing
from bufa.domain import rulebook
from bufa.domain.address_parser import parse
from bufa.domain.case_proof import LONGEST_SILENCE
from bufa.domain.outcome import Refused
from bufa.domain.packing import UNSCANNED_HOURS
from bufa.domain.permissions import Permission
from bufa.integrations.ports import PickupAddressFact
from bufa.jobs.outbound import resume_outbound
from bufa.lib import clock
from bufa.lib.divisions import divisions
from bufa.web.customer_page import TINTS
from bufa.web.desk import Desk, Seat, back_to, by, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import label, say


class ShopForm(Choices):
    name = forms.CharField(label=_("店铺名称"), max_length=80)
    consent = forms.ChoiceField(label=_("补发前要不要承运商同意"))
    freight = forms.DecimalField(
        label=_("寄一件的运费（元）"),
        min_value=0,
        max_value=1000,
        decimal_places=2,
        help_text=_("用来比较各种措施的成本"),
    )
    wait_hours = forms.IntegerField(label=_("“等待”默认等几小时"), min_value=1, max_value=240)
    chase_hours = forms.IntegerField(label=_("“催件”给承运商几小时"), min_value=1, max_value=240)
    pack_submits = forms.BooleanField(
        label=_("装箱扫了运单，预检通过就自动提交"), required=False, help_text=_("不勾：装好以后由人在仓库页提交")
    )
    pack_counts = forms.BooleanField(
        label=_("装箱时每件都要扫过，点齐了才能扫运单"),
        required=False,
        help_text=_("扫商品条码或规格ID点数；不勾：想点就点，点了就要点齐"),
    )
    handed_hours = forms.IntegerField(
        label=_("交接后几小时承运商没扫就提醒"), min_value=1, max_value=72, required=False, help_text=_("留空用 12")
    )

    loss_level = forms.IntegerField(
        label=_("丢失可能到百分之几算异常"),
        min_value=1,
        max_value=99,
        required=False,
        help_text=_("平台规则没有管到的静默，按这条线的历史算；留空用 20"),
    )

    proof_days = forms.IntegerField(
        label=_("签收后等客户几天没有异议才结案"),
        min_value=1,
        max_value=LONGEST_SILENCE,
        required=False,
        help_text=_("客户在页面上点了“收到货了”就不再等；留空：轨迹签收就结案"),
    )
    tint = forms.ChoiceField(label=_("客户页面的颜色"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("tint", [(each, label("tint", each)) for each in TINTS], blank=_now("按默认"))
        self.choose("consent", [(each, label("consent_policy", each)) for each in ("carrier_pays", "always", "never")])


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    form = ShopForm(request.POST if request.method == "POST" else None, initial=_initial(shop_id))
    if request.method == "POST" and form.is_valid():
        try:
            here.check(Permission.EDIT_SETTINGS, shop_id)
            _save(shop_id, form, by(request))
            tell(request, _now("店铺设置已保存"))
            return back_to(reverse("settings_shop"))
        except Refused as refused:
            tell_refusal(request, refused)
    status = 422 if form.errors else 200
    come = request.build_absolute_uri(reverse("customer_come", args=[shop_id]))
    said = {
        "form": form,
        "come_address": come,
        "shop": queries.shop(shop_id),
        "outbound": [here.one, *_others_paused(here)],
    }
    return render(request, "web/settings/shop.html", said, status=status)


def _others_paused(here: Desk) -> list[Seat]:
    return [seat for seat in here.seats if seat.paused and seat != here.one]


@require_POST
def outbound(request: HttpRequest, shop_id: int) -> HttpResponse:
    """Stop all that leaves a shop, or let it leave again; each takes the other back."""
    here, act = desk(request), request.POST.get("act", "")
    where = reverse("settings_outbound", args=[shop_id])
    try:
        here.check(Permission.CONNECT_SHOP, shop_id)
        if act == "pause":
            pausing.pause(shop_id=shop_id, by=by(request))
            tell(request, _now("已暂停：不再发出任何东西"), undo=where, undo_with={"act": "resume"})
        elif act == "resume":
            if not resume_outbound(shop_id, by(request)):
                raise Refused("outbound_not_paused")
            tell(request, _now("已恢复，排着的继续发出"), undo=where, undo_with={"act": "pause"})
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("settings_shop") + "#outbound")


def _initial(shop_id: int) -> dict[str, Any]:
    stored = queries.policy_json(shop_id)
    return {
        "name": queries.shop(shop_id).name,
        "consent": stored.get("consent", "carrier_pays"),
        "freight": Decimal(stored.get("freight_fen", 800)) / 100,
        "wait_hours": stored.get("wait_hours", 24),
        "chase_hours": stored.get("chase_hours", 24),
        LOSS_LEVEL: stored.get(LOSS_LEVEL),
        "pack_submits": stored.get(SUBMITS, True),
        COUNTS: stored.get(COUNTS, False),
        "handed_hours": stored.get(ALARM_HOURS, UNSCANNED_HOURS),
        "proof_days": stored.get("proof_days"),
        "tint": stored.get("tint", ""),
    }


def _save(shop_id: int, form: ShopForm, who: str) -> None:
    said = form.cleaned_data
    kept = queries.policy_json(shop_id)
    changed = {
        "consent": said["consent"],
        "freight_fen": int(said["freight"] * 100),
        "wait_hours": said["wait_hours"],
        "chase_hours": said["chase_hours"],
        SUBMITS: said["pack_submits"],
        COUNTS: said[COUNTS],
        ALARM_HOURS: said["handed_hours"] or UNSCANNED_HOURS,
        "proof_days": said["proof_days"],
        "tint": said["tint"],
    }
    if said[LOSS_LEVEL]:
        changed[LOSS_LEVEL] = said[LOSS_LEVEL]
    others = {name: value for name, value in kept.items() if name != LOSS_LEVEL}
    actions.set_policy(shop_id=shop_id, policy={**others, **changed}, by=who)
    if changed.get(LOSS_LEVEL) != kept.get(LOSS_LEVEL):
        watching.judge_soon(shop_id, clock.now())
    if said["name"] != queries.shop(shop_id).name:
        actions.rename_shop(shop_id=shop_id, name=said["name"], by=who)


def rules(request: HttpRequest) -> HttpResponse:
    """The platform's rules as we read them: clocks, what a breach costs, where it stands."""
    now = clock.now()
    book = rulebook.load().at(now)
    policy = queries.policy(desk(request).one.shop_id, now)
    rows = [
        {
            "rule": rule,
            "hours": sorted({(hours, distance.value) for distance, hours in rule.hours.items()}),
            "by_distance": rule.by_distance,
            "warn": policy.warn_hours.get(rule.id, rule.warn_hours),
            "pay": [pay for pay in rule.pay if pay.percent],
        }
        for rule in (book.rule(rule_id) for rule_id in book.ids)
    ]
    return render(request, "web/settings/rules.html", {"rows": rows})


class PickupForm(forms.Form):
    contact = forms.CharField(label=_("联系人"), max_length=60)
    phone = forms.CharField(label=_("电话"), max_length=30)
    province = forms.CharField(label=_("省"), max_length=30)
    city = forms.CharField(label=_("市"), max_length=30)
    district = forms.CharField(label=_("区县"), max_length=30, required=False)
    street = forms.CharField(label=_("街道"), max_length=60, required=False)
    detail = forms.CharField(label=_("详细地址"), max_length=200)
    platform_id = forms.CharField(
        label=_("抖店地址编号"),
        max_length=40,
        required=False,
        help_text=_("抖店“地址管理”里的编号；连接抖店后会自动读入"),
    )
    is_default = forms.BooleanField(label=_("默认从这里取件"), required=False)


class PasteForm(forms.Form):
    """A whole address as it was copied from somewhere; read into the fields, where people correct it."""

    pasted = forms.CharField(
        label=_("粘贴整段地址"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("姓名、电话、地址，顺序不限；拆成各栏后请核对再添加"),
    )


def read_pasted(request: HttpRequest) -> PickupForm:
    """The form filled from pasted text, with what to look at said aloud; nothing is saved."""
    paste = PasteForm(request.POST)
    if not paste.is_valid():
        return PickupForm()
    read = parse(paste.cleaned_data["pasted"], divisions())
    phone = f"{read.phone}-{read.extension}" if read.extension else read.phone
    for why in read.problems:
        messages.warning(request, say(why))
    return PickupForm(
        initial={
            "contact": read.name,
            "phone": phone,
            "province": read.province,
            "city": read.city,
            "district": read.district,
            "street": read.town,
            "detail": read.detail,
        }
    )


def _fields_of(row: queries.PickupInfo) -> dict[str, str]:
    """An address as the form takes it, so that a deleted one can be put back."""
    said = {name: str(getattr(row, name)) for name in PickupForm.base_fields if name != "is_default"}
    return said | ({"is_default": "on"} if row.is_default else {})


def pickup(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    form = PickupForm(request.POST if request.method == "POST" and not {"remove", "read"} & set(request.POST) else None)
    if request.method == "POST":
        try:
            here.check(Permission.EDIT_SETTINGS, shop_id)
            if request.POST.get("remove", "").isdigit():
                pickup_id = int(request.POST["remove"])
                gone = next((one for one in queries.pickup_addresses([shop_id]) if one.pickup_id == pickup_id), None)
                actions.remove_pickup_address(shop_id=shop_id, pickup_id=pickup_id, by=by(request))
                again = _fields_of(gone) if gone else None
                tell(request, _now("取件地址已删除"), undo=reverse("settings_pickup") if again else "", undo_with=again)
                return back_to(reverse("settings_pickup"))
            if "read" in request.POST:
                form = read_pasted(request)
            elif form.is_valid():
                said = dict(form.cleaned_data)
                fact = PickupAddressFact(name=said.pop("contact"), **said)
                actions.set_pickup_address(shop_id=shop_id, fact=fact, by=by(request))
                tell(request, _now("取件地址已保存"))
                return back_to(reverse("settings_pickup"))
        except Refused as refused:
            tell_refusal(request, refused)
        except ProtectedError:
            tell_refusal(request, Refused("pickup_in_use"))
            return back_to(reverse("settings_pickup"))
    said_ = {"form": form, "paste": PasteForm(), "rows": queries.pickup_addresses([shop_id])}
    return render(request, "web/settings/pickup.html", said_, status=422 if form.errors else 200)
