"""The words of the trade: one Chinese word for each code of the domain, by group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _in

from bufa.apps.cases.rule_words import RULE as RULE

Words = Mapping[str, Any]

KIND: Words = {
    "label_created": _("已出面单"),
    "collected": _("已揽收"),
    "arrived_hub": _("到达转运中心"),
    "in_transit": _("运输中"),
    "arrived_destination": _("到达目的地"),
    "out_for_delivery": _("派送中"),
    "attempt_failed": _("派送未成功"),
    "ready_for_pickup": _("待取件"),
    "delivered": _("已签收"),
    "refused": _("收件人拒收"),
    "returning": _("退回途中"),
    "returned": _("已退回"),
    "damaged": _("破损"),
    "lost": _("丢失"),
    "held": _("滞留"),
    "intercepted": _("已拦截"),
    "cancelled": _("已取消"),
    "forwarded": _("转寄"),
    "customs": _("清关"),
    "eta": _("预计到达"),
    "note": _("备注"),
    "unmapped": _("未识别"),
}

REASON: Words = {
    "contact_failed": _("联系不上"),
    "recipient_absent": _("收件人不在"),
    "rescheduled": _("改约时间"),
    "address_problem": _("地址有误"),
    "out_of_area": _("超出派送范围"),
    "refused": _("拒收"),
    "pickup_overdue": _("逾期未取"),
    "missort": _("错分"),
    "weather": _("天气"),
    "holiday": _("节假日"),
    "regulation": _("管制"),
    "damaged": _("破损"),
    "security": _("安检"),
    "other": _("其他"),
}

STAGE: Words = {
    "unshipped": _("未发货"),
    "labelled": _("待揽收"),
    "collected": _("已揽收"),
    "in_transit": _("运输中"),
    "at_destination": _("到达目的地"),
    "out_for_delivery": _("派送中"),
    "ready_for_pickup": _("待取件"),
    "delivered": _("已签收"),
    "returning": _("退回途中"),
    "returned": _("已退回"),
    "cancelled": _("已取消"),
}

STEP: Words = {
    "determine": _("判定"),
    "negotiate": _("协商"),
    "number": _("补发单号"),
    "notify": _("通知客户"),
    "follow": _("跟踪"),
}

MEASURE: Words = {
    "wait": _("等待"),
    "chase": _("催件"),
    "intercept": _("拦截"),
    "redeliver": _("重派"),
    "reissue": _("补发"),
    "refund": _("退款"),
    "compensate": _("赔付"),
}

ROLE: Words = {
    "agent": _("客服"),
    "lead": _("主管"),
    "warehouse": _("仓库"),
    "finance": _("财务"),
    "owner": _("店主"),
}

PERMISSION: Words = {
    "view": _("查看"),
    "work_case": _("处理案件"),
    "work_claim": _("办理赔"),
    "edit_carrier_rules": _("改承运商规则"),
    "choose_measure": _("选择措施"),
    "approve_measure": _("批准超过限额的措施"),
    "record_consent": _("记录承运商答复"),
    "override_consent": _("未经承运商同意继续"),
    "fill_number": _("填写补发单号"),
    "submit_reissue": _("提交补发单号"),
    "pack": _("装箱和交接"),
    "override_gate": _("越过预检提交"),
    "settle_effect": _("认定结果未知的提交"),
    "operate_aftersale": _("答复售后单"),
    "send_notice": _("通知客户"),
    "reveal_buyer": _("查看收件人明文"),
    "read_templates": _("识读轨迹文字"),
    "import_data": _("导入数据"),
    "see_money": _("查看金额"),
    "edit_policy": _("修改预警和告诉谁"),
    "edit_settings": _("修改设置"),
    "manage_operators": _("管理成员"),
    "connect_shop": _("连接店铺"),
}

FAMILY: Words = {
    "ship": _("发货"),
    "stock": _("缺货"),
    "pickup": _("揽收"),
    "dispatch": _("首次中转"),
    "transit": _("运输"),
    "delivery": _("派送"),
    "return": _("退回"),
    "abnormal": _("轨迹异常"),
    "fraud": _("欺诈"),
    "score": _("体验分"),
}

MARK: Words = {
    "seen": _("平台规则原文"),
    "inferred": _("我们的理解"),
    "memory": _("凭经验"),
    "shop": _("本店标准"),
}

DISTANCE: Words = {"near": _("近"), "far": _("跨省"), "remote": _("偏远"), "": _("未知线路")}

ORDER_CLASS: Words = {
    "ordinary": _("一般商品"),
    "precious_metal": _("贵金属"),
    "second_hand_3c": _("二手 3C"),
    "pet_self_delivery": _("宠物自配送"),
}

CERTAINTY: Words = {"suspected": _("疑似"), "confirmed": _("确认")}
FINDING: Words = {"open": _("未消除"), "cleared": _("已消除"), "dismissed": _("已忽略"), "snoozed": _("稍后再看")}

FACT: Words = {
    "penalty_notice": _("收到平台的处罚通知"),
    "not_received": _("签收后客户说没收到"),
    "receiver_differs": _("面单收件人和订单不一致"),
    "number_used": _("运单号以前用过"),
    "recalled": _("未经客户同意召回"),
    "asked_unanswered": _("平台来问，没有回复"),
    "out_of_stock_said": _("对客户说过没货、发不了"),
    "fraud_judged": _("平台判定虚假发货"),
    "reissued": _("已补发"),
}

PENALTY: Words = {
    "late_shipping": _("发货超时"),
    "out_of_stock": _("缺货"),
    "track_timeout": _("物流轨迹超时"),
    "track_abnormal": _("物流轨迹异常"),
    "fraud": _("欺诈发货"),
}
PAUSE: Words = {"festival": _("节假日"), "no_service": _("停运区域"), "force_majeure": _("不可抗力")}
PAUSE_END: Words = {"either": _("发货地或收货地"), "origin": _("发货地"), "destination": _("收货地")}

CLAIM: Words = {
    "not_shipped": _("未发货"),
    "not_picked_up": _("未揽收"),
    "stalled": _("停滞"),
    "late": _("延误"),
    "lost": _("丢失"),
    "damaged": _("破损"),
    "refused": _("拒收"),
    "returned": _("退回"),
    "wrong_or_short": _("少件或错件"),
    "short": _("少件"),
    "wrong": _("错件"),
    "empty": _("空包"),
    "signed_not_received": _("签收未收到"),
    "delivered": _("已送达"),
    "moving": _("正常运输"),
}

SOURCE: Words = {"tracking": _("轨迹"), "carrier": _("承运商"), "customer": _("客户")}

CASE: Words = {
    "determining": _("判定中"),
    "waiting": _("等待中"),
    "asking": _("协商中"),
    "numbering": _("待填单号"),
    "submitting": _("提交中"),
    "telling": _("待通知"),
    "following": _("跟踪中"),
    "closed": _("已结案"),
}

WAITING: Words = {
    "shop": _("本店"),
    "carrier": _("承运商"),
    "platform": _("平台"),
    "customer": _("客户"),
    "nobody": _("无"),
}

OUTCOME: Words = {
    "reissue_delivered": _("补发件已送达"),
    "original_delivered": _("原件已送达"),
    "refunded": _("已退款"),
    "compensated": _("已赔付"),
    "recovered": _("已追回"),
    "dismissed": _("不是异常"),
    "other": _in("outcome", "其他"),
}

CONSENT: Words = {"given": _("同意"), "refused": _("不同意"), "overridden": _("未经同意继续")}
CONSENT_POLICY: Words = {
    "always": _("每次都要承运商同意"),
    "carrier_pays": _("由承运商承担费用时才要同意"),
    "never": _("不需要承运商同意"),
}
PAYER: Words = {"shop": _("本店承担"), "carrier": _("承运商承担")}
WISH: Words = {
    "reissue": _("客户要补发"),
    "refund": _("客户要退款"),
    "compensate": _("客户要赔付"),
    "wait": _("客户愿意等"),
    "intercept": _("客户要拦截退回"),
    "chase": _("客户要催件"),
    "redeliver": _("客户要重派"),
}
REMEDY: Words = {
    "": _("不用办"),
    "under_way": _("平台在办"),
    "todo": _("等人来办"),
    "unknown": _("结果未知"),
    "failed": _("没有办成"),
    "done": _("已办"),
    "cancelled": _("已撤回"),
}
LEDGER: Words = {"refund": _("退款"), "compensation": _("赔付"), "intercept_fee": _("拦截费")}
FILE: Words = {"photo": _("照片"), "weight": _("称重"), "video": _("打包视频"), "paper": _("文件")}
FREIGHT: Words = {"": _("未说明"), "carrier": _("承运商承担"), "shop": _("本店承担"), "customer": _("客户承担")}

PURPOSE: Words = {
    "early_warning": _("先行告知"),
    "apology": _("致歉说明"),
    "ask_open_ticket": _("请客户申请补寄"),
    "chase_update": _("催件进展"),
    "reissue_sent": _("补发通知"),
    "reissue_delivered": _("补发送达"),
    "reissue_trouble": _("补发件又出问题"),
    "new_promise": _("改约送达日期"),
    "refuse_one": _("请客户拒收一件"),
    "keep_both": _("多的一件送给客户"),
    "refund": _("退款通知"),
    "compensation": _("赔付通知"),
    "closing": _("结案通知"),
}

PLACE: Words = {"original": _("原件"), "reissue": _("补发件")}

GROUPS: Mapping[str, Words] = {
    "kind": KIND,
    "payer": PAYER,
    "wish": WISH,
    "remedy": REMEDY,
    "ledger": LEDGER,
    "file": FILE,
    "reason": REASON,
    "stage": STAGE,
    "step": STEP,
    "measure": MEASURE,
    "role": ROLE,
    "permission": PERMISSION,
    "rule": RULE,
    "family": FAMILY,
    "mark": MARK,
    "distance": DISTANCE,
    "order_class": ORDER_CLASS,
    "certainty": CERTAINTY,
    "finding": FINDING,
    "fact": FACT,
    "penalty": PENALTY,
    "pause": PAUSE,
    "pause_end": PAUSE_END,
    "claim": CLAIM,
    "source": SOURCE,
    "case": CASE,
    "waiting": WAITING,
    "outcome": OUTCOME,
    "consent": CONSENT,
    "consent_policy": CONSENT_POLICY,
    "freight": FREIGHT,
    "purpose": PURPOSE,
    "parcel_role": PLACE,
}
