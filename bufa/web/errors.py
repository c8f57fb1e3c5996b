"""Pages for what went wrong: what, why, what next."""

from __future__ import annotations

import math
import sys

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bufa.web import resume

ALONE, IN_FRAME = "web/alone.html", "web/base.html"
BACK_IN_S = 5


def _page(request: HttpRequest, code: int, what: str, reason: str, next_step: str) -> HttpResponse:
    # Who has signed in keeps the way to everywhere else, and the search that the words point to.
    frame = IN_FRAME if getattr(request, "desk", None) else ALONE
    said = {"code": code, "what": what, "reason": reason, "next_step": next_step, "frame": frame}
    return render(request, "web/errors/error.html", said, status=code)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return _page(
            request,
            413,
            _("一次提交的太多了"),
            _("文字超过 5 MB，或格子、文件多得不像一张表单；为了别的人，没有收下，也没有做任何改动。"),
            _("用浏览器的“后退”回到刚才的页面，分几次提交；大的表格请用“导入”。"),
        )
    return _page(
        request,
        400,
        _("这个请求看不懂"),
        _("地址或提交的内容不完整，可能是链接被截断了。"),
        _("回到上一页再试一次；还不行，请把时间告诉管理员。"),
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        403,
        _("你的角色不能打开这一页"),
        _("这一页只对管这件事的人开放，你的数据没有变化。"),
        _("需要的话，请店主在“设置 › 成员”里给你换角色。"),
    )


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The token is of another session: of one that ended, or that a second tab has replaced. Our own form goes on."""
    if resume.asks_for_data(request):
        return JsonResponse({"token": get_token(request), "operator": 0}, status=403)
    path = request.path_info
    if resume.is_ours(request) and request.method == "POST" and not path.startswith(("/sign-", "/session/")):
        kept = resume.kept_of(request)
        if request.user.is_authenticated:
            return resume.show_go_on(request, kept, status=403)
        return resume.show_again(request, kept)
    return _page(
        request,
        403,
        _("这次提交没有被接受"),
        _("页面开得太久，或登录已经换了人；为了安全，没有做任何改动。"),
        _("用浏览器的“后退”回到刚才的页面（填的内容还在），刷新后再提交。"),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        404,
        _("没有这一页"),
        _("可能链接不完整，或这条记录不属于你的店铺。"),
        _("用上方的查找框按运单、订单号或案件号再找一次。"),
    )


def too_many(request: HttpRequest, wait_s: float) -> HttpResponse:
    """Somebody tries too often; `wait_s`: seconds until it is worth trying again."""
    minutes = max(1, math.ceil(wait_s / 60))
    said = ngettext("等 %(n)d 分钟再试；忘了密码，请店主重设。", "等 %(n)d 分钟再试；忘了密码，请店主重设。", minutes)
    next_step = said % {"n": minutes}
    if resume.asks_for_data(request):
        answer: HttpResponse = JsonResponse({"why": _("试得太多了"), "minutes": minutes}, status=429)
    else:
        answer = _page(
            request,
            429,
            _("试得太多了"),
            _("几分钟里连着错了很多次。为了不让别人猜密码，这个登录名先停一停；账号没有被改动。"),
            next_step,
        )
    answer["Retry-After"] = str(math.ceil(wait_s))
    return answer


def not_by_link(request: HttpRequest, allowed: str) -> HttpResponse:
    """An address that changes something was opened like a page."""
    answer = _page(
        request,
        405,
        _("这个地址不能直接打开"),
        _("它是一个按钮要做的事，不是一页；什么都没有改动。"),
        _("回到刚才的页面，点那里的按钮。"),
    )
    answer["Allow"] = allowed
    return answer


def broken(request: HttpRequest) -> HttpResponse:
    """Without the page's frame: whatever broke may be what the frame needs, too."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return _away()
    said = {
        "frame": ALONE,
        "code": 500,
        "what": _("这里出了故障"),
        "reason": _("是程序的问题，不是你的操作；没有做完的改动已经全部退回。"),
        "next_step": _("刷新再试一次；还不行，请把时间告诉管理员，他能在日志里找到原因。"),
    }
    return HttpResponse(render_to_string("web/errors/error.html", said), status=500)


def _away() -> HttpResponse:
    """The database does not answer: it starts anew, or all of its connections are taken."""
    said = {
        "frame": ALONE,
        "code": 503,
        "what": _("数据库暂时不在"),
        "reason": _("它正在重新启动，或者这一刻太忙。刚才的提交没有生效，已经存下的都在。"),
        "next_step": _("等几秒刷新这一页。一分钟后还不行，请告诉管理员。"),
    }
    answer = HttpResponse(render_to_string("web/errors/error.html", said), status=503)
    answer["Retry-After"] = str(BACK_IN_S)
    return answer
