"""What people do to a case's talk with the carrier beside writing and answering: the ladder, and texts sent by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from bufa.apps.negotiations import actions as negotiations
from bufa.apps.negotiations import ladder
from bufa.web import case_forms
from bufa.web.case_doing import Doing, Undoable, checked


def stop(doing: Doing) -> Undoable:
    said = checked("ladder", case_forms.ReasonForm(doing.request.POST, auto_id="id_ladder_%s"))
    ladder.stop(shop_id=doing.shop_id, case_id=doing.case_id, reason=said["reason"], by=doing.by)
    return Undoable(_("已停止自动催办"), "ladder-resume", {"reason": _("撤销停止")})


def resume(doing: Doing) -> str:
    said = checked("ladder", case_forms.ReasonForm(doing.request.POST, auto_id="id_ladder_%s"))
    ladder.resume(shop_id=doing.shop_id, case_id=doing.case_id, reason=said["reason"], by=doing.by)
    return _("已恢复自动催办")


def copied(doing: Doing) -> str:
    message_id = doing.number("message")
    if doing.request.POST.get("sent") == "0":
        negotiations.not_copied(shop_id=doing.shop_id, message_id=message_id, by=doing.by)
        return _("这段话不发了")
    count = negotiations.copied(shop_id=doing.shop_id, message_id=message_id, by=doing.by)
    return _("已记下：发到群里了，%(n)d 件开始等答复") % {"n": count}


ACTS: dict[str, Callable[[Doing], Any]] = {"ladder-stop": stop, "ladder-resume": resume, "copied": copied}
