"""A changed address at the desk: what the form in the order's card does."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from bufa.apps.cases import address_change
from bufa.domain.outcome import Refused
from bufa.web.case_doing import Doing, Mistyped, checked
from bufa.web.case_forms import AddressForm
from bufa.web.words import say

_IN_THE_TEXT = ("address_ambiguous", "address_unknown", "address_without_detail")


def change(doing: Doing) -> str:
    form = AddressForm(doing.request.POST, doing.request.FILES, auto_id="id_address_%s")
    said = checked("address", form)
    upload = said["photo"]
    try:
        address_change.record(
            shop_id=doing.shop_id,
            case_id=doing.case_id,
            text=said["text"],
            said_at=said["said_at"],
            proof_kind=said["proof_kind"],
            proof=said["proof"],
            photo=(upload.name or "", upload.read()) if upload else None,
            by=doing.by,
        )
    except Refused as refused:
        field = "text" if refused.why.code in _IN_THE_TEXT else "said_at"
        if refused.why.code not in (*_IN_THE_TEXT, "change_from_the_future"):
            raise
        form.add_error(field, say(refused.why))
        raise Mistyped("address", form) from None
    return _("已记下新地址：补发表单、面单和预检都用它")


def take_back(doing: Doing) -> str:
    address_change.take_back(
        shop_id=doing.shop_id, case_id=doing.case_id, change_id=doing.number("change"), by=doing.by
    )
    return _("已撤回，仍按订单的地址")


ACTS: dict[str, Callable[[Doing], str]] = {"address": change, "address-back": take_back}
