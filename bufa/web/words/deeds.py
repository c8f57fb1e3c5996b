"""Words for what is done: actions, timeline lines, effects and their attempts, notices, connections."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _in

from bufa.web.words import carrier_side, customer_side, telling
from bufa.web.words.many import ENTRIES as TRIAGE
from bufa.web.words.trade import Words

ACTION: Words = {
    "confirm_verdict": _("判定并选措施"),
    "choose_measure": _("选择措施"),
    "change_measure": _("改选措施"),
    "ask_carrier": _("问承运商"),
    "record_consent": _("记录承运商同意"),
    "record_refusal": _("记录承运商拒绝"),
    "go_without_consent": _("未经同意继续"),
    "fill_number": _("填写补发单号"),
    "submit": _("提交补发单号"),
    "submission_accepted": _("等平台受理"),
    "submission_rejected": _("平台拒绝"),
    "submission_unknown": _("结果未知"),
    "prove_submission": _("用平台页面核对"),
    "release_unknown": _("到平台核对后认定"),
    "tell_customer": _("通知客户"),
    "customer_told": _("等通知送达"),
    "notice_failed": _("通知未送达"),
    "skip_notice": _("不通知客户"),
    "request_approval": _("申请批准"),
    "approve": _("批准或驳回"),
    "decline": _("驳回申请"),
    "withdraw_request": _("撤回申请"),
    "remedy_moved": _("由平台来办"),
    "remedy_done": _("办好退款或赔付"),
    "reissue_delivered": _("等补发件送达"),
    "reissue_wrong": _("补发件又出问题"),
    "parcel_delivered": _("等原件送达"),
    "parcel_moved": _("原件又动了"),
    "parcel_came_back": _("原件退回来了"),
    "wait_over": _("再看一次"),
    "close": _("结案"),
    "reopen": _("重开"),
    "dismiss": _("不是异常"),
    "take": _("认领"),
    "note": _("备注"),
}

# What a timeline line says; %(…)s are its params in words.
ENTRY: Words = {
    **TRIAGE,
    "opened": _("立案"),
    "confirm_verdict": _("判定为%(claim)s"),
    "choose_measure": _("选择措施：%(measure)s"),
    "change_measure": _("改选措施：%(measure)s"),
    "ask_carrier": _("给承运商写信"),
    "record_consent": _("承运商同意"),
    "record_refusal": _("承运商不同意"),
    "go_without_consent": _("未经承运商同意继续"),
    "fill_number": _("填写补发单号"),
    "submit": _("提交补发单号"),
    "submission_accepted": _("平台已受理补发单号"),
    "submission_rejected": _("平台拒绝了补发单号"),
    "submission_unknown": _("提交结果未知，正在向平台读回核对"),
    "prove_submission": _("平台页面上有这个订单和单号，认定为受理"),
    "release_unknown": _("人工核对平台后认定提交结果"),
    "tell_customer": _("通知客户：%(purpose)s"),
    "customer_told": _("已通知客户：%(purpose)s"),
    "notice_failed": _("通知未送达：%(purpose)s"),
    "skip_notice": _("决定不通知客户"),
    "request_approval": _("申请%(measure)s，要花 %(cost)s"),
    "approve": _("批准申请的措施"),
    "decline": _("驳回申请的措施"),
    "withdraw_request": _("撤回申请"),
    "remedy_moved": _("%(measure)s：%(remedy)s"),
    "remedy_done": _("%(measure)s已办好 %(paid)s"),
    "statement_wish": _("记下%(source)s的说法：%(claim)s，想要%(measure)s"),
    "address_changed": _("客户要求改地址到 %(place)s"),
    "address_change_back": _("改地址的记录撤回了"),
    "trace_pasted": _("粘贴了 %(n)s 条轨迹"),
    "trace_pasted_partly": _("粘贴了 %(n)s 条轨迹，%(unread)s 行没有采用"),
    "reissue_delivered": _("补发件已送达"),
    "reissue_wrong": _("补发件又出问题，进入下一轮"),
    "parcel_delivered": _("原件已送达"),
    "parcel_moved": _("原件又有轨迹"),
    "parcel_came_back": _("原件退回来了（%(stage)s），重新判定"),
    "finding_snoozed": _("%(rule)s：到 %(until)s 再看"),
    "finding_snoozed_scan": _("%(rule)s：有新轨迹再看，最晚 %(until)s"),
    "finding_dismissed": _("忽略：%(rule)s"),
    "finding_back": _("撤销稍后或忽略：%(rule)s"),
    "wait_over": _("等待结束，重新判定"),
    "close": _("结案"),
    "reopen": _("重开案件"),
    "dismiss": _("不是异常，结案"),
    "take": _("认领"),
    "note": _("备注"),
    "double_delivery": _("原件也送达了：客户可能收到两件"),
    "statement": _("记下%(source)s的说法：%(claim)s"),
    "called": _("打电话：%(outcome)s"),
    "carrier_mail_sent": _("给承运商的邮件已发出"),
    "carrier_mail_cancelled": _("给承运商的邮件在发出前撤回了"),
    "carrier_mail_failed": _("给承运商的邮件没有发出"),
    "carrier_mail_unknown": _("给承运商的邮件是否发出，结果未知"),
    "notice_unknown": _("通知是否送达，结果未知：%(purpose)s"),
    "correct_asked": _("更正运单号：%(was)s 改为 %(number)s"),
    "correct_accepted": _("平台已改为 %(number)s"),
    "correct_rejected": _("平台没有接受更正为 %(number)s"),
    "correct_unknown": _("更正为 %(number)s 的结果未知，正在读回"),
    "label_asked": _("取电子面单：%(carrier)s"),
    "label_booked": _("取到电子面单 %(carrier)s %(number)s"),
    "label_failed": _("没有取到电子面单：%(why)s"),
    "label_unknown": _("取电子面单没有可信的答复，用同一编号再问一次，不会多取"),
    "label_kept": _("平台没有取消电子面单 %(number)s：%(why)s"),
    "label_cancelled": _("电子面单 %(number)s 已取消"),
    "ticket_agree_asked": _("告诉平台：同意补寄（售后单 %(ticket)s）"),
    "ticket_refuse_asked": _("告诉平台：拒绝补寄（售后单 %(ticket)s）"),
    "agree_resend_accepted": _("平台已记下：同意补寄"),
    "agree_resend_rejected": _("平台没有接受“同意补寄”"),
    "agree_resend_unknown": _("“同意补寄”的结果未知，正在读回"),
    "refuse_resend_accepted": _("平台已记下：拒绝补寄"),
    "refuse_resend_rejected": _("平台没有接受“拒绝补寄”"),
    "refuse_resend_unknown": _("“拒绝补寄”的结果未知，正在读回"),
}

EFFECT_KIND: Words = {
    "resend": _("提交补寄单号"),
    "extra_package": _("提交额外包裹"),
    "add_pack": _("提交首次发货单号"),
    "correct_number": _("更正运单号"),
    "report_view": _("上报查看记录"),
    "agree_resend": _("同意补寄"),
    "refuse_resend": _("拒绝补寄"),
    "book_label": _("取电子面单"),
    "cancel_label": _("取消电子面单"),
    "agree_refund": _("同意平台退款"),
    "intercept": _("请平台拦截"),
    "platform_sms": _("平台短信"),
    "carrier_mail": _("给承运商的邮件"),
    "group_message": _("发到群里的话"),
    "customer_mail": _("给客户的邮件"),
    "told_mail": _("给成员的提醒邮件"),
}

EFFECT_WHY: Words = {
    "resend": _("客户的补寄申请已同意，单号填到售后单上。平台不认重复提交：没有答复时只读售后单上的单号，不再填一次。"),
    "extra_package": _(
        "没有补寄申请，单号作为额外包裹加到订单上。再提交一次就会多出一个包裹，所以没有答复时只读回，不重发。"
    ),
    "add_pack": _(
        "订单还没有发过货，按首次发货提交。请求号先记下再发；同一个请求号重复提交，平台只发一次，所以可以用它确认结果。"
    ),
    "correct_number": _(
        "填错的单号按平台的修改接口更正。先按整单修改；平台说不是整单发货，再按包裹修改。没有答复时读订单上的单号。"
    ),
    "report_view": _(
        "有人看了买家明文，平台要求上报是谁、什么时候、看了什么。同一条记录报两次只算一次，所以会一直报到成功。"
    ),
    "agree_resend": _("同意客户的补寄申请。带着看到的更新时间提交，期间有变化平台会拒绝；没有答复时读售后单状态。"),
    "refuse_resend": _("拒绝客户的补寄申请。带着看到的更新时间提交，期间有变化平台会拒绝；没有答复时读售后单状态。"),
    "platform_sms": _("用平台的密文发短信，我们看不到手机号。没有答复时按标签查回执，不重发。"),
    "group_message": _("发到承运商群里的话。发出后查不到结果，没有答复时由人看一眼群里，再决定要不要再发。"),
    "carrier_mail": _("给承运商的邮件。邮件发出后查不到结果，没有答复时由人决定要不要再发。"),
    "customer_mail": _("给客户的邮件。邮件发出后查不到结果，没有答复时由人决定要不要再发。"),
    "told_mail": _("给成员的提醒邮件，是他自己在设置里开的。没有答复时不再发，内容都在“告诉我的”里。"),
}

EFFECT_FIELD: Words = {
    "order": _("订单号"),
    "order_number": _("订单号"),
    "after_sale": _("售后单"),
    "carrier": _("承运商"),
    "number": _("运单号"),
    "was": _("原来的单号"),
    "package_id": _("包裹编号"),
    "lines": _("子订单 × 数量"),
    "send_address_id": _("取件地址编号"),
    "request_id": _("请求号"),
    "event_id": _("记录编号"),
    "account": _("谁"),
    "fields": _("看了什么"),
    "update_time": _("看到的更新时间"),
    "reason_code": _("拒绝原因编号"),
    "template_id": _("短信模板"),
    "tag": _("标签"),
    "message_id": _("邮件编号"),
    "sender": _("发件人"),
}

EFFECT: Words = {
    "ready": _("待发出"),
    "sending": _("发送中"),
    "accepted": _("已受理"),
    "rejected": _("被拒绝"),
    "unknown": _("结果未知"),
    "cancelled": _("已撤回"),
    "retry": _("稍后再试"),
}

REISSUE: Words = {
    "": _("未填写"),
    "draft": _("草稿"),
    "submitting": _("提交中"),
    "unknown": _("结果未知"),
    "accepted": _("平台已受理"),
    "rejected": _("被拒绝"),
    "cancelled": _("已作废"),
    "delivered": _("已送达"),
    "wrong": _("又出问题"),
}

ROUTE: Words = {
    "": _("未定"),
    "resend": _("补寄售后单"),
    "extra_package": _("额外包裹"),
    "add_pack": _("首次发货"),
    "copy_pack": _("人工复制"),
}

PHONE: Words = {
    "reached": _("已说明"),
    "no_answer": _("无人接听"),
    "wrong_number": _("号码不对"),
    "call_later": _("稍后再打"),
}

CONNECTION: Words = {"new": _("未验证"), "connected": _("已连接"), "failing": _("出错"), "off": _("已停用")}
CONNECTION_KIND: Words = {
    "doudian": _("抖店"),
    "kuaidi100": _("快递100"),
    "kdniao": _("快递鸟"),
    "17track": _("17TRACK"),
    "smtp": _("邮件（SMTP）"),
    "file": _("文件"),
}

ASKING_WHY: Words = {
    "customer": _("有客户在等"),
    "deadline": _("时限近"),
    "new": _("还没有问过"),
    "turn": _("轮到了"),
    "person": _("有人要看"),
}
FOLLOW: Words = {
    "wanted": _("等着订阅"),
    "active": _("对方在跟，会推送"),
    "ended": _("跟完了"),
    "aborted": _("对方不再跟，会再订阅"),
    "unsupported": _("对方不支持这家"),
    "failed": _("没有订阅上"),
}

AFTER_SALE: Words = {
    "6": _("待商家答复"),
    "8": _("已同意，待补寄"),
    "13": _("补寄已发出"),
    "14": _("补寄已收到"),
    "27": _("已拒绝"),
    "28": _("已关闭"),
}
AFTER_SALE_TYPE: Words = {
    "0": _("退货退款"),
    "1": _("仅退款"),
    "2": _("仅退款（未发货）"),
    "3": _("换货"),
    "6": _("价保"),
    "7": _("补寄"),
    "8": _("维修"),
}

GATE: Words = {
    "pass": _("通过"),
    "refused": _("会被拒"),
    "punished_later": _("会被罚"),
    "cannot_tell": _("无法判断"),
}

# Why a provider did not do what it was asked (integrations.ports.ProviderError.why).
FAILURE: Words = {
    "": "",
    "timeout": _("超时"),
    "cut": _("连接中断"),
    "refused_connection": _("连不上"),
    "out_of_bounds": _("这个地址不在公网上，本机不连；自己的内网地址要管机器的人放行（BUFA_REACH）"),
    "too_late": _("轮到发送时已经太晚，没有发出"),
    "restored": _("数据来自备份，备份之后可能已经发过"),
    "http": _("对方服务出错"),
    "limited": _("调用太快，被限流"),
    "unavailable": _("对方暂不可用"),
    "busy": _("对方正忙"),
    "denied": _("没有权限"),
    "signature": _("签名不对"),
    "token": _("令牌失效，要重新授权"),
    "input": _("内容不被接受"),
    "business": _("业务上被拒绝"),
    "not_found": _("对方没有这条记录"),
    "phone": _("要提供手机尾号"),
    "unsupported": _("对方不支持"),
    "no_credit": _("余额不足"),
    "stopped": _("对方已停止跟踪，也不能再恢复"),
    "malformed": _("答复看不懂"),
    "permanent": _("永久失败"),
    "person_says_absent": _("人工核对：平台上没有"),
    "not_connected": _("店铺没有连接平台"),
    "phone_unknown": _("要手机尾号，而我们不知道"),
    "limit_of_the_month": _("这个单号本月订阅次数已用完"),
    "worker_lost": _("发送途中进程中断"),
    "other_answer_there": _("平台上是另一个结果"),
    "partial": _("对方只做了一部分"),
    "code_expired": _("授权 code 已过期"),
    "code_invalid": _("授权 code 不对"),
}

LABEL: Words = {
    "wanted": _("正在取"),
    "unknown": _("结果未知"),
    "booked": _("已取到"),
    "failed": _("没有取到"),
    "cancelling": _("正在取消"),
    "cancelled": _("已取消"),
}

CHECK: Words = {
    "order": _("订单号"),
    "carrier": _("承运商"),
    "number": _("运单号"),
    "original": _("和原件单号相同"),
    "used": _("单号重复使用"),
    "recipient": _("收货人"),
    "pickup": _("取件地址"),
    "delivery": _("收货地址"),
    "range": _("承运商到不到"),
    "area": _("停发区域"),
    "items": _("补发数量"),
    "receiver": _("收件人密文（要从抖店同步订单）"),
    "stock": _("库存"),
    "ticket": _("补寄申请"),
    "time": _("轨迹时间"),
}

NUMBER: Words = {
    "empty": _("空"),
    "dirty": _("有不该有的字符"),
    "length": _("长度不对"),
    "bad_check_digit": _("校验位不对"),
    "pattern_mismatch": _("不像这家的单号"),
    "old_form": _("早年格式"),
    "unknown_carrier": _("不认识的承运商"),
    "ok": _("正常"),
}

VALUES: Words = {
    "number": _("补发运单号"),
    "carrier": _("承运商"),
    "reissue": _("补发单号"),
    "eta_from": _("预计送达"),
    "eta_to": _("预计送达"),
    "reason": _("原因"),
    "measure": _("处理方式"),
    "shop": _("店铺名"),
    "order_tail": _("订单尾号"),
}

SETTLED_BY: Words = {
    "answer": _("对方答复"),
    "read_back": _("读回核对"),
    "rescue": _("系统"),
    "restore": _("从备份恢复"),
}

PARTS: Words = {
    "province": _("省"),
    "city": _("市"),
    "district": _("区县"),
    "detail": _("详细地址"),
    "name": _("姓名"),
    "phone": _("电话"),
}

PROBLEM: Words = {
    "password_too_short": _("至少 10 个字符"),
    "password_too_common": _("太常见"),
    "password_too_similar": _("和登录名太像"),
}

PARAMETER: Words = {
    "reason": _("原因"),
    "until": _("等到什么时候"),
    "at": _("从什么时候起"),
    "fact": _("什么事"),
    "measure": _("措施"),
    "claim": _("判定"),
    "who": _("承运商是谁答复的"),
    "text": _("内容"),
    "accepted": _("平台上有没有"),
    "purpose": _("通知事由"),
    "outcome": _("结果"),
    "channel": _("渠道"),
    "carrier": _("承运商"),
    "number": _("运单号"),
    "contents": _("补发哪些商品"),
    "pickup": _("取件地址"),
    "delivery": _("收货地址"),
    "remedy": _("办到哪一步"),
    "payer": _("谁承担"),
    "slot": _("哪一类文件"),
}

SYSTEM: Words = {"system": _("系统"), "demo": _("演示"), "other": _in("who", "其他")}

TEXTS: Words = {"unread": _("没读懂"), "notes": _("备注"), "taught": _("教过的")}

# What came of a row of many reissues: its own state, or that of its reissue once it is submitted.
BULK: Words = {
    "refused": _("不能提交"),
    "ready": _("将提交"),
    "left_out": _("不提交"),
    "waiting": _("排队中"),
    "submitted": _("已提交"),
    "failed": _("没有提交"),
    "stopped": _("停下"),
    "submitting": _("正在提交"),
    "unknown": _("结果未知"),
    "accepted": _("已受理"),
    "rejected": _("平台拒绝"),
    "cancelled": _("已撤回"),
}
COPY: Words = {
    "order": _("订单号"),
    "carrier": _("承运商"),
    "number": _("运单号"),
    "items": _("补发商品"),
    "pickup": _("取件地址"),
    "delivery": _("收货人（平台上已有，核对用）"),
}
BULK_RUN: Words = {
    "checked": _("待确认"),
    "running": _("提交中"),
    "stopped": _("停下"),
    "done": _("已提交完"),
}

GROUPS: Mapping[str, Words] = {
    "texts": TEXTS,
    "bulk": BULK,
    "copy": COPY,
    "bulk_run": BULK_RUN,
    "action": {**ACTION, **customer_side.ACTION},
    "entry": {**ENTRY, **carrier_side.ENTRY, **customer_side.ENTRY, **telling.ENTRY},
    "effect_kind": {**EFFECT_KIND, **telling.EFFECT_KIND},
    "effect_why": {**EFFECT_WHY, **telling.EFFECT_WHY},
    "effect_field": EFFECT_FIELD,
    "effect": EFFECT,
    "reissue": REISSUE,
    "route": ROUTE,
    "phone": PHONE,
    "connection": CONNECTION,
    "connection_kind": {**CONNECTION_KIND, **telling.CONNECTION_KIND},
    "asking_why": ASKING_WHY,
    "follow": FOLLOW,
    "after_sale": AFTER_SALE,
    "after_sale_type": AFTER_SALE_TYPE,
    "gate": GATE,
    "label": LABEL,
    "failure": {**FAILURE, **telling.FAILURE},
    "settled_by": {**SETTLED_BY, **telling.SETTLED_BY},
    "part": PARTS,
    "check": CHECK,
    "number": NUMBER,
    "value": VALUES,
    "problem": PROBLEM,
    "parameter": PARAMETER,
    "by": SYSTEM,
}
