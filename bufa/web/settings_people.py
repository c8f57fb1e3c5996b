"""Who works for the shop, and as what."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from bufa.apps.shops import actions, queries
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.web.desk import back_to, by, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import label


class PersonForm(Choices):
    login = forms.CharField(label=_("登录名"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    display_name = forms.CharField(label=_("名字"), max_length=60, required=False)
    role = forms.ChoiceField(label=_("角色"))
    password = forms.CharField(
        label=_("初始密码"),
        max_length=128,
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("至少 10 个字符；登录名已存在的，密码不变，可以留空"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("role", [(role.value, label("role", role.value)) for role in Role])


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    form = PersonForm(request.POST if request.method == "POST" and "operator" not in request.POST else None)
    if request.method == "POST":
        try:
            here.check(Permission.MANAGE_OPERATORS, shop_id)
            if request.POST.get("operator", "").isdigit():
                operator_id = int(request.POST["operator"])
                said_, again = _change(shop_id, operator_id, request.POST, by(request))
                undo = {"operator": str(operator_id), **again} if again else None
                tell(request, said_, undo=reverse("settings_people") if undo else "", undo_with=undo)
                return back_to(reverse("settings_people"))
            if form.is_valid():
                said = form.cleaned_data
                operator_id = actions.add_operator(said["login"], said["password"], display_name=said["display_name"])
                actions.add_member(shop_id=shop_id, operator_id=operator_id, role=Role(said["role"]), by=by(request))
                tell(request, _now("%(name)s 已加入店铺") % {"name": said["display_name"] or said["login"]})
                return back_to(reverse("settings_people"))
        except Refused as refused:
            tell_refusal(request, refused)
            if "operator" in request.POST:
                return back_to(reverse("settings_people"))
    shown = {"form": form, "rows": queries.members([shop_id]), "roles": [role.value for role in Role]}
    return render(request, "web/settings/people.html", shown, status=422 if form.errors else 200)


def _change(shop_id: int, operator_id: int, said: Any, who: str) -> tuple[str, dict[str, str]]:
    """Do it; what to say, and the fields that take it back."""
    before = next((one for one in queries.members([shop_id]) if one.operator_id == operator_id), None)
    name = (before.display_name or before.login) if before else ""
    if "disable" in said:
        actions.disable_member(shop_id=shop_id, operator_id=operator_id, by=who)
        return _now("%(name)s 已停用，从现在起进不了这家店") % {"name": name}, {"enable": "1"}
    if "enable" in said:
        actions.enable_member(shop_id=shop_id, operator_id=operator_id, by=who)
        return _now("%(name)s 已恢复，角色和以前一样") % {"name": name}, {"disable": "1"}
    if said.get("role") in {role.value for role in Role}:
        actions.change_role(shop_id=shop_id, operator_id=operator_id, role=Role(said["role"]), by=who)
    return _now("成员已更新"), {"role": before.role.value} if before else {}
