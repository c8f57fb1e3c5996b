"""What each rule of the rule book is called: on the desk's pages and in the mails that tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

RULE: Mapping[str, Any] = {
    "late_shipping": _("发货超时"),
    "out_of_stock_late": _("缺货（超时未发）"),
    "pickup_timeout": _("揽收超时"),
    "pickup_abnormal": _("揽收异常"),
    "out_of_stock_track": _("缺货（有单无货）"),
    "out_of_stock_notice": _("缺货（处罚后未收到）"),
    "dispatch_timeout": _("首次中转超时"),
    "dispatch_abnormal": _("首次中转异常"),
    "transit_timeout": _("中转超时"),
    "lost_suspected": _("疑似丢失"),
    "delivery_stalled": _("派送停滞"),
    "station_overdue": _("驿站滞留"),
    "attempt_failed": _("派送未成功"),
    "attempts_failed": _("多次派送未成功"),
    "refused": _("拒收"),
    "returning": _("退回途中"),
    "returned": _("已退回"),
    "damaged": _("破损"),
    "lost": _("丢失"),
    "held": _("滞留"),
    "intercepted": _("被拦截"),
    "pickup_cancelled": _("揽收取消"),
    "signed_then_failed": _("签收后又派送失败"),
    "signed_not_received": _("签收未收到"),
    "wrong_city": _("签收城市不符"),
    "original_revived": _("原件又动了"),
    "several_numbers": _("重新发货异常"),
    "repeated_nodes": _("轨迹重复"),
    "impossible_speed": _("轨迹快得不可能"),
    "scan_before_payment": _("揽收早于支付"),
    "receiver_differs": _("收件信息不符"),
    "number_used_before": _("重复运单号"),
    "not_received": _("久未收到"),
    "recalled": _("私自召回"),
    "asked_unanswered": _("自配送咨询未答复"),
    "out_of_stock_said": _("缺货（拒绝发货或联系不上）"),
    "order_closed_unshipped": _("长期未发货关单"),
    "pickup_norm": _("体验分揽收时间"),
    "fraud_judged": _("欺诈发货"),
}
