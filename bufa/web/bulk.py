"""Many reissues at once: a sheet, a pasted table or chosen cases; looked through, submitted, followed row by row."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core.files import File
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from bufa.apps.cases import queries as cases
from bufa.apps.cases.shapes import CaseFilters, CaseRow
from bufa.apps.reissues import bulk, bulk_queries
from bufa.apps.reissues.bulk_check import SheetRow
from bufa.apps.reissues.bulk_queries import RowView, RunView
from bufa.domain.bulk import MOST_ROWS
from bufa.domain.outcome import Refused, Why
from bufa.domain.permissions import Permission
from bufa.jobs import bulk_sheet, import_report
from bufa.web import cases_picked
from bufa.web.desk import actor, back_to, desk, tell, tell_refusal
from bufa.web.words import carrier as carrier_name
from bufa.web.words import carrier_choices, fill, has_words, moment, say, word

LARGEST = 5 * 1024 * 1024
PAGE = 100
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SheetForm(forms.Form):
    """A file, or what was copied out of a spreadsheet. `key` makes one run of a form sent twice."""

    key = forms.CharField(max_length=40, widget=forms.HiddenInput)
    file = forms.FileField(label=_("表格"), required=False, help_text=_("csv（UTF-8 或 GBK）或 xlsx，最多 2000 行"))
    text = forms.CharField(
        label=_("或者粘贴"),
        required=False,
        max_length=400_000,
        widget=forms.Textarea(attrs={"rows": 5, "class": "mono", "spellcheck": "false"}),
        help_text=_("从表格里复制：案件号或订单号、承运商、运单号、补发商品（可不填）"),
    )

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        file: File[bytes] | None = said.get("file")
        if file is None and not said.get("text", "").strip():
            self.add_error("file", _now("选一个文件，或粘贴几行"))
        elif file is not None and (file.size or 0) > LARGEST:
            self.add_error("file", _now("文件超过 5 MB，请分成几份"))
        return said


def page(request: HttpRequest) -> HttpResponse:
    """Upload, paste, or fill in the numbers of chosen cases; below, the runs so far."""
    here = desk(request)
    shop = here.one
    chosen = _chosen(request, shop.shop_id)
    form = SheetForm(initial={"key": uuid4().hex})
    if request.method == "POST":
        form = SheetForm(request.POST, request.FILES) if "ref" not in request.POST else form
        try:
            here.check(Permission.SUBMIT_REISSUE, shop.shop_id)
            answer = _take(request, shop.shop_id, form)
            if answer is not None:
                return answer
        except Refused as refused:
            tell_refusal(request, refused)
        except bulk_sheet.Unreadable as unreadable:
            form.add_error("file" if form.files.get("file") else "text", import_report.say(unreadable.problem))
    said = {
        "form": form,
        "shop": shop,
        "chosen": chosen,
        "carriers": carrier_choices(),
        "new_key": uuid4().hex,
        "runs": bulk_queries.newest(here.shops),
        "most": MOST_ROWS,
    }
    return render(request, "web/bulk/page.html", said, status=422 if form.is_bound and form.errors else 200)


def _take(request: HttpRequest, shop_id: int, form: SheetForm) -> HttpResponse | None:
    if "ref" in request.POST:
        key, name = request.POST.get("key", "")[:40], _now("选中的案件")
        fields = zip(*(request.POST.getlist(each) for each in ("ref", "carrier", "number")), strict=False)
        rows = [
            SheetRow(at, ref.strip().upper()[:40], carrier, number[:60])
            for at, (ref, carrier, number) in enumerate(fields, start=1)
            if number.strip()
        ]
    elif not form.is_valid():
        return None
    else:
        key, file = form.cleaned_data["key"], form.cleaned_data["file"]
        name = Path(file.name or "").name if file else _now("粘贴的表格")
        rows = _read(file) if file else bulk_sheet.read_text(form.cleaned_data["text"])
    by = actor(desk(request), shop_id)
    run_id = bulk.look_through(shop_id=shop_id, key=key or uuid4().hex, name=name, rows=rows, by=by)
    return back_to(reverse("bulk_run", args=[shop_id, run_id]))


def _read(file: File[bytes]) -> list[SheetRow]:
    suffix = Path(file.name or "").suffix.lower()[:8]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"sheet{suffix}")
        path.write_bytes(file.read())
        return bulk_sheet.read_sheet(path)


def _chosen(request: HttpRequest, shop_id: int) -> list[CaseRow]:
    chosen = [cases_picked.read(each) for each in request.GET.getlist("case")[:200]]
    found = [cases.case_by_code([shop_id], code) for shop, code in chosen if shop in (None, shop_id)]
    return [row for row in found if row is not None]


@require_GET
def sheet(request: HttpRequest) -> HttpResponse:
    """All cases that wait for a reissue number, as a sheet to fill in."""
    shop_id = desk(request).one.shop_id
    rows: list[list[str]] = []
    cursor = ""
    while len(rows) < MOST_ROWS:
        found = cases.case_list([shop_id], CaseFilters(step="number", measure="reissue"), cursor, limit=500)
        rows += [
            [row.code, "", "", "", row.order_number, word("rule", row.headline), row.number]
            for row in found.rows
            if row.state == "numbering"
        ]
        cursor = found.next_cursor
        if not cursor:
            break
    notes = (_now("订单编号（只供参考）"), _now("问题"), _now("原运单号"))
    return _download(bulk_sheet.template(rows, notes), "bufa-reissues.xlsx")


def run(request: HttpRequest, shop_id: int, run_id: int) -> HttpResponse:
    """One run: before it starts what each row will come to, then what came of it."""
    return render(request, "web/bulk/run.html", _shown(request, shop_id, run_id))


def rows(request: HttpRequest, shop_id: int, run_id: int) -> HttpResponse:
    """The moving part of a run, for htmx to ask."""
    return render(request, "web/bulk/rows.html", _shown(request, shop_id, run_id))


def _found(request: HttpRequest, shop_id: int, run_id: int) -> RunView:
    if shop_id not in desk(request).all_shops:
        raise Http404
    found = bulk_queries.run_view(shop_id, run_id)
    if found is None:
        raise Http404
    return found


def _shown(request: HttpRequest, shop_id: int, run_id: int) -> dict[str, Any]:
    found = _found(request, shop_id, run_id)
    counts = found.verdicts if found.is_checked else found.results
    order = (
        ("pass", "cannot_tell", "punished_later", "refused")
        if found.is_checked
        else ("accepted", "rejected", "unknown", "failed", "submitting", "waiting", "stopped", "left_out", "refused")
    )
    group = request.GET.get("show", "all")
    group = group if group in order else "all"
    at = request.GET.get("from", "")
    first = int(at) if at.isdigit() and len(at) < 7 else 0
    total = found.rows if group == "all" else counts.get(group, 0)
    shown = bulk_queries.rows_of(shop_id, run_id, group, first, PAGE)
    return {
        "run": found,
        "rows": [(row, [said(why) for why in row.whys]) for row in shown],
        "tabs": [(each, counts[each]) for each in order if counts.get(each)],
        "group": group,
        "first": first,
        "last": first + len(shown),
        "total": total,
        "before": max(first - PAGE, 0) if first else None,
        "after": first + PAGE if first + len(shown) < total else None,
        "may_override": desk(request).may(Permission.OVERRIDE_GATE, shop_id),
        "may_submit": desk(request).may(Permission.SUBMIT_REISSUE, shop_id),
        "can_stop": found.state == "running" or bool(found.results.get("submitting")),
    }


@require_POST
def do(request: HttpRequest, shop_id: int, run_id: int, act: str) -> HttpResponse:
    """One press on a run; with htmx only the moving part comes back."""
    _found(request, shop_id, run_id)
    by = actor(desk(request), shop_id)
    row = request.POST.get("row", "")
    number = int(row) if row.isdigit() and len(row) < 8 else 0
    about: Any = {"shop_id": shop_id, "run_id": run_id}
    try:
        desk(request).check(Permission.SUBMIT_REISSUE, shop_id)
        match act:
            case "take" | "leave-out":
                verdict = request.POST.get("verdict", "")
                bulk.choose(**about, by=by, take=act == "take", row=number, verdict=verdict)
            case "start":
                n = bulk.start(**about, by=by, override_reason=request.POST.get("override_reason", ""))
                if n:
                    tell(request, ngettext("%(n)d 行开始提交", "%(n)d 行开始提交", n) % {"n": n})
                else:
                    _tell_who_was_faster(request, shop_id, run_id)
            case "stop":
                kept, back = bulk.stop(**about, by=by)
                tell(request, _now("停下了：%(kept)d 行没有提交，%(back)d 行撤回") % {"kept": kept, "back": back})
            case "go-on":
                n = bulk.go_on(**about, by=by)
                tell(request, ngettext("%(n)d 行接着提交", "%(n)d 行接着提交", n) % {"n": n})
            case "take-back":
                if not bulk.take_back(**about, row=number, by=by):
                    raise Refused("already_left")
            case _:
                raise Http404
    except Refused as refused:
        tell_refusal(request, refused)
    page_url = reverse("bulk_run", args=[shop_id, run_id])
    at = request.POST.get("at", "")
    return back_to(f"{page_url}?{at}" if at else page_url)


def _tell_who_was_faster(request: HttpRequest, shop_id: int, run_id: int) -> None:
    """The second window, or the second person, at the same button."""
    found = _found(request, shop_id, run_id)
    said = {"by": found.by, "at": moment(found.started_at)}
    messages.warning(request, _now("%(by)s 在 %(at)s 已经开始提交这一批，没有再提交一遍") % said)


@require_GET
def results(request: HttpRequest, shop_id: int, run_id: int) -> HttpResponse:
    """What came of every row, as xlsx."""
    found = _found(request, shop_id, run_id)
    head = [_now(each) for each in RESULT_COLUMNS]
    lines = [_line(row) for row in bulk_queries.rows_of(shop_id, run_id, "all", 0, MOST_ROWS)]
    return _download(bulk_sheet.write_xlsx(head, lines), f"bufa-reissues-{found.run_id}.xlsx")


RESULT_COLUMNS = ("行", "案件或订单", "案件号", "订单编号", "承运商", "补发运单号", "预检", "结果", "补发单号", "原因")


def _line(row: RowView) -> list[str]:
    reasons = [said(why) for why in row.whys]
    if row.failure or row.said:
        reasons.append(
            "：".join(each for each in (word("failure", row.failure) if row.failure else "", row.said) if each)
        )
    verdict, result = word("gate", row.verdict), word("bulk", row.result)
    carrier = carrier_name(row.carrier)
    place = (str(row.row), row.reference, row.case_code, row.order_number)
    return [*place, carrier, row.number, verdict, result, row.reissue_code, "；".join(reasons)]


def said(why: Why) -> str:
    """A reason of a row; what was wrong with the file has the words of every import."""
    code = why.code.removeprefix("sheet_")
    if not has_words(why.code) and code in import_report.WORDS:
        return fill(_now(import_report.WORDS[code]), why.params)
    return say(why)


def _download(body: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(body, content_type=XLSX)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
