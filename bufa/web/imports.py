"""Upload a file of orders, scans or stock; see row by row what could not be taken."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from bufa.web.desk import desk
from bufa.web.forms import Choices


class ImportForm(Choices):
    kind = forms.ChoiceField(label=_("文件里是什么"))
    file = forms.FileField(label=_("文件"), help_text=_("csv（UTF-8 或 GBK）、xlsx 或 jsonl，最大 5 MB"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("kind", [("orders", _now("订单")), ("scans", _now("轨迹"))])


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    form = ImportForm(request.POST or None, request.FILES or None)
    return render(request, "web/imports/page.html", {"form": form, "shop": here.one})
