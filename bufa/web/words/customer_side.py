"""Words for what customers say and are told: their answers, promises, the choice between two parcels on the way."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from bufa.web.words.trade import Words

ACTION: Words = {
    "customer_said": _("客户的话"),
    "silence_over": _("等客户确认收到"),
}

ENTRY: Words = {
    "customer_said": _("客户在页面上说：%(answer)s"),
    "customer_rated": _("客户评价：%(stars)s 星"),
    "silence_over": _("签收后客户没有异议，结案"),
    "link_revoked": _("收回了客户页面的链接"),
    "promise_breaks": _("答应客户的 %(until)s 可能做不到"),
    "promise_kept": _("答应客户的 %(until)s 做到了"),
    "promise_broken": _("答应客户的 %(until)s 没有做到"),
    "double_chosen": _("两件都在路上，选择：%(way)s"),
    "double_undone": _("撤销了选择：%(way)s"),
    "charge_back": _("承运商已赔 %(amount)s，原件又出现了，可能要退还"),
    "goods_back": _("退回的原件已入库：%(n)s 件"),
    "goods_back_undone": _("撤销了原件入库：%(n)s 件"),
}

ANSWER: Words = {
    "received": _("收到货了"),
    "not_received": _("没有收到货"),
    "damaged": _("收到了，但有损坏"),
    "refund": _("想要退款"),
    "wait": _("愿意再等等"),
    "address_ok": _("地址没错"),
    "address_wrong": _("地址不对"),
    "rated": _("评价"),
}

PROMISE: Words = {
    "running": _("还没到期"),
    "kept": _("做到了"),
    "broken": _("没做到"),
    "moved": _("到期前改约"),
    "void": _("另办结了"),
}

CASE: Words = {
    "customer_said": _("客户 %(at)s 在页面上说：%(answer)s"),
    "waits_for_word": _("轨迹已签收，等客户确认；%(until)s 前没有异议就结案"),
    "promise_breaks": _("答应客户 %(promise_at)s 前到，看来做不到：先告诉客户"),
}

REFUSALS: Words = {
    "no_word_awaited": _("现在不等客户确认"),
    "customer_says_otherwise": _("客户说：%(answer)s，不能当作没有异议"),
    "silence_not_over": _("等到 %(until)s，客户没有异议才算"),
    "reissue_arrived": _("补发件已签收。有问题请用“补发件又出问题”进入下一轮"),
    "page_gone": _("这个页面已经失效，请向店铺要一个新的链接"),
    "answer_not_offered": _("现在不用回答这个，请刷新页面"),
    "answer_too_often": _("今天已经答过几次了，店铺都看到了。急事请在订单里联系客服"),
    "too_many_tries": _("试得太多了，请 %(minutes)s 分钟后再来"),
    "order_not_matched": _("订单号和手机号后四位对不上，请再核对"),
    "no_two_parcels": _("这个案件没有两件同时在路上"),
    "chosen_already": _("已经选了：%(way)s。要改先撤销"),
    "double_not_chosen": _("没有可以撤销的选择"),
    "parcel_not_under_way": _("这一件不在路上，拦不了"),
    "not_coming_back": _("原件没有在退回"),
    "not_coming_to_customer": _("原件正在退回，到不了客户手里"),
    "not_returned": _("原件还没有退回到店"),
    "stars_wrong": _("请选 1 到 5 颗星"),
    "rated_before": _("您已经评价过了，谢谢"),
}

DOUBLE_WAY: Words = {
    "stop_original": _("拦截原件"),
    "stop_reissue": _("拦截补发件"),
    "come_back": _("让原件退回来"),
    "refuse_one": _("请客户拒收后到的一件"),
    "keep_both": _("都送给客户"),
}

FOLLOWS: Words = {
    "write_carrier": _("写信请承运商拦下"),
    "tell_customer": _("通知客户"),
    "shelf_later": _("退回后入库"),
    "goods_gone": _("货不再回来"),
}

TINT: Words = {
    "teal": _("青"),
    "blue": _("蓝"),
    "plum": _("紫"),
    "rust": _("橙"),
    "moss": _("绿"),
}

GROUPS: Mapping[str, Words] = {
    "answer": ANSWER,
    "promise": PROMISE,
    "tint": TINT,
    "double_way": DOUBLE_WAY,
    "follows": FOLLOWS,
}
PARAMS: Mapping[str, str] = {"answer": "answer", "way": "double_way", "promise_state": "promise"}
TEXTS: Words = {**CASE, **REFUSALS}
