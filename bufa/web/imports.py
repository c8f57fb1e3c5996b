"""Upload a file of orders, scans or stock; see row by row what could not be taken."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django import forms
from django.core.files import File
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.jobs.import_report import ImportReport, say
from bufa.jobs.importing import run_import
from bufa.web.desk import by, desk, tell_refusal
from bufa.web.forms import Choices

LARGEST = 20 * 1024 * 1024
SHOWN = 500


class ImportForm(Choices):
    kind = forms.ChoiceField(label=_("文件里是什么"))
    file = forms.FileField(
        label=_("文件"), help_text=_("csv（UTF-8 或 GBK）、xlsx、jsonl 或快递服务商的原始 JSON 报文，最大 20 MB")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [
            ("orders", _now("订单")),
            ("scans", _now("轨迹")),
            ("stock", _now("库存")),
            ("penalties", _now("处罚通知")),
            ("contacts", _now("承运商联系人")),
            ("templates", _now("轨迹文案")),
        ]
        self.choose("kind", kinds)

    def clean_file(self) -> File[bytes]:
        file: File[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError(_now("文件超过 20 MB，请分成几份，或在服务器上用命令导入"))
        return file


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop = here.one
    form = ImportForm(request.POST or None, request.FILES or None, initial={"kind": request.GET.get("kind", "")})
    report: ImportReport | None = None
    if request.method == "POST" and form.is_valid():
        try:
            here.check(Permission.IMPORT_DATA, shop.shop_id)
            if form.cleaned_data["kind"] == "templates":
                here.check(Permission.READ_TEMPLATES, shop.shop_id)
            report = _take(form.cleaned_data["kind"], form.cleaned_data["file"], shop.shop_id, by(request))
        except Refused as refused:
            tell_refusal(request, refused)
    said = {
        "form": form,
        "shop": shop,
        "report": report,
        "problems": [(each, say(each)) for each in report.problems[:SHOWN]] if report else [],
        "refused": report.rows - report.taken if report else 0,
    }
    return render(request, "web/imports/page.html", said, status=422 if form.errors else 200)


def _take(kind: str, file: File[bytes], shop_id: int, who: str) -> ImportReport:
    """Run the import on a copy that is gone afterwards: the file holds buyers' data."""
    suffix = Path(file.name or "").suffix.lower()[:8]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"upload{suffix}")
        with path.open("wb") as copy:
            for chunk in file.chunks():
                copy.write(chunk)
        return run_import(kind, path, shop_id, by=who)
