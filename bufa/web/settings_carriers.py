"""Whom to write to at each carrier."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from bufa.apps.negotiations import actions, queries
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.web.desk import actor, back_to, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import carrier_choices


class ContactForm(Choices):
    carrier = forms.ChoiceField(label=_("承运商"))
    branch = forms.CharField(
        label=_("网点"), max_length=80, required=False, help_text=_("留空就是总部。和轨迹里的网点名一致时，会排在最前")
    )
    name = forms.CharField(label=_("称呼"), max_length=60, required=False)
    email = forms.EmailField(label=_("邮箱"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("carrier", [("", _now("请选择")), *carrier_choices()])


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop_id = here.one.shop_id
    form = ContactForm(request.POST if request.method == "POST" and "remove" not in request.POST else None)
    if request.method == "POST":
        try:
            here.check(Permission.EDIT_SETTINGS, shop_id)
            who = actor(here, shop_id)
            if request.POST.get("remove", "").isdigit():
                contact_id = int(request.POST["remove"])
                gone = next((each for each in queries.contacts([shop_id]) if each.contact_id == contact_id), None)
                actions.remove_contact(shop_id=shop_id, contact_id=contact_id, by=who)
                again = {name: getattr(gone, name) for name in ContactForm.base_fields} if gone else None
                tell(request, _now("联系人已停用"), undo=reverse("settings_carriers") if again else "", undo_with=again)
                return back_to(reverse("settings_carriers"))
            if form.is_valid():
                actions.add_contact(shop_id=shop_id, by=who, **form.cleaned_data)
                tell(request, _now("联系人已保存"))
                return back_to(reverse("settings_carriers"))
        except Refused as refused:
            tell_refusal(request, refused)
    said = {"form": form, "rows": queries.contacts([shop_id])}
    return render(request, "web/settings/carriers.html", said, status=422 if form.errors else 200)
