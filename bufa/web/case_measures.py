"""The first step of a case at the desk: what people say about the parcel, the measure, the second person, the money."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from bufa.apps.cases import actions as cases_actions
from bufa.apps.cases import files, pasting, remedies
from bufa.apps.cases import queries as cases
from bufa.apps.cases.shapes import CaseView
from bufa.apps.negotiations import intercept
from bufa.domain.case_facts import Action, Claim
from bufa.domain.kinds import Measure
from bufa.domain.outcome import Refused
from bufa.domain.parcel_requests import RequestKind, RequestState
from bufa.domain.verdict import Source
from bufa.lib import clock
from bufa.web import case_forms, case_page
from bufa.web.case_doing import Doing, Mistyped, Undoable, checked, finish, start
from bufa.web.desk import actor, desk
from bufa.web.words import say, word

MOST_AT_ONCE = 10


def _case(doing: Doing) -> CaseView:
    found = cases.case_page(doing.shop_id, doing.row.code, doing.by.role, clock.now())
    if found is None:
        raise Http404
    return found


# --- the measure -----------------------------------------------------------------------------------------------------


def decide(doing: Doing) -> str:
    """Verdict and measure together: one press where a person agrees with the proposal. What costs more than one person
    may spend is asked for instead."""
    form = case_forms.MeasureForm(doing.request.POST, auto_id="id_decide_%s")
    said = checked("decide", form)
    measure = Measure(said["measure"])
    doing.refuse_if_overtaken()
    found = _case(doing)
    open_acts = {each.action for each in found.actions if each.allowed}
    changes = Action.CHANGE_MEASURE in open_acts
    if changes and not said["reason"]:
        form.add_error("reason", _("写一句为什么改，同事会看到"))
        raise Mistyped("decide", form)
    version = doing.version
    if not changes and Action.CONFIRM_VERDICT in open_acts and said["claim"]:
        version = _act(doing, Action.CONFIRM_VERDICT, version, claim=said["claim"])
    more = form.more(measure)
    if said["reason"]:
        more["reason"] = said["reason"]
    try:
        _act(doing, Action.CHANGE_MEASURE if changes else Action.CHOOSE_MEASURE, version, measure=measure, **more)
    except Refused as refused:
        if refused.why.code != "approval_needed":
            raise
        if not said["reason"]:
            form.add_error("reason", say(refused.why))
            raise Mistyped("decide", form) from None
        _act(doing, Action.REQUEST_APPROVAL, version, measure=measure, **more)
        return _("已申请%(measure)s，等有权限的同事批准") % {"measure": word("measure", measure.value)}
    return _("已选%(measure)s") % {"measure": word("measure", measure.value)}


def _act(doing: Doing, action: Action, version: int | None, **params: Any) -> int:
    return cases_actions.act(
        shop_id=doing.shop_id, case_id=doing.case_id, action=action, by=doing.by, version=version, **params
    ).version


def approve(doing: Doing) -> str:
    doing.do(Action.APPROVE)
    return _("已批准，措施生效")


def decline(doing: Doing) -> str:
    said = checked("decline", case_forms.ReasonForm(doing.request.POST, auto_id="id_decline_%s"))
    doing.do(Action.DECLINE, reason=said["reason"])
    return _("已驳回，申请人会看到原因")


def withdraw(doing: Doing) -> str:
    doing.do(Action.WITHDRAW_REQUEST)
    return _("申请已撤回")


# --- what the measure does outside -----------------------------------------------------------------------------------


def remedy_by_platform(doing: Doing) -> str:
    remedies.by_platform(shop_id=doing.shop_id, case_id=doing.case_id, by=doing.by)
    return _("10 秒后告诉平台，可以撤回")


def remedy_done(doing: Doing) -> str:
    form = case_forms.RemedyForm(doing.request.POST, auto_id="id_remedy_%s")
    said = checked("remedy", form)
    remedies.done_by_hand(
        shop_id=doing.shop_id,
        case_id=doing.case_id,
        by=doing.by,
        reference=said["reference"],
        amount_fen=form.amount_fen(),
        version=doing.version,
    )
    return _("已记下：办好了，记入台账")


def release_remedy(doing: Doing) -> str:
    is_done = doing.request.POST.get("done") == "1"
    remedies.release(shop_id=doing.shop_id, remedy_id=doing.number("remedy"), is_done=is_done, by=doing.by)
    return _("已记下平台上的结果")


# --- statements, files, pasted traces --------------------------------------------------------------------------------


def statement(doing: Doing) -> str:
    found = _case(doing)
    form = case_forms.StatementForm(
        doing.request.POST, doing.request.FILES, auto_id="id_statement_%s", lines=found.order.lines
    )
    said = checked("statement", form)
    statement_id = cases_actions.add_statement(
        shop_id=doing.shop_id,
        case_id=doing.case_id,
        source=Source(said["source"]),
        claim=Claim(said["claim"]),
        words=said["words"],
        said_at=said["said_at"],
        by=doing.by,
        items=tuple(form.items()),
        wish=Measure(said["wish"]) if said["wish"] else None,
    )
    kept, refused = _keep(doing, form.uploads(), statement_id)
    text = _("已记下%(who)s的说法，判定已重新计算") % {"who": word("source", said["source"])}
    return _with_files(doing, text, kept, refused)


def add_files(doing: Doing) -> str:
    form = case_forms.FilesForm(doing.request.POST, doing.request.FILES, auto_id="id_files_%s")
    checked("files", form)
    kept, refused = _keep(doing, form.uploads(), None)
    if not kept and not refused:
        form.add_error("photos", _("没有选文件"))
        raise Mistyped("files", form)
    return _with_files(doing, "", kept, refused)


def _keep(
    doing: Doing, uploads: Iterable[tuple[str, case_forms.Upload]], statement_id: int | None
) -> tuple[int, list[str]]:
    """Keep every file that can be kept; what is refused is told by name, the others are not lost for it."""
    kept, refused = 0, []
    for slot, upload in list(uploads)[:MOST_AT_ONCE]:
        try:
            size = upload.size or 0
            if size > max(files.MOST_BYTES.values()):
                raise Refused("file_too_large", most_mb=max(files.MOST_BYTES.values()) // files.PART)
            files.add_file(
                shop_id=doing.shop_id,
                case_id=doing.case_id,
                name=upload.name or "",
                raw=upload.read(),
                slot=slot,
                statement_id=statement_id,
                by=doing.by,
            )
            kept += 1
        except Refused as refusal:
            refused.append(f"{upload.name}：{say(refusal.why)}")
    return kept, refused


def _with_files(doing: Doing, text: str, kept: int, refused: list[str]) -> str:
    for line in refused:
        messages.error(doing.request, line)
    added = _("收下 %(n)d 个文件") % {"n": kept} if kept else ""
    return "；".join(part for part in (text, added) if part)


def remove_file(doing: Doing) -> str:
    files.remove_file(shop_id=doing.shop_id, case_id=doing.case_id, file_id=doing.number("file"), by=doing.by)
    return _("文件已删除")


@require_GET
def show_file(request: HttpRequest, shop_id: int, code: str, file_id: int) -> HttpResponse | StreamingHttpResponse:
    """A file of a case, for members of its shop. Photos are shown, everything else is handed out as a download."""
    here = desk(request)
    here.role(shop_id)
    row = cases.case_by_code([shop_id], code)
    if row is None:
        raise Http404
    response: HttpResponse | StreamingHttpResponse
    if request.GET.get("size") == "small":
        small = files.thumb(shop_id, row.case_id, file_id)
        if small is None:
            raise Http404
        response = HttpResponse(small, content_type="image/jpeg")
        response["Cache-Control"] = "private, max-age=3600"
        return response
    found = files.open_file(shop_id=shop_id, case_id=row.case_id, file_id=file_id, by=actor(here, shop_id))
    if found is None:
        raise Http404
    response = StreamingHttpResponse(found.body, content_type=found.media_type)
    response["Content-Length"] = str(found.size)
    as_download = found.media_type != "image/jpeg" or "download" in request.GET
    response["Content-Disposition"] = content_disposition_header(as_download, found.name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


@require_POST
def paste(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """A trace copied from a carrier's page: shown as it was read, or kept."""
    doing = start(request, shop_id, code)
    form = case_forms.PasteForm(request.POST, auto_id="id_paste_%s")
    found = _case(doing)
    current = found.reissue_parcels[-1] if found.reissue_parcels else found.original
    if request.POST.get("do") != "save" and form.is_valid():
        read = pasting.look(form.cleaned_data["trace"], current.carrier, clock.now())
        return case_page.show(request, shop_id, code, kept={"paste": form}, pasted=read)

    def work() -> str:
        said = checked("paste", form)
        read = pasting.paste_trace(shop_id=shop_id, parcel_id=current.parcel_id, text=said["trace"], by=doing.by)
        return told_of(read)

    return finish(doing, work)


def told_of(read: pasting.Read) -> str:
    """What became of pasted text, in one sentence."""
    said = [_("读出 %(n)d 条轨迹，新增 %(new)d 条") % {"n": len(read.lines), "new": read.new_scans}]
    if read.unmapped:
        said.append(_("%(n)d 条文字没有识别") % {"n": read.unmapped})
    if read.unread:
        said.append(_("%(n)d 行没有时间，没有采用") % {"n": len(read.unread)})
    return "；".join(said)


# --- asked of the carrier about a parcel on its way ------------------------------------------------------------------


def ask_request(doing: Doing) -> str | Undoable:
    """The button names parcel and kind; a cost that stands beside it has to be accepted."""
    parcel, _sep, kind = doing.request.POST.get("what", "").partition(".")
    if not parcel.isdigit() or kind not in set(RequestKind):
        raise Http404
    asked = intercept.request(
        shop_id=doing.shop_id,
        case_id=doing.case_id,
        kind=RequestKind(kind),
        by=doing.by,
        parcel_id=int(parcel),
        accept_penalty=doing.request.POST.get("accept") == "1",
        words=doing.request.POST.get("words", "")[:600],
    )
    said = _("%(what)s：%(way)s") % {"what": word("request", kind), "way": word("request_way", asked.way.value)}
    return Undoable(said, "request-result", {"request": str(asked.request_id), "state": "withdrawn"})


def request_result(doing: Doing) -> str:
    """What came of it, in one press."""
    state = doing.request.POST.get("state", "")
    if state not in set(RequestState) - {RequestState.ASKED}:
        raise Http404
    request_id = doing.number("request")
    if request_id not in {one.request_id for one in intercept.of_case(doing.shop_id, doing.case_id)}:
        raise Http404
    intercept.result(
        shop_id=doing.shop_id,
        request_id=request_id,
        state=RequestState(state),
        by=doing.by,
        words=doing.request.POST.get("words", "")[:600],
    )
    return _("已记下：%(state)s") % {"state": word("request_state", state)}


ACTS: dict[str, Callable[[Doing], str | Undoable]] = {
    "request": ask_request,
    "request-result": request_result,
    "decide": decide,
    "approve": approve,
    "decline": decline,
    "withdraw": withdraw,
    "remedy-platform": remedy_by_platform,
    "remedy-done": remedy_done,
    "release-remedy": release_remedy,
    "statement": statement,
    "files": add_files,
    "remove-file": remove_file,
}
