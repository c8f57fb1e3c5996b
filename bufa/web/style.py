"""The living style page: every component as it is, in the reader's theme and width."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from bufa.lib import clock


class Example(forms.Form):
    """One field of each kind, one of them wrong."""

    number = forms.CharField(label=_("单号"), help_text=_("输入后会先预检"))
    name = forms.CharField(label=_("登录名"))
    agree = forms.BooleanField(label=_("收到了"), required=False)


def page(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    said = {
        "now": now,
        "form": Example({"number": "73000000000000", "name": ""}, auto_id="id_style_%s"),
        "clocks": [(now + timedelta(hours=hours), now - timedelta(hours=8)) for hours in (30, 6, 1, -2)],
        "days": [4, 7, 5, 9, 12, 8, 6],
        "bars": [
            (_now("判定"), 12, "12", "act"),
            (_now("协商"), 31, "31", "warn"),
            (_now("通知"), 4, "4", ""),
        ],
    }
    return render(request, "web/style/page.html", said)
