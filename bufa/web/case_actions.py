"""What people do to a case. One address per act; each checks its form, calls one action, and goes back to the case."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bufa.apps.cases import actions as cases_actions
from bufa.apps.cases import queries as cases
from bufa.apps.cases import remedies
from bufa.apps.negotiations import actions as negotiations
from bufa.apps.negotiations import queries as talks
from bufa.apps.negotiations import rules
from bufa.apps.notices import actions as notices
from bufa.apps.notices import opt_outs
from bufa.apps.notices import queries as notices_told
from bufa.apps.orders import opening
from bufa.apps.reissues import actions as reissues
from bufa.apps.reissues import corrections
from bufa.apps.shops import queries as shops
from bufa.domain.case_facts import Action, Claim, Outcome, Purpose
from bufa.domain.notices import Channel
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.lib import clock
from bufa.web import case_address, case_carrier, case_customer, case_forms, case_measures, case_page, case_talk
from bufa.web.case_doing import Doing, Mistyped, Undoable, checked, finish, start
from bufa.web.desk import actor, tell_refusal


@require_POST
def act(request: HttpRequest, shop_id: int, code: str, act: str) -> HttpResponse:
    handler = ACTS.get(act)
    if handler is None:
        raise Http404
    doing = start(request, shop_id, code)
    return finish(doing, lambda: handler(doing))


# --- determine -------------------------------------------------------------------------------------------------------


def wait_over(doing: Doing) -> str:
    doing.do(Action.WAIT_OVER)
    return _("等待已结束，请重新判定")


def dismiss(doing: Doing) -> Undoable:
    said = checked("dismiss", case_forms.ReasonForm(doing.request.POST, auto_id="id_dismiss_%s"))
    doing.do(Action.DISMISS, reason=said["reason"])
    return Undoable(_("已结案：不是异常"), "reopen", {"reason": _("刚才结错了，撤销")})


# --- negotiate -------------------------------------------------------------------------------------------------------


def ask(doing: Doing) -> str:
    page = cases.case_page(doing.row.shop_id, doing.row.code, doing.by.role, clock.now())
    current = page.reissue_parcels[-1] if page and page.reissue_parcels else page.original if page else None
    contacts = (
        talks.contacts_for(
            doing.row.shop_id,
            current.carrier,
            case_carrier.place_of(doing.row, current),
            current.origin_province,
            current.dest_province,
        )
        if current
        else ()
    )
    form = case_forms.AskForm(doing.request.POST, auto_id="id_ask_%s", contacts=contacts)
    said = checked("ask", form)
    negotiations.ask_carrier(
        shop_id=doing.shop_id,
        case_id=doing.case_id,
        contact_id=int(said["contact"]),
        by=doing.by,
        extra=said["extra"],
        answer_due=form.due(),
        version=doing.version,
    )
    return _("已交给发送，%(n)d 小时内等答复") % {"n": said["hours"]}


def consent(doing: Doing) -> str:
    book = rules.of_shop(doing.row.shop_id)
    form = case_forms.ConsentForm(doing.request.POST, auto_id="id_consent_%s", rules=book.rules)
    said = checked("consent", form)
    negotiations.record_answer(
        shop_id=doing.shop_id,
        case_id=doing.case_id,
        given=said["given"],
        person=said["person"],
        position=said["position"],
        said_at=said["said_at"],
        amount_fen=form.amount_fen(),
        freight_by=said["freight_by"],
        terms=said["terms"],
        valid_until=said["valid_until"],
        proof=said["proof"],
        covers=said["covers"],
        rule_id=said["rule_id"],
        claim=Claim(said["claim"]) if said["claim"] else None,
        by=doing.by,
        version=doing.version,
    )
    return _("已记下：承运商同意") if said["given"] else _("已记下：承运商不同意")


def without(doing: Doing) -> str:
    said = checked("without", case_forms.ReasonForm(doing.request.POST, auto_id="id_without_%s"))
    negotiations.go_without_consent(
        shop_id=doing.shop_id, case_id=doing.case_id, reason=said["reason"], by=doing.by, version=doing.version
    )
    return _("未经承运商同意继续，原因已记下")


def release_mail(doing: Doing) -> str:
    arrived = doing.request.POST.get("arrived") == "1"
    negotiations.release(shop_id=doing.row.shop_id, message_id=doing.number("message"), arrived=arrived, by=doing.by)
    return _("已记下这封信的结果")


# --- number ----------------------------------------------------------------------------------------------------------


def release(doing: Doing) -> str:
    said = checked("release", case_forms.ReleaseForm(doing.request.POST, auto_id="id_release_%s"))
    reissues.release(
        shop_id=doing.row.shop_id,
        reissue_id=doing.number("reissue"),
        is_there=said["accepted"],
        reason=said["reason"],
        by=doing.by,
    )
    return _("已认定提交结果")


@require_POST
def take_back(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """Within ten seconds a submission or a notice can be taken back; after that it says that it has left."""
    doing = start(request, shop_id, code)

    def work() -> str:
        if request.POST.get("owner") == "reissue":
            doing.here.check(Permission.SUBMIT_REISSUE, shop_id)
            reissues.stop(shop_id=shop_id, reissue_id=doing.number("id"), by=doing.by)
        elif request.POST.get("owner") == "remedy":
            remedies.take_back(shop_id=shop_id, remedy_id=doing.number("id"), by=doing.by)
        elif request.POST.get("owner") == "notice":
            doing.here.check(Permission.SEND_NOTICE, shop_id)
            notices.take_back(shop_id=shop_id, notice_id=doing.number("id"), by=doing.by)
        elif request.POST.get("owner") == "correction":
            doing.here.check(Permission.SUBMIT_REISSUE, shop_id)
            corrections.stop(shop_id=shop_id, parcel_id=doing.number("id"), by=doing.by)
        else:
            raise Refused("already_left")
        return _("已撤回，没有发出")

    return finish(doing, work)


def correct(doing: Doing) -> str:
    """Put a wrongly typed number right at the platform."""
    said = checked("correct", case_forms.CorrectForm(doing.request.POST, auto_id="id_correct_%s"))
    corrections.correct(
        shop_id=doing.shop_id,
        case_id=doing.case_id,
        parcel_id=said["parcel"],
        carrier=said["carrier"],
        number=said["number"],
        reason=said["reason"],
        by=doing.by,
    )
    return _("更正 10 秒后提交，可以撤回")


def correct_release(doing: Doing) -> str:
    """A person looked at the platform: is the new number there?"""
    is_there = doing.request.POST.get("there") == "1"
    corrections.release(shop_id=doing.shop_id, parcel_id=doing.number("parcel"), is_there=is_there, by=doing.by)
    return _("已认定")


# --- notify ----------------------------------------------------------------------------------------------------------


def tell_customer(doing: Doing) -> str:
    channel = doing.request.POST.get("channel", "")
    purpose = doing.request.POST.get("purpose", "")
    if channel not in {each.value for each in Channel} or purpose not in {each.value for each in Purpose}:
        raise Refused("parameter_missing", name="channel")
    notice_id = notices.send(
        shop_id=doing.shop_id,
        case_id=doing.case_id,
        channel=Channel(channel),
        purpose=Purpose(purpose),
        by=doing.by,
        version=doing.version,
    )
    if channel in (Channel.PHONE, Channel.SITE):
        return _("电话任务已建立") if channel == Channel.PHONE else _("任务已建立，请复制到客服工作台")
    if held := notices_told.held_until(doing.shop_id, notice_id):
        return _("现在不打扰，%(at)s 发出；在这之前可以取消") % {"at": localtime(held).strftime("%m-%d %H:%M")}
    return _("通知 10 秒后发出，可以撤回")


def skip(doing: Doing) -> str:
    said = checked("skip", case_forms.ReasonForm(doing.request.POST, auto_id="id_skip_%s"))
    doing.do(Action.SKIP_NOTICE, reason=said["reason"])
    return _("已记下：这一轮不通知客户")


def leave_alone(doing: Doing) -> str:
    opt_outs.leave_alone(shop_id=doing.shop_id, case_id=doing.case_id, by=doing.by)
    return _("已记下：不再给这位客户发通知")


def release_notice(doing: Doing) -> str:
    arrived = doing.request.POST.get("arrived") == "1"
    notices.release(shop_id=doing.row.shop_id, notice_id=doing.number("notice"), arrived=arrived, by=doing.by)
    return _("已记下这条通知的结果")


# --- follow, close, people -------------------------------------------------------------------------------------------


def close(doing: Doing) -> Undoable:
    said = checked("close", case_forms.CloseForm(doing.request.POST, auto_id="id_close_%s"))
    doing.do(Action.CLOSE, reason=said["reason"], outcome=Outcome(said["outcome"]))
    return Undoable(_("已结案"), "reopen", {"reason": _("刚才结错了，撤销")})


def reopen(doing: Doing) -> str:
    said = checked("reopen", case_forms.ReasonForm(doing.request.POST, auto_id="id_reopen_%s"))
    doing.do(Action.REOPEN, reason=said["reason"])
    return _("案件已重开")


def take(doing: Doing) -> Undoable:
    """Take the case oneself, or hand it to a colleague."""
    before = {"owner": str(doing.row.owner_id or "")}
    if "owner" not in doing.request.POST:
        doing.do(Action.TAKE, owner=doing.here.operator_id)
        return Undoable(_("已认领，它会出现在“我的案件”里"), "take", before)
    people = {
        each.operator_id: each.display_name or each.login
        for each in shops.members([doing.row.shop_id])
        if each.is_active
    }
    said = checked("take", case_forms.TakeForm(doing.request.POST, auto_id="id_take_%s", people=list(people.items())))
    owner = int(said["owner"]) if said["owner"] else None
    doing.do(Action.TAKE, owner=owner)
    told = _("已交给%(name)s") % {"name": people[owner]} if owner else _("案件现在没有人在办")
    return Undoable(told, "take", before)


def note(doing: Doing) -> str:
    said = checked("note", case_forms.NoteForm(doing.request.POST, auto_id="id_note_%s"))
    cases_actions.act(shop_id=doing.shop_id, case_id=doing.case_id, action=Action.NOTE, by=doing.by, text=said["text"])
    return _("备注已记下")


@require_POST
def reveal(request: HttpRequest, shop_id: int, code: str) -> HttpResponse:
    """Show the recipient in plain text, once, on this page only; who looked is kept."""
    doing = start(request, shop_id, code)
    try:
        doing.here.check(Permission.REVEAL_BUYER, shop_id)
    except Refused as refused:
        tell_refusal(request, refused)
        return case_page.show(request, shop_id, code)
    seen = opening.look(
        shop_id=shop_id,
        order_id=doing.row.order_id,
        by=doing.by.ref,
        action="buyer.reveal",
        subject=f"case:{doing.row.case_id}",
        where=_looking_from(request),
    )
    return case_page.show(request, shop_id, code, revealed=seen)


def _looking_from(request: HttpRequest) -> opening.Where:
    """What the platform wants to know of who looks. The address of the page holds a case's code, no buyer's data."""
    url = request.build_absolute_uri(request.path)
    said = request.META
    return opening.Where(
        url=url,
        ip=said.get("REMOTE_ADDR") or "127.0.0.1",
        user_agent=said.get("HTTP_USER_AGENT", "")[:300] or "-",
        referer=said.get("HTTP_REFERER", "")[:300] or url,
    )


__all__ = ["Doing", "Mistyped", "act", "actor", "finish", "reveal", "start", "take_back"]

ACTS: dict[str, Callable[[Doing], str | Undoable]] = {
    **case_measures.ACTS,
    **case_address.ACTS,
    **case_customer.ACTS,
    **case_talk.ACTS,
    "wait-over": wait_over,
    "dismiss": dismiss,
    "ask": ask,
    "consent": consent,
    "without": without,
    "release-mail": release_mail,
    "release": release,
    "correct": correct,
    "correct-release": correct_release,
    "tell": tell_customer,
    "skip": skip,
    "release-notice": release_notice,
    "leave-alone": leave_alone,
    "close": close,
    "reopen": reopen,
    "take": take,
    "note": note,
}
