"""Settings: when and where clocks stand still. By entry or file; each change judges all parcels anew."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django import forms
from django.core.exceptions import ObjectDoesNotExist
from django.core.files import File
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from bufa.apps.shops import pauses
from bufa.apps.shops.pauses import NewPause
from bufa.domain.calendars import End, PauseCode
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.jobs import import_pauses
from bufa.jobs.import_report import ImportReport, say
from bufa.lib import clock
from bufa.web.desk import back_to, by, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import carrier_choices, label

LARGEST = 2 * 1024 * 1024


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PauseForm(Choices):
    code = forms.ChoiceField(label=_("类型"))
    name = forms.CharField(label=_("名称"), max_length=60, help_text=_("例如：春节、台风停运"))
    first = forms.DateField(label=_("从哪天"), widget=_day())
    last = forms.DateField(label=_("到哪天（含）"), widget=_day())
    province = forms.CharField(label=_("省"), max_length=30, required=False, help_text=_("留空：所有地方"))
    city = forms.CharField(label=_("市"), max_length=30, required=False)
    district = forms.CharField(label=_("区县"), max_length=30, required=False)
    end = forms.ChoiceField(label=_("哪一端在那里"))
    carrier = forms.ChoiceField(label=_("承运商"), required=False)
    source = forms.CharField(label=_("依据"), max_length=200, help_text=_("公告、链接或文号"))
    platform = forms.BooleanField(
        label=_("平台公告过它的时限也顺延"),
        required=False,
        help_text=_("不勾：只顺延店铺自己的规则，平台的赔付照算"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("code", [(each.value, label("pause", each.value)) for each in PauseCode])
        self.choose("end", [(each, label("pause_end", each)) for each in ("either", "origin", "destination")])
        self.choose("carrier", carrier_choices(), blank=_now("全部"))

    def new(self) -> NewPause:
        said = dict(self.cleaned_data)
        carrier = said.pop("carrier")
        code, end = PauseCode(said.pop("code")), End(said.pop("end"))
        return NewPause(code=code, end=end, carriers=(carrier,) if carrier else (), **said)


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("文件"),
        help_text=_("csv 或 xlsx；列：类型、名称、开始日期、结束日期、省、市、区县、哪一端、快递公司、平台也停、依据"),
    )

    def clean_file(self) -> File[bytes]:
        file: File[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError(_now("文件超过 2 MB"))
        return file


def page(request: HttpRequest) -> HttpResponse:
    """The calendar; a post adds one entry or a file of them."""
    here = desk(request)
    shop_id = here.one.shop_id
    is_file = request.method == "POST" and "import" in request.POST
    form = PauseForm(request.POST if request.method == "POST" and not is_file else None)
    upload = FileForm(request.POST, request.FILES) if is_file else FileForm()
    report: ImportReport | None = None
    if request.method == "POST":
        try:
            here.check(Permission.EDIT_SETTINGS, shop_id)
            if is_file and upload.is_valid():
                report = _import(upload.cleaned_data["file"], shop_id, by(request))
            elif not is_file and form.is_valid():
                import_pauses.add(shop_id=shop_id, new=form.new(), by=by(request))
                tell(request, _now("已记下，全部包裹的时限正在重新计算"))
                return back_to(reverse("settings_calendar"))
        except Refused as refused:
            tell_refusal(request, refused)
    today = localtime(clock.now()).date()
    said = {
        "form": form,
        "upload": upload,
        "report": report,
        "problems": [(each, say(each)) for each in report.problems] if report else [],
        "rows": pauses.of_shop(shop_id),
        "public": pauses.public_after(today),
        "known_until": pauses.known_until(),
    }
    wrong = bool(form.errors or upload.errors)
    return render(request, "web/settings/calendar.html", said, status=422 if wrong else 200)


@require_POST
def switch(request: HttpRequest, pause_id: int, way: str) -> HttpResponse:
    """Take an entry back, or bring it back."""
    here = desk(request)
    shop_id = here.one.shop_id
    try:
        here.check(Permission.EDIT_SETTINGS, shop_id)
        if way == "back":
            import_pauses.restore(shop_id=shop_id, pause_id=pause_id, by=by(request))
            tell(request, _now("已恢复，全部包裹的时限正在重新计算"))
        else:
            import_pauses.take_back(shop_id=shop_id, pause_id=pause_id, by=by(request))
            undo = reverse("settings_calendar_switch", args=[pause_id, "back"])
            tell(request, _now("已删除，全部包裹的时限正在重新计算"), undo=undo)
    except Refused as refused:
        tell_refusal(request, refused)
    except ObjectDoesNotExist:
        raise Http404 from None
    return back_to(reverse("settings_calendar"))


def _import(file: File[bytes], shop_id: int, who: str) -> ImportReport:
    suffix = Path(file.name or "").suffix.lower()[:8]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"upload{suffix}")
        with path.open("wb") as copy:
            for chunk in file.chunks():
                copy.write(chunk)
        return import_pauses.run(path, shop_id, by=who)
