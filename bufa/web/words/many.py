"""Words of what is done to many cases at once, of triage, and of pasted numbers."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from bufa.web.words.trade import Words

MANY_ACT: Words = {
    "assign": _("交给一个人"),
    "snooze": _("先放下"),
    "confirm": _("确认系统的判断"),
    "measure": _("选措施"),
    "note": _("写备注"),
    "dismiss": _("结案：不是异常"),
}
RUN_ROW: Words = {
    "ready": _("会做"),
    "closed": _("不能做"),
    "waiting": _("等着做"),
    "done": _("做好了"),
    "failed": _("没有做成"),
    "stopped": _("停下了"),
    "undone": _("已撤销"),
}
PASTED: Words = {"case": _("案件"), "parcel": _("包裹"), "order": _("订单"), "unknown": _("没找到")}
PASTED_BY: Words = {
    "code": _("案件号"),
    "waybill": _("运单号"),
    "order": _("订单号"),
    "reissue": _("补发件"),
}

GROUPS: Mapping[str, Words] = {
    "many_act": MANY_ACT,
    "run_row": RUN_ROW,
    "pasted": PASTED,
    "pasted_by": PASTED_BY,
}

ENTRIES: Words = {
    "finding_real": _("%(rule)s：看过，是真的"),
    "finding_real_back": _("%(rule)s：收回“是真的”"),
    "finding_same": _("%(rule)s 也是这件事 %(code)s"),
}

REASONS: Words = {
    "already_triaged": _("%(by_name)s 已经看过了"),
    "no_open_case": _("没有在办的案件 %(case)s"),
    "same_as_itself": _("这就是它自己的案件"),
    "too_many_cases": _("选了 %(cases)s 个案件，一次最多 %(most)s 个，请分成几次"),
    "cannot_be_undone": _("这一种已经告诉了别人或开始计时，不能一起撤销；请到各个案件里改"),
    "nothing_to_snooze": _("没有可以放下的异常"),
    "already_so": _("已经是这样"),
    "no_verdict_yet": _("系统还没有判断，请到案件里定性"),
    "view_is_shared": _("给整个店铺用的视图，由主管或店主保存和修改"),
    "no_such_view": _("这个视图已经不在，或者不是你的"),
    "too_many_views": _("最多保存 %(most)s 个视图，请先删掉不用的"),
}
