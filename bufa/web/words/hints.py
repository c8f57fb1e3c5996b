"""Words of the hints for a new operator: what to look at, what to press, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from bufa.web.words.trade import Words

HINT: Words = {
    "choose": _("先看“三方说法”合不合，再看表里每种办法花多少钱；标着“建议”的最划算，点它那一行的按钮。"),
    "refused": _("这条路走不通了，换一种措施：表里写明每种的成本，点那一行的按钮。"),
    "put_off": _("现在没有要做的，到时间系统会再叫你。先办下一个案件。"),
    "approval": _("超过了限额，要另一位同事批准；轮到你批的话，看过金额再点“批准”。"),
    "ask": _("给承运商的信已经写好，看一眼再点“发给承运商”；它的回信会自己回到这个案件。"),
    "contact": _("还不知道写给这家承运商的谁：请主管在“设置 › 承运商”里加一个邮箱。先办下一个案件。"),
    "carrier": _("信发出了，等承运商回信。不用守着：先办下一个案件，回信到了它会再排上来。"),
    "answer": _("承运商回信了，系统读出了它答应什么；看一眼原文，对就点“采纳”。"),
    "agree": _("客户在平台上申请了补寄。点“同意补寄”，补发单号就有地方填了。"),
    "ticket": _("平台要客户先申请补寄。请客户去申请的短信已经写好，看一眼再发。"),
    "customer": _("等客户在平台上申请补寄。先办下一个案件，他一申请，这里就能接着办。"),
    "waybill": _("手上有面单就扫条码；没有就点“取电子面单”，单号会自己填进来。"),
    "rejected": _("平台没有接受这个单号，原因写在上面。换一个单号再提交。"),
    "label": _("正在取单号，几秒钟后自己填进表单，不用刷新。"),
    "submit": _("单号有了。点“提交补发单号”；提交前会逐项预检，提交后 10 秒内还能撤回。"),
    "leaving": _("正在提交给平台，结果几秒钟后自己出来，不用刷新。要反悔，现在就点“撤回”。"),
    "unknown": _("平台没有给可信的答复。系统不会再发一次，正在读回核对；读不出来时请主管认定。"),
    "tell": _("平台受理了，该告诉客户了：短信已经写好，看一眼再点“发给客户”。"),
    "telling": _("消息正在发给客户，10 秒内还能撤回；送到了这里会写明。"),
    "call": _("该打电话了：照着下面的话念，然后记下结果。"),
    "remedy": _("系统办不了这一步，要人在抖店后台做：照着写的做，做完在这里记下。"),
    "followed": _("办好了！补发件由系统看着，送到就自己结案，出问题会再叫你。"),
    "watched": _("等着就行：包裹由系统看着，送到就自己结案，到时间没动会再叫你。先办下一个案件。"),
    "closed": _("这个案件已经办完。"),
    "look": _("看“现在要做”里写的，照着做。"),
}
"""What a pointer (`domain.first_steps`) says."""

SPOT: Words = {
    "measure": _("选措施"),
    "approve": _("批准"),
    "ask": _("发给承运商"),
    "answer": _("采纳答复"),
    "agree": _("同意补寄"),
    "waybill": _("取电子面单"),
    "submit": _("提交补发单号"),
    "tell": _("发给客户"),
    "call": _("打电话"),
    "remedy": _("去办"),
    "next": _("下一个案件"),
}
"""The control that it points at, in the words that stand on it."""

GROUPS: Mapping[str, Words] = {"hint": HINT, "spot": SPOT}
