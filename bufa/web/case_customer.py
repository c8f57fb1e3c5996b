"""What people do about the customer's page of a case."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from bufa.apps.notices import links
from bufa.domain.outcome import Refused
from bufa.web.case_doing import Doing


def make_page(doing: Doing) -> str:
    """For the chat desk: an address to copy, before any message has carried one."""
    links.make(shop_id=doing.shop_id, case_id=doing.case_id, by=doing.by)
    return _("客户页面的链接已生成，30 天内有效")


def revoke_page(doing: Doing) -> str:
    if not links.revoke(shop_id=doing.shop_id, case_id=doing.case_id, by=doing.by):
        raise Refused("page_gone")
    return _("链接已收回，原来的地址打不开了")


ACTS: dict[str, Callable[[Doing], str]] = {"make-page": make_page, "revoke-page": revoke_page}
