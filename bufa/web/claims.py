"""Money asked from carriers: what needs doing, one claim, the ledger, carriers' sheets and what they leave unplaced."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from bufa.apps.cases import queries as cases
from bufa.apps.claims import actions, deductions, queries, reckoning, sheets
from bufa.apps.claims.queries import ClaimRow
from bufa.apps.negotiations import rules
from bufa.domain.carrier_rules import Library, Topic
from bufa.domain.claims import ANSWER_WITHIN, ClaimAct
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.domain.rulebook import SHOP_ZONE
from bufa.jobs import claims as claim_jobs
from bufa.jobs.bulk_sheet import write_xlsx
from bufa.jobs.import_report import ImportReport
from bufa.jobs.import_report import say as say_problem
from bufa.lib import clock
from bufa.web.desk import Desk, actor, back_to, desk, tell, tell_refusal
from bufa.web.forms import Choices
from bufa.web.words import carrier as carrier_name
from bufa.web.words import carrier_choices, moment, word, yuan

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LARGEST = 10 * 1024 * 1024
PAGE = 50
MOST_ROWS = 20_000
FINISHED_BY = {ClaimAct.ASK: ("amount",), ClaimAct.ANSWER: ("amount",), ClaimAct.PAY: ("amount", "reference", "on")}


class SheetForm(Choices):
    kind = forms.ChoiceField(label=_("文件里是什么"))
    carrier = forms.ChoiceField(
        label=_("承运商"), required=False, help_text=_("不选就只按运单号对；几家的单号可能相同，选了更稳")
    )
    file = forms.FileField(label=_("文件"), help_text=_("csv 或 xlsx，要有“运单号”和“金额”两列，最大 10 MB"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose(
            "kind",
            [
                ("paid", word("sheet_kind", "paid")),
                ("bill", word("sheet_kind", "bill")),
                ("insured", word("sheet_kind", "insured")),
            ],
        )
        self.choose("carrier", carrier_choices(), blank=_now("不限"))

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError(_now("文件超过 10 MB，请分成几份"))
        return file


class ActForm(forms.Form):
    """What an act needs: its fields are those of `FINISHED_BY`, else a reason."""

    amount = forms.DecimalField(
        label=_("金额（元）"), min_value=0, max_value=10_000_000, decimal_places=2, required=False
    )
    reference = forms.CharField(label=_("流水号或工单号"), max_length=80, required=False)
    on = forms.DateField(
        label=_("到账日期"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    reason = forms.CharField(label=_("原因"), max_length=400, required=False)

    def __init__(self, act: ClaimAct, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wanted = FINISHED_BY.get(act, ("reason",))
        for name in list(self.fields):
            if name not in wanted:
                del self.fields[name]
        for name in ("amount", "reason"):
            if name in self.fields:
                self.fields[name].required = True

    def fen(self) -> int | None:
        amount = self.cleaned_data.get("amount")
        return None if amount is None else int(amount * 100)


def frame(shops: Sequence[int], now: datetime) -> dict[str, Any]:
    """What the tabs of money show on each of their pages."""
    return {
        "views": queries.VIEWS,
        "counted": queries.counted(shops, now),
        "taken": deductions.counted(shops, now),
    }


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    now = clock.now()
    view = request.GET.get("view", "todo")
    view = view if view in queries.VIEWS else "todo"
    offset = request.GET.get("after", "")
    carrier, text = request.GET.get("carrier", ""), request.GET.get("text", "").strip()[:40]
    start = int(offset) if offset.isdigit() and len(offset) < 8 else 0
    rows, following = queries.claims(here.shops, view, now, carrier=carrier, text=text, after=start, limit=PAGE)
    said = {
        "rows": rows,
        "view": view,
        **frame(here.shops, now),
        "carrier": carrier,
        "carriers": carrier_choices(),
        "text": text,
        "filtered": bool(carrier or text),
        "next_cursor": str(following) if following else "",
        "at_cursor": offset,
    }
    return render(request, "web/claims/list.html", said)


@require_GET
def ledger(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    now = clock.now()
    said = {
        "rows": queries.ledger(here.shops),
        "months": deductions.ledger(here.shops, now),
        **frame(here.shops, now),
        "view": "ledger",
    }
    return render(request, "web/claims/ledger.html", said)


def bring(request: HttpRequest) -> HttpResponse:
    """A carrier's sheet in; what could not be placed listed below."""
    here = desk(request)
    shop = here.one
    form = SheetForm(request.POST or None, request.FILES or None)
    report: ImportReport | None = None
    placed: sheets.Placed | None = None
    if request.method == "POST" and form.is_valid():
        try:
            here.check(Permission.WORK_CLAIM, shop.shop_id)
            rows, report = _read(form.cleaned_data["file"])
            if rows:
                placed = sheets.take_sheet(
                    shop_id=shop.shop_id,
                    kind=form.cleaned_data["kind"],
                    carrier=form.cleaned_data["carrier"],
                    name=form.cleaned_data["file"].name or "",
                    rows=rows,
                    by=actor(here, shop.shop_id),
                )
        except Refused as refused:
            tell_refusal(request, refused)
    said = {
        "form": form,
        "report": report,
        "placed": placed,
        "problems": [(each, say_problem(each)) for each in report.problems[:200]] if report else [],
        "lines": queries.unmatched(here.shops),
        **frame(here.shops, clock.now()),
        "view": "sheets",
    }
    return render(request, "web/claims/sheets.html", said, status=422 if form.errors else 200)


@require_POST
def line(request: HttpRequest, shop_id: int, line_id: int) -> HttpResponse:
    """Place an unplaced row, or set it aside."""
    here = desk(request)
    by = actor(here, shop_id)
    try:
        if request.POST.get("do") == "aside":
            sheets.set_aside(shop_id=shop_id, line_id=line_id, by=by)
            tell(request, _now("这一行放到一边了，不再列出"))
        else:
            claim_id = sheets.claim_by_number(shop_id, request.POST.get("claim", "")[:60])
            if claim_id is None:
                raise Refused("claim_not_found")
            sheets.place_line(shop_id=shop_id, line_id=line_id, claim_id=claim_id, by=by)
            tell(request, _now("已记到这笔索赔"))
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("claims_sheets"))


@require_GET
def claim(request: HttpRequest, shop_id: int, claim_id: int) -> HttpResponse:
    return _show(request, shop_id, claim_id, {})


def _show(request: HttpRequest, shop_id: int, claim_id: int, failed: dict[str, ActForm]) -> HttpResponse:
    here = desk(request)
    here.role(shop_id)
    found = queries.claim(shop_id, claim_id)
    if found is None:
        raise Http404
    said = {
        "claim": found,
        "entries": queries.entries(shop_id, claim_id),
        "acts": act_forms(found, failed),
        "rules": _rules_of(found, rules.of_shop(shop_id)),
        "insured": _insured(found),
    }
    return render(request, "web/claims/claim.html", said, status=422 if failed else 200)


def _insured(found: ClaimRow) -> InsuredForm | None:
    """Where it can still change what is asked for."""
    if not found.in_window:
        return None
    fen = found.insured_fen
    return InsuredForm(initial={"insured": f"{fen / 100:.2f}"} if fen else {}, auto_id="id_insured_%s")


def act_forms(found: ClaimRow, failed: dict[str, ActForm] | None = None) -> list[tuple[str, ActForm]]:
    """What can be done to a claim, each with its form; amounts are proposed."""
    proposed = {"ask": found.ask_fen, "answer": found.asked_fen, "pay": found.short_fen or found.ask_fen}
    made = []
    for name in found.acts:
        amount = proposed.get(name)
        initial = {"amount": f"{amount / 100:.2f}"} if amount else {}
        form = (failed or {}).get(name) or ActForm(ClaimAct(name), auto_id=f"id_claim_{name}_%s", initial=initial)
        made.append((name, form))
    return made


def _rules_of(found: ClaimRow, book: Library) -> list[Any]:
    return [rule for name in (found.window_rule, found.rule_id) if name and (rule := book.get(name))]


@require_POST
def act(request: HttpRequest, shop_id: int, claim_id: int, act: str) -> HttpResponse:
    here = desk(request)
    by = actor(here, shop_id)
    if act not in set(ClaimAct) - {ClaimAct.LAPSE}:
        raise Http404
    found = queries.claim(shop_id, claim_id)
    if found is None:
        raise Http404
    what = ClaimAct(act)
    form = ActForm(what, request.POST, auto_id=f"id_claim_{act}_%s")
    if not form.is_valid():
        return _show(request, shop_id, claim_id, {act: form})
    said, seen = form.cleaned_data, request.POST.get("version", "")
    now = clock.now()
    rule = rules.of_shop(shop_id).first(Topic.ANSWER, found.carrier, None, now.date())
    within = timedelta(hours=rule.hours) if rule else ANSWER_WITHIN
    try:
        moved = actions.act(
            shop_id=shop_id,
            claim_id=claim_id,
            act=what,
            by=by,
            amount_fen=form.fen(),
            reason=said.get("reason", ""),
            reference=said.get("reference", ""),
            at=_noon(said.get("on"), now),
            version=int(seen) if seen.isdigit() else None,
            now=now,
            answer_within=within,
        )
        short = _now("，还差 %(money)s") % {"money": yuan(moved.short_fen)} if moved.short_fen and act == "pay" else ""
        tell(request, _now("索赔：%(state)s%(short)s") % {"state": word("claim_state", moved.state), "short": short})
    except Refused as refused:
        tell_refusal(request, refused)
    if request.POST.get("from") == "case":
        return back_to(reverse("cases_case", args=[shop_id, found.case_code]) + "#claims")
    return back_to(reverse("claims_claim", args=[shop_id, claim_id]))


def _noon(on: Any, now: datetime) -> datetime | None:
    if on is None:
        return None
    at = now.astimezone(SHOP_ZONE).replace(year=on.year, month=on.month, day=on.day)
    return min(at, now)


class InsuredForm(forms.Form):
    insured = forms.DecimalField(
        label=_("保价金额（元）"), min_value=0, max_value=10_000_000, decimal_places=2, required=False,
        widget=forms.NumberInput(attrs={"aria-label": _("保价金额（元），没有保价就留空"), "step": "0.01"}),
    )  # fmt: skip


@require_POST
def insure(request: HttpRequest, shop_id: int, claim_id: int) -> HttpResponse:
    """What the parcel was insured for; reckoned with at once."""
    here = desk(request)
    by = actor(here, shop_id)
    found = queries.claim(shop_id, claim_id)
    if found is None:
        raise Http404
    form = InsuredForm(request.POST, auto_id="id_insured_%s")
    if not form.is_valid():
        tell_refusal(request, Refused("claim_amount"))
        return back_to(reverse("claims_claim", args=[shop_id, claim_id]))
    amount, seen = form.cleaned_data["insured"], request.POST.get("version", "")
    now = clock.now()
    try:
        actions.insure(
            shop_id=shop_id,
            claim_id=claim_id,
            insured_fen=int(amount * 100) if amount else None,
            by=by,
            version=int(seen) if seen.isdigit() else None,
            now=now,
        )
        reckoning.reckon_case(shop_id, found.case_id, rules.of_shop(shop_id), now)
        tell(request, _now("保价金额已记下，可索赔的金额重新算过了"))
    except Refused as refused:
        tell_refusal(request, refused)
    return back_to(reverse("claims_claim", args=[shop_id, claim_id]))


@require_POST
def open_claim(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """From the case: reckon now, and go to the claim."""
    here = desk(request)
    here.role(shop_id)
    row = cases.case_by_code([shop_id], code)
    if row is None:
        raise Http404
    try:
        here.check(Permission.WORK_CLAIM, shop_id)
        made = reckoning.reckon_case(shop_id, row.case_id, rules.of_shop(shop_id), clock.now())
        if made.state == "none":
            raise Refused("claim_nothing_owed")
    except Refused as refused:
        tell_refusal(request, refused)
        return back_to(reverse("cases_case", args=[shop_id, code]))
    return back_to(reverse("claims_claim", args=[shop_id, made.pk]))


CLAIM_COLUMNS = (
    _("承运商"), _("运单号"), _("案件号"), _("订单编号"), _("问题"), _("状态"), _("货值（元）"), _("运费（元）"),
    _("按条款最低（元）"), _("按条款最高（元）"), _("要求（元）"), _("已赔（元）"), _("还差（元）"), _("索赔期限"),
    _("答复期限"), _("提出时间"),
)  # fmt: skip
LEDGER_COLUMNS = (
    _("月份"), _("承运商"), _("索赔件数"), _("要求（元）"), _("已赔（元）"), _("赔付率"), _("被拒"), _("过期"),
)  # fmt: skip


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """What the list shows, or the ledger, as xlsx."""
    here = desk(request)
    if request.GET.get("view") == "ledger":
        lines = [
            [f"{row.month:%Y-%m}", carrier_name(row.carrier), str(row.claims), yuan_cell(row.asked_fen),
             yuan_cell(row.paid_fen), f"{row.share}%" if row.share is not None else "", str(row.refused),
             str(row.lapsed)]
            for row in queries.ledger(here.shops)
        ]  # fmt: skip
        return download(write_xlsx([str(each) for each in LEDGER_COLUMNS], lines), "bufa-claims-ledger.xlsx")
    view = request.GET.get("view", "all")
    rows, _more = queries.claims(
        here.shops,
        view if view in queries.VIEWS else "all",
        clock.now(),
        carrier=request.GET.get("carrier", ""),
        text=request.GET.get("text", "").strip()[:40],
        limit=MOST_ROWS,
    )
    return download(write_xlsx([str(each) for each in CLAIM_COLUMNS], [_line(row) for row in rows]), "bufa-claims.xlsx")


def _line(row: ClaimRow) -> list[str]:
    money = (row.value_fen, row.freight_fen, row.low_fen, row.high_fen, row.asked_fen, row.paid_fen, row.short_fen)
    return [
        carrier_name(row.carrier), row.number, row.case_code, row.order_number, word("claim", row.kind),
        word("claim_state", row.state), *(yuan_cell(each) for each in money),
        *(moment(at) if at else "" for at in (row.until, row.due_at, row.asked_at)),
    ]  # fmt: skip


def yuan_cell(fen: int) -> str:
    """Money as a cell: 12.50."""
    return f"{fen / 100:.2f}"


def _read(file: Any) -> tuple[list[sheets.PaidRow], ImportReport]:
    suffix = Path(file.name or "").suffix.lower()[:8]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"sheet{suffix}")
        with path.open("wb") as copy:
            for chunk in file.chunks():
                copy.write(chunk)
        return claim_jobs.read_sheet(path)


def download(body: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(body, content_type=XLSX)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def of_case(here: Desk, shop_id: int, case_id: int) -> list[dict[str, Any]]:
    """A case's claims with their forms, for its page."""
    return [{"claim": each, "acts": act_forms(each)} for each in queries.of_case(shop_id, case_id)]
