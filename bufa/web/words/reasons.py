"""Sentences for every reason code (`Why`, `Refused`): what is so, and where it helps, what to do about it.

`%(name)s` are the code's params in words: times, money, rules and measures are put into words before they get here.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from bufa.web.words.trade import Words

# Evidence of findings, by rule.
EVIDENCE: Words = {
    "late_shipping": _("%(start)s 前应发货，还没有揽收"),
    "out_of_stock_late": _("超过发货时限 %(hours)s 小时仍没有发出"),
    "pickup_timeout": _("%(start)s 上传运单，%(hours)s 小时内没有揽收"),
    "pickup_abnormal": _("%(start)s 上传运单，%(hours)s 小时仍没有揽收"),
    "out_of_stock_track": _("%(start)s 上传运单，%(hours)s 小时仍没有真实发货"),
    "out_of_stock_notice": _("处罚通知后 %(hours)s 小时，客户仍未收到"),
    "dispatch_timeout": _("%(start)s 揽收，%(hours)s 小时内没有到达首个转运中心"),
    "dispatch_abnormal": _("%(start)s 揽收，%(hours)s 小时仍没有中转轨迹"),
    "transit_timeout": _("%(place)s %(start)s 以后，%(hours)s 小时没有新轨迹"),
    "lost_suspected": _("%(place)s %(start)s 以后，%(hours)s 小时没有任何轨迹，可能已丢失"),
    "delivery_stalled": _("%(start)s 起派送，%(hours)s 小时没有签收"),
    "station_overdue": _("%(start)s 放在驿站或快递柜，%(hours)s 小时无人取"),
    "attempt_failed": _("%(start)s 派送未成功：%(reason)s"),
    "attempts_failed": _("多次派送未成功，最近一次 %(start)s"),
    "refused": _("%(start)s 收件人拒收"),
    "returning": _("%(start)s 起往回退"),
    "returned": _("%(start)s 已退回寄件人"),
    "damaged": _("%(start)s 轨迹报破损"),
    "lost": _("%(start)s 承运商轨迹报丢失"),
    "held": _("%(start)s 起滞留：%(reason)s"),
    "intercepted": _("%(start)s 被拦截"),
    "pickup_cancelled": _("%(start)s 揽收被取消"),
    "signed_then_failed": _("签收之后 %(start)s 又派送失败，签收不可信"),
}

# Why a case is where it is.
CASE: Words = {
    "finding_open": _("%(rule)s：%(since)s 起"),
    "verdict_missing": _("还没有判定出了什么问题"),
    "measure_missing": _("已判定为%(claim)s，还没有选措施"),
    "waiting_until": _("等到 %(until)s 再看"),
    "wait_is_over": _("等的时间到了，包裹还没有动"),
    "carrier_not_asked": _("还没有问承运商"),
    "carrier_to_answer": _("%(asked_at)s 已问承运商，%(due)s 前应有答复"),
    "carrier_silent": _("承运商到 %(due)s 还没有答复"),
    "carrier_refused": _("承运商不同意%(measure)s，要改选措施或不等同意"),
    "number_missing": _("补发单号还没有填"),
    "number_ready": _("补发单号已填好，可以提交"),
    "number_rejected": _("平台拒绝了上一个补发单号，要改后再交"),
    "ticket_missing": _("补发要挂在客户的补寄申请上，请客户在订单里申请"),
    "ticket_asked_for": _("%(asked_at)s 已请客户申请补寄，还没有申请"),
    "submission_under_way": _("补发单号正在提交，等平台答复"),
    "submission_unknown": _("提交后没有得到可信的答复，读回也没能确认：请到平台看一眼"),
    "customer_not_told": _("客户还不知道：%(purpose)s"),
    "notice_under_way": _("通知正在发送：%(purpose)s"),
    "notice_failed": _("通知没有送达：%(purpose)s"),
    "original_under_way": _("已%(measure)s，等原件送达"),
    "reissue_under_way": _("补发件在路上，答应客户 %(promise_at)s 前到"),
    "promise_overdue": _("答应客户 %(promise_at)s 前到，还没有到"),
    "case_closed": _("已结案：%(outcome)s"),
}

# Why something may not be done.
REFUSALS: Words = {
    "ask_role": _("要由%(roles)s来做"),
    "not_allowed": _("你是%(role)s，不能%(permission)s。请主管或店主来做"),
    "action_not_here": _("案件%(state)s，现在不能%(action)s。刷新看看是不是别人刚处理过"),
    "people_only": _("这一步要由人来做"),
    "system_only": _("这一步由系统按事实来做，不能手工点"),
    "parameter_missing": _("请填写：%(name)s"),
    "parameter_unknown": _("不认识的值：%(name)s"),
    "verdict_already_confirmed": _("已经判定过了。要改判请用“改选措施”"),
    "verdict_not_confirmed": _("先确认判定，再选措施"),
    "until_is_past": _("%(until)s 已经过了，请选以后的时间"),
    "answer_due_is_past": _("%(answer_due)s 已经过了，请选以后的时间"),
    "measure_unchanged": _("措施没有变，仍是%(measure)s"),
    "measure_is_not_reissue": _("当前措施不是补发，不能填补发单号"),
    "reissue_is_live": _("补发件%(reissue_state)s，平台可能已有这个单号，现在不能改"),
    "consent_already_settled": _("承运商的答复已经记录：%(consent)s"),
    "number_not_filled": _("先填写并保存补发单号，再提交"),
    "ticket_needed": _("客户还没有申请补寄。请先请客户申请；主管可以写明原因直接提交"),
    "submission_not_unknown": _("提交结果已经清楚，不用人工认定"),
    "effect_not_unknown": _("这个动作的结果已经清楚，不用人工认定"),
    "customer_already_told": _("这一轮已经通知过客户了"),
    "nothing_to_tell_yet": _("补发单号还没有被平台受理，现在没有可说的"),
    "no_reissue_under_way": _("没有在途的补发件"),
    "last_owner": _("店铺至少要有一位店主。先把别人设为店主"),
    "login_empty": _("请填写登录名"),
    "name_empty": _("请填写名称"),
    "no_such_member": _("这位成员已不在店铺里"),
    "password_weak": _("密码不够好：%(problems)s"),
    "policy_hours": _("“%(rule)s”的小时数要在 0 到 1440 之间"),
    "unknown_connection": _("不认识的连接：%(kind)s"),
    "not_connected": _("还没有连接%(kind)s。请店主到“设置 › 连接”填写"),
    "signature": _("签名不对：密钥和对方配置的不一致"),
    "unsigned": _("消息没有签名，不能相信"),
    "malformed": _("内容不完整或格式不对"),
}

TEXTS: Words = {**EVIDENCE, **CASE, **REFUSALS}
