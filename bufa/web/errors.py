"""Pages for what went wrong: what, why, what next."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _


def _page(request: HttpRequest, code: int, what: str, reason: str, next_step: str) -> HttpResponse:
    said = {"code": code, "what": what, "reason": reason, "next_step": next_step}
    return render(request, "web/errors/error.html", said, status=code)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
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


def broken(request: HttpRequest) -> HttpResponse:
    """Without the page's frame: whatever broke may be what the frame needs, too."""
    said = {
        "code": 500,
        "what": _("这里出了故障"),
        "reason": _("是程序的问题，不是你的操作；没有做完的改动已经全部退回。"),
        "next_step": _("刷新再试一次；还不行，请把时间告诉管理员，他能在日志里找到原因。"),
    }
    return HttpResponse(render_to_string("web/errors/error.html", said), status=500)
