"""What the platform took: appealed in time, its evidence as one PDF, its money back; what fits no parcel."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from bufa.apps.cases import penalties
from bufa.apps.cases.penalties import WrittenNotice
from bufa.apps.claims import appeals, packs
from bufa.apps.claims import deductions as queries
from bufa.apps.claims.appeals import Prepared
from bufa.apps.claims.deductions import DeductionRow
from bufa.domain.appeals import FILES, AppealAct, clocks, grounds_for
from bufa.domain.outcome import Refused
from bufa.domain.penalties import Penalty
from bufa.jobs.bulk_sheet import write_xlsx
from bufa.lib import clock
from bufa.lib.shelf import together
from bufa.web.claims import download, frame, yuan_cell
from bufa.web.desk import actor, back_to, desk, tell, tell_refusal
from bufa.web.finding_forms import PenaltyForm
from bufa.web.forms import Choices
from bufa.web.papers import pdf
from bufa.web.words import carrier as carrier_name
from bufa.web.words import moment, say, word

PAGE = 50
MOST_ROWS = 20_000
LARGEST = 60 * 1024 * 1024


def _moment_field(label: Any, **more: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, widget=widget, **more)


class NoticeForm(PenaltyForm):
    """A deduction under what its notice names."""

    named = forms.CharField(label=_("订单编号或运单号"), max_length=40)
    field_order = ("named", "kind", "noticed_at", "amount")

    def written(self, shop_id: int) -> WrittenNotice:
        said = self.cleaned_data
        order, waybill = penalties.named(shop_id=shop_id, text=said["named"])
        return WrittenNotice(order, waybill, Penalty(said["kind"]), said["noticed_at"], self.amount_fen())


class PrepareForm(Choices):
    """What the appeal says."""

    ground = forms.ChoiceField(label=_("申诉理由"))
    area = forms.CharField(label=_("涉及区域"), max_length=200, required=False, help_text=_("要写到区县或街道"))
    begins_at = _moment_field(_("从什么时候"), required=False)
    ends_at = _moment_field(_("到什么时候"), required=False)
    words = forms.CharField(
        label=_("申诉说明"), max_length=appeals.MOST_WORDS, required=False, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("平台会看到这段话，写在材料第一页"),
    )  # fmt: skip

    def __init__(self, kind: Penalty, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("ground", [(one.id, word("appeal_ground", one.id)) for one in grounds_for(kind)])

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        begins, ends = said.get("begins_at"), said.get("ends_at")
        if begins and ends and ends < begins:
            self.add_error("ends_at", _now("要在开始以后"))
        return said

    def prepared(self) -> Prepared:
        said = self.cleaned_data
        return Prepared(said["ground"], said["words"], said["area"], said["begins_at"], said["ends_at"])


class SendForm(forms.Form):
    at = _moment_field(_("在平台提交的时间"))
    reference = forms.CharField(label=_("申诉单号"), max_length=80, required=False)


class MoneyForm(forms.Form):
    amount = forms.DecimalField(label=_("金额（元）"), min_value=0, max_value=1_000_000, decimal_places=2)
    at = _moment_field(_("什么时候"))
    reference = forms.CharField(label=_("流水号"), max_length=80, required=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("原因"), max_length=400)


class PlainForm(forms.Form):
    """Nothing to say."""


class ProofForm(Choices):
    """A file, and what it proves: a new one, or one that lies at the case."""

    proves = forms.ChoiceField(label=_("这是什么"))
    file = forms.FileField(label=_("文件"), required=False, help_text=_("照片、PDF 或打包视频"))
    there = forms.ChoiceField(label=_("或者案件里已有的"), required=False)

    def __init__(self, files: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("proves", [(one, word("appeal_want", one)) for one in FILES])
        self.choose("there", files, blank=_now("不选"))

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        file = said.get("file")
        if file is not None and (file.size or 0) > LARGEST:
            self.add_error("file", _now("文件超过 60 MB"))
        elif file is None and not said.get("there") and "file" not in self.errors:
            self.add_error("file", _now("选一个文件"))
        return said


_FORMS: dict[AppealAct, type[forms.Form]] = {
    AppealAct.SEND: SendForm,
    AppealAct.GRANT: MoneyForm,
    AppealAct.PAY_BACK: MoneyForm,
    AppealAct.REFUSE: ReasonForm,
    AppealAct.WAIVE: ReasonForm,
    AppealAct.REOPEN: PlainForm,
}


def page(request: HttpRequest) -> HttpResponse:
    """The list; a POST writes a deduction down by hand."""
    here = desk(request)
    now = clock.now()
    form = NoticeForm(request.POST or None, auto_id="id_notice_%s")
    if request.method == "POST" and form.is_valid():
        try:
            shop_id = here.one.shop_id
            taken = penalties.take(shop_id=shop_id, notices=[form.written(shop_id)], by=actor(here, shop_id))
            placed = taken.parcels[0] is not None
            tell(request, _now("扣款已记下") if placed else _now("扣款已记下，但没有对上包裹，列在下面"))
            return back_to(reverse("deductions"))
        except Refused as refused:
            form.add_error("noticed_at", say(refused.why))
    view = request.GET.get("view", "todo")
    view = view if view in queries.VIEWS else "todo"
    offset, kind = request.GET.get("after", ""), request.GET.get("kind", "")
    kind, text = kind if kind in set(Penalty) else "", request.GET.get("text", "").strip()[:40]
    start = int(offset) if offset.isdigit() and len(offset) < 8 else 0
    rows, following = queries.deductions(here.shops, view, now, kind=kind, text=text, after=start, limit=PAGE)
    said = {
        "rows": rows,
        "deduction_view": view,
        "deduction_views": queries.VIEWS,
        "kinds": [each.value for each in Penalty],
        "kind": kind,
        "text": text,
        "filtered": bool(kind or text),
        "next_cursor": str(following) if following else "",
        "at_cursor": offset,
        "form": form,
        "unplaced": queries.unplaced(here.shops, now),
        "days": clocks(now).days,
        **frame(here.shops, now),
        "view": "deductions",
    }
    return render(request, "web/deductions/list.html", said, status=422 if form.errors else 200)


@require_POST
def again(request: HttpRequest) -> HttpResponse:
    """Look once more for the parcels of what could not be placed."""
    here = desk(request)
    found = sum(penalties.match_again(shop_id=shop_id, by=actor(here, shop_id)) for shop_id in here.shops)
    tell(request, _now("又对上了 %(n)d 笔") % {"n": found} if found else _now("还是没有对上：先导入这些订单"))
    return back_to(reverse("deductions") + "#unplaced")


@require_POST
def place(request: HttpRequest, shop_id: int, notice_id: int) -> HttpResponse:
    """A person says which parcel it is about, or that it is about none."""
    by = actor(desk(request), shop_id)
    try:
        if request.POST.get("do") == "aside":
            penalties.set_aside(shop_id=shop_id, notice_id=notice_id, by=by)
            tell(request, _now("这笔放到一边了，不再列出"))
        else:
            text = request.POST.get("named", "")[:60]
            penalties.place(shop_id=shop_id, notice_id=notice_id, text=text, by=by)
            tell(request, _now("已对上，包裹重新判断过了"))
    except Refused as refused:
        tell_refusal(request, refused)
    except ObjectDoesNotExist:
        raise Http404 from None
    return back_to(reverse("deductions") + "#unplaced")


@require_GET
def one(request: HttpRequest, shop_id: int, notice_id: int) -> HttpResponse:
    return _show(request, shop_id, notice_id)


def _show(
    request: HttpRequest, shop_id: int, notice_id: int, failed: tuple[str, forms.Form] | None = None
) -> HttpResponse:
    here = desk(request)
    here.role(shop_id)
    now = clock.now()
    row = queries.deduction(shop_id, notice_id, now)
    if row is None:
        raise Http404
    if row.parcel_id is None:
        return back_to(reverse("deductions") + "#unplaced")
    together(*packs.read_ahead(shop_id, row), partial(queries.entries, shop_id, notice_id))
    stand = packs.stand(shop_id, row)
    typed = dict([failed]) if failed else {}
    loose = [(str(each.file.file_id), each.file.name) for each in (*stand.loose, *stand.materials)]
    said = {
        "row": row,
        "stand": stand,
        "entries": queries.entries(shop_id, notice_id),
        "acts": [(act, typed.get(act) or _form(AppealAct(act), row, now)) for act in row.acts if act != "prepare"],
        "prepare": typed.get("prepare") or (_prepare(row) if "prepare" in row.acts else None),
        "proof": typed.get("proof") or ProofForm(loose, auto_id="id_proof_%s"),
        "grounds": grounds_for(Penalty(row.kind)),
        "clocks": clocks(row.noticed_at),
    }
    return render(request, "web/deductions/one.html", said, status=422 if failed else 200)


def _prepare(row: DeductionRow, data: Any = None) -> PrepareForm:
    initial = {
        "ground": row.ground, "area": row.area, "begins_at": row.begins_at, "ends_at": row.ends_at, "words": row.words,
    }  # fmt: skip
    return PrepareForm(Penalty(row.kind), data, initial=initial, auto_id="id_prepare_%s")


def _form(act: AppealAct, row: DeductionRow, now: datetime, data: Any = None) -> forms.Form:
    whole = row.amount_fen or 0
    fen = {AppealAct.GRANT: whole, AppealAct.PAY_BACK: (row.granted_fen or whole) - row.back_fen}.get(act)
    initial = {"at": min(now, row.until) if act is AppealAct.SEND else now} | (
        {"amount": f"{fen / 100:.2f}"} if fen and fen > 0 else {}
    )
    return _FORMS[act](data, initial=initial, auto_id=f"id_{act.value}_%s")


@require_POST
def act(request: HttpRequest, shop_id: int, notice_id: int, act: str) -> HttpResponse:
    """One act on the appeal; what is refused comes back as it was typed."""
    here = desk(request)
    by = actor(here, shop_id)
    now = clock.now()
    row = queries.deduction(shop_id, notice_id, now)
    if row is None or row.parcel_id is None or act not in set(AppealAct):
        raise Http404
    what = AppealAct(act)
    form = _prepare(row, request.POST) if what is AppealAct.PREPARE else _form(what, row, now, request.POST)
    if not form.is_valid():
        return _show(request, shop_id, notice_id, (act, form))
    said, seen = form.cleaned_data, request.POST.get("version", "")
    amount = said.get("amount")
    try:
        moved = appeals.act(
            shop_id=shop_id,
            notice_id=notice_id,
            act=what,
            by=by,
            amount_fen=None if amount is None else int(amount * 100),
            reason=said.get("reason", ""),
            reference=said.get("reference", ""),
            prepared=form.prepared() if isinstance(form, PrepareForm) else None,
            version=int(seen) if seen.isdigit() else None,
            at=said.get("at"),
            now=now,
        )
    except Refused as refused:
        form.add_error(next(iter(form.fields), None), say(refused.why))
        return _show(request, shop_id, notice_id, (act, form))
    done = _now("申诉内容已保存") if what is AppealAct.PREPARE else word("appeal_state", moved.state)
    tell(request, done)
    return back_to(reverse("deductions_one", args=[shop_id, notice_id]))


@require_POST
def proof(request: HttpRequest, shop_id: int, notice_id: int) -> HttpResponse:
    """A file comes in, or is said to prove something."""
    here = desk(request)
    by = actor(here, shop_id)
    row = queries.deduction(shop_id, notice_id, clock.now())
    if row is None or row.parcel_id is None:
        raise Http404
    stand = packs.stand(shop_id, row)
    known = [(str(each.file.file_id), each.file.name) for each in (*stand.loose, *stand.materials)]
    form = ProofForm(known, request.POST, request.FILES, auto_id="id_proof_%s")
    if not form.is_valid():
        return _show(request, shop_id, notice_id, ("proof", form))
    said = form.cleaned_data
    file = said["file"]
    try:
        packs.add_proof(
            shop_id=shop_id,
            notice_id=notice_id,
            proves=said["proves"],
            by=by,
            name=file.name or "" if file else "",
            raw=file.read() if file else b"",
            file_id=int(said["there"] or 0),
        )
        tell(request, _now("材料已加上"))
    except Refused as refused:
        form.add_error("file", say(refused.why))
        return _show(request, shop_id, notice_id, ("proof", form))
    return back_to(reverse("deductions_one", args=[shop_id, notice_id]) + "#evidence")


@require_GET
def pack(request: HttpRequest, shop_id: int, notice_id: int) -> HttpResponse:
    """The evidence as one PDF."""
    by = actor(desk(request), shop_id)
    try:
        body = packs.pack(shop_id=shop_id, notice_id=notice_id, by=by)
    except Refused as refused:
        tell_refusal(request, refused)
        return back_to(reverse("deductions_one", args=[shop_id, notice_id]))
    except ObjectDoesNotExist:
        raise Http404 from None
    return pdf(body, f"appeal-{notice_id}.pdf")


COLUMNS = (
    _("订单编号"), _("承运商"), _("运单号"), _("扣款类型"), _("通知时间"), _("扣款（元）"), _("申诉状态"),
    _("申诉期限"), _("申诉理由"), _("提交时间"), _("申诉单号"), _("同意退回（元）"), _("已退回（元）"), _("净扣（元）"),
)  # fmt: skip
MONTH_COLUMNS = (
    _("月份"), _("扣款类型"), _("笔数"), _("扣款（元）"), _("已申诉"), _("成功"), _("驳回"), _("过期没申诉"),
    _("退回（元）"), _("净扣（元）"),
)  # fmt: skip


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """What the list shows, or with `?view=ledger` the ledger, as xlsx."""
    here = desk(request)
    now = clock.now()
    if request.GET.get("view") == "ledger":
        lines = [
            [f"{row.month:%Y-%m}", word("penalty", row.kind), str(row.count), yuan_cell(row.taken_fen), str(row.sent),
             str(row.granted), str(row.refused), str(row.lapsed), yuan_cell(row.back_fen), yuan_cell(row.net_fen)]
            for row in queries.ledger(here.shops, now)
        ]  # fmt: skip
        return download(write_xlsx([str(each) for each in MONTH_COLUMNS], lines), "bufa-deductions-ledger.xlsx")
    view, kind = request.GET.get("view", "all"), request.GET.get("kind", "")
    rows, _more = queries.deductions(
        here.shops,
        view if view in queries.VIEWS else "all",
        now,
        kind=kind if kind in set(Penalty) else "",
        text=request.GET.get("text", "").strip()[:40],
        limit=MOST_ROWS,
    )
    return download(write_xlsx([str(each) for each in COLUMNS], [_line(row) for row in rows]), "bufa-deductions.xlsx")


def _line(row: DeductionRow) -> list[str]:
    return [
        row.order_number, carrier_name(row.carrier) if row.carrier else "", row.number, word("penalty", row.kind),
        moment(row.noticed_at), "" if row.amount_fen is None else yuan_cell(row.amount_fen),
        word("appeal_state", row.state), moment(row.until), word("appeal_ground", row.ground) if row.ground else "",
        moment(row.sent_at) if row.sent_at else "", row.reference, yuan_cell(row.granted_fen),
        yuan_cell(row.back_fen), yuan_cell(row.lost_fen),
    ]  # fmt: skip
