"""The gate's checks: the rule that each one holds a form against, and where that rule is written."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = Mapping[str, str | Promise]

RULE: Words = {
    "order": _("订单已付款，没有取消"),
    "carrier": _("承运商在平台的名录里"),
    "number": _("单号符合承运商的格式，校验位对得上"),
    "original": _("不是原件的单号"),
    "used": _("单号从来没有用过，任何店铺都算"),
    "recipient": _("收货人、电话、地址和订单一致，或客户自己改过"),
    "pickup": _("取件地址齐全，平台认得"),
    "delivery": _("收货地址齐全，省市区真实"),
    "range": _("承运商在取件地收件、在收货地派件"),
    "area": _("两头都不在停发区域里"),
    "items": _("补的商品在订单里，数量不超过购买数量"),
    "stock": _("货架上有货，并留给这张单"),
    "ticket": _("订单已超时的，要挂在客户的补寄申请上"),
    "time": _("第一条轨迹不早于付款"),
}

_SHIPPING = _("抖店发货接口的错误码（开放平台）")
_ABNORMAL = _("抖店《物流轨迹异常》规则，实付的 25%")

SOURCE: Words = {
    "order": _SHIPPING,
    "carrier": _("抖店物流公司列表接口"),
    "number": _("各承运商公布的单号规则，平台据此校验"),
    "original": _ABNORMAL,
    "used": _ABNORMAL,
    "recipient": _ABNORMAL,
    "pickup": _("抖店地址库接口"),
    "delivery": _("国家行政区划 GB/T 2260；平台表可能晚几个月"),
    "range": _("抖店接口 logistics.getOutRange，24 小时内的答复"),
    "area": _("本店“时限日历”里登记的，写明来源和日期"),
    "items": _SHIPPING,
    "stock": _("本店库存；不是平台规则"),
    "ticket": _("抖店《物流轨迹异常》规则：重新发货异常"),
    "time": _ABNORMAL,
}

# A proof of a changed address, by where it lies.
PROOF: Words = {
    "": _("没有凭证"),
    "chat": _("聊天记录"),
    "call": _("通话"),
    "file": _("截图"),
    "platform": _("平台订单"),
}

GROUPS: Mapping[str, Words] = {"gate_rule": RULE, "gate_source": SOURCE, "proof_kind": PROOF}
