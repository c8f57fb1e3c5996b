"""Whom to ask at each carrier, when they work, how they are reached; and how a carrier that stays silent is chased."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import time
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from bufa.apps.negotiations import contacts, ladder, queries, robots, scores
from bufa.apps.negotiations.carrier_cases import ladder_of
from bufa.apps.negotiations.contacts import NewContact
from bufa.domain.chasing import DAY_MINUTES, MOST_HOURS, Hours, Ladder, Level, Rung
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.lib import clock
from bufa.web.desk import actor, back_to, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import carrier_choices, word

_CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class ContactForm(Choices):
    carrier = forms.ChoiceField(label=_("承运商"))
    level = forms.ChoiceField(label=_("哪一级"), required=False, help_text=_("先问网点，再总部，再平台"))
    branch = forms.CharField(
        label=_("网点"), max_length=80, required=False, help_text=_("和轨迹里的网点名一致，就先问它")
    )
    origin = forms.CharField(label=_("只管从这个省发出的"), max_length=20, required=False)
    destination = forms.CharField(label=_("只管发往这个省的"), max_length=20, required=False)
    name = forms.CharField(label=_("称呼"), max_length=60, required=False)
    email = forms.EmailField(label=_("邮箱"), required=False)
    robot = forms.ChoiceField(
        label=_("群机器人"), required=False, help_text=_("邮箱和机器人都没有，就由人把话发到群里")
    )
    opens = forms.TimeField(label=_("上班"), required=False, widget=_CLOCK, help_text=_("留空就是全天"))
    closes = forms.TimeField(label=_("下班"), required=False, widget=_CLOCK)
    days = forms.MultipleChoiceField(label=_("哪几天上班"), required=False, widget=forms.CheckboxSelectMultiple)
    rests_on_festivals = forms.BooleanField(label=_("法定节假日休息"), required=False, initial=True)
    answer_hours = forms.IntegerField(
        label=_("一般几小时答复"), min_value=1, max_value=contacts.MOST_HOURS, required=False
    )

    def __init__(self, there: Sequence[robots.RobotView], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("carrier", [("", _now("请选择")), *carrier_choices()])
        levels = [(each.value, word("level", each.value)) for each in Level]
        self.choose("level", levels, blank=_now("写了网点就是网点，否则总部"))
        named = [(str(each.robot_id), each.name) for each in there if each.is_active]
        self.choose("robot", named, blank=_now("不用"))
        self.choose("days", [(str(day), word("weekday", str(day))) for day in range(1, 8)])
        if not self.is_bound and "days" not in self.initial:
            self.initial = {**self.initial, "days": [str(day) for day in range(1, 8)]}

    def new(self) -> NewContact:
        """What was typed. Raises Refused contact_hours."""
        said = self.cleaned_data
        opens, closes = _minutes(said["opens"], 0), _minutes(said["closes"], DAY_MINUTES)
        days = frozenset(int(day) for day in said["days"]) or frozenset(range(1, 8))
        hours = Hours(opens, closes, days, said["rests_on_festivals"])
        level = Level(said["level"] or (Level.BRANCH if said["branch"] else Level.HEAD_OFFICE))
        return NewContact(
            said["carrier"], level, said["branch"], said["origin"], said["destination"], said["name"], said["email"],
            int(said["robot"]) if said["robot"] else None, hours, said["answer_hours"],
        )  # fmt: skip


class LadderForm(forms.Form):
    """Hours per rung of the chase ladder."""

    is_on = forms.BooleanField(label=_("承运商不答复就自动催办"), required=False)
    reminders = forms.IntegerField(label=_("每一级催几次再往上"), min_value=0, max_value=5)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for rung in Rung:
            self.fields[rung.value] = forms.IntegerField(
                label=_now("“%(rung)s”之后等几小时") % {"rung": word("rung", rung.value)},
                min_value=1,
                max_value=MOST_HOURS,
            )

    def ladder(self) -> Ladder:
        said = self.cleaned_data
        return Ladder(said["is_on"], said["reminders"], {rung: said[rung.value] for rung in Rung})


class RobotForm(forms.Form):
    name = forms.CharField(label=_("群的名字"), max_length=60, help_text=_("例如：圆通九堡网点群"))
    address = forms.CharField(
        label=_("机器人的 Webhook 地址"),
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("企业微信、钉钉或飞书群里“添加机器人”给的地址；加密保存，不再显示"),
    )
    secret = forms.CharField(
        label=_("加签密钥"),
        max_length=120,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("钉钉（SEC 开头）、飞书的“签名校验”；企业微信没有"),
    )


def page(request: HttpRequest, **forms_: Any) -> HttpResponse:
    """All contacts, the robots that reach them, and the policy of chasing."""
    here = desk(request)
    shop_id = here.one.shop_id
    rows = queries.contacts([shop_id])
    chosen = next((one for one in rows if str(one.contact_id) == request.GET.get("contact", "")), None)
    there = robots.robots([shop_id])
    form = ContactForm(there, initial=_initial(chosen) if chosen else None)
    policy = ladder_of(shop_id)
    said = {
        "form": form,
        "chosen": chosen,
        "rows": rows,
        "robots": there,
        "robot_use": Counter(one.robot_id for one in rows if one.robot_id),
        "robot_form": RobotForm(auto_id="id_robot_%s"),
        "ladder_form": LadderForm(auto_id="id_ladder_%s", initial=policy.stored()),
        "scores": scores.scores([shop_id], clock.now()),
    } | forms_
    return render(request, "web/settings/carriers.html", said, status=422 if forms_ else 200)


def contact(request: HttpRequest) -> HttpResponse:
    """The page; posted to, a contact is kept, changed or switched off."""
    if request.method != "POST":
        return page(request)
    here = desk(request)
    shop_id = here.one.shop_id
    form = ContactForm(robots.robots([shop_id]), request.POST)
    try:
        here.check(Permission.EDIT_SETTINGS, shop_id)
        who = actor(here, shop_id)
        if (given := request.POST.get("remove", "")).isdigit():
            gone = next((each for each in queries.contacts([shop_id]) if each.contact_id == int(given)), None)
            contacts.remove_contact(shop_id=shop_id, contact_id=int(given), by=who)
            again = _initial(gone) if gone else None
            tell(request, _now("联系人已停用"), undo=reverse("settings_carriers") if again else "", undo_with=again)
            ladder.again(shop_id=shop_id, now=clock.now())
            return back_to(reverse("settings_carriers"))
        if not form.is_valid():
            return page(request, form=form)
        known = request.POST.get("contact", "")
        contacts.save_contact(
            shop_id=shop_id, new=form.new(), by=who, contact_id=int(known) if known.isdigit() else None
        )
        ladder.again(shop_id=shop_id, now=clock.now(), carrier=form.cleaned_data["carrier"])
        tell(request, _now("联系人已保存"))
        return back_to(reverse("settings_carriers"))
    except Refused as refused:
        tell_refusal(request, refused)
        return page(request, form=form)


@require_POST
def chase(request: HttpRequest) -> HttpResponse:
    """The policy of chasing."""
    here = desk(request)
    shop_id = here.one.shop_id
    form = LadderForm(request.POST, auto_id="id_ladder_%s")
    if not form.is_valid():
        return page(request, ladder_form=form)
    try:
        ladder.set_policy(shop_id=shop_id, ladder=form.ladder(), by=actor(here, shop_id))
        tell(request, _now("催办规则已保存，在等的包裹按新规则重排"))
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("settings_carriers") + "#ladder")


@require_POST
def robot(request: HttpRequest) -> HttpResponse:
    """Keep a robot and let it say a line; try it again; or switch it off."""
    here = desk(request)
    shop_id = here.one.shop_id
    by = actor(here, shop_id)
    try:
        here.check(Permission.CONNECT_SHOP, shop_id)
        for act in ("test", "off"):
            if (given := request.POST.get(act, "")).isdigit():
                if act == "off":
                    robots.switch_off(shop_id=shop_id, robot_id=int(given), by=by)
                    tell(request, _now("群机器人已停用"))
                else:
                    robots.try_robot(shop_id=shop_id, robot_id=int(given), text=_hello(), by=by)
                    tell(request, _now("群里应该看到一条测试消息"))
                return back_to(reverse("settings_carriers") + "#robots")
        form = RobotForm(request.POST, auto_id="id_robot_%s")
        if not form.is_valid():
            return page(request, robot_form=form)
        robot_id = robots.save_robot(shop_id=shop_id, by=by, **form.cleaned_data)
        robots.try_robot(shop_id=shop_id, robot_id=robot_id, text=_hello(), by=by)
        tell(request, _now("群机器人已保存，群里应该看到一条测试消息"))
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("settings_carriers") + "#robots")


def _hello() -> str:
    return _now("补发 Bufa 测试消息：看到这条，说明机器人可用。")


def _minutes(at: time | None, usual: int) -> int:
    return usual if at is None else at.hour * 60 + at.minute


def _initial(row: queries.ContactView) -> dict[str, Any]:
    """A contact as the form takes it, so that it can be changed, or put back."""
    told: dict[str, Any] = {
        name: getattr(row, name) for name in ("carrier", "level", "branch", "origin", "destination", "name", "email")
    }
    if row.robot_id:
        told["robot"] = str(row.robot_id)
    if row.opens:
        told["opens"] = f"{row.opens // 60:02d}:{row.opens % 60:02d}"
    if row.closes < DAY_MINUTES:
        told["closes"] = f"{row.closes // 60:02d}:{row.closes % 60:02d}"
    if row.answer_hours:
        told["answer_hours"] = row.answer_hours
    return told | {"days": list(row.days), "rests_on_festivals": "on" if row.rests_on_festivals else ""}
