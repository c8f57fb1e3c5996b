"""What people do on the customer's side of a case: their page, two parcels on their way, goods that came back."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from bufa.apps.notices import links
from bufa.domain.case_facts import Action
from bufa.domain.double_delivery import Way
from bufa.domain.outcome import Refused
from bufa.jobs import doubles as guard
from bufa.web.case_doing import Doing, Undoable
from bufa.web.words import word


def make_page(doing: Doing) -> str:
    """For the chat desk: an address to copy, before any message has carried one."""
    links.make(shop_id=doing.shop_id, case_id=doing.case_id, by=doing.by)
    return _("客户页面的链接已生成，30 天内有效")


def revoke_page(doing: Doing) -> str:
    if not links.revoke(shop_id=doing.shop_id, case_id=doing.case_id, by=doing.by):
        raise Refused("page_gone")
    return _("链接已收回，原来的地址打不开了")


def double(doing: Doing) -> Undoable:
    """Two parcels on their way: the lead's choice."""
    way = doing.request.POST.get("way", "")
    if way not in set(Way):
        raise Refused("parameter_missing", name="way")
    accepted = doing.request.POST.get("accept_penalty") == "1"
    guard.choose(shop_id=doing.shop_id, code=doing.row.code, way=Way(way), by=doing.by, accept_penalty=accepted)
    return Undoable(_("已定：%(way)s") % {"way": word("double_way", way)}, "double-undo", {})


def double_undo(doing: Doing) -> str:
    if guard.undo(shop_id=doing.shop_id, case_id=doing.case_id, by=doing.by):
        return _("已撤销，没有发出去的也拦下了")
    return _("已撤销；信或通知已经发出，请另外告诉对方")


def next_round(doing: Doing) -> str:
    """The reissue did not help: the case goes into its next round."""
    doing.do(Action.REISSUE_WRONG)
    return _("进入下一轮：有联系人就写信问承运商，并告诉客户")


def goods_back(doing: Doing) -> Undoable:
    pieces = guard.goods_back(shop_id=doing.shop_id, code=doing.row.code, by=doing.by)
    return Undoable(_("已入库 %(n)d 件") % {"n": pieces}, "goods-out", {})


def goods_out(doing: Doing) -> str:
    guard.goods_out_again(shop_id=doing.shop_id, case_id=doing.case_id, by=doing.by)
    return _("入库已撤销")


ACTS: dict[str, Callable[[Doing], str | Undoable]] = {
    "make-page": make_page,
    "revoke-page": revoke_page,
    "double": double,
    "double-undo": double_undo,
    "next-round": next_round,
    "goods-back": goods_back,
    "goods-out": goods_out,
}
