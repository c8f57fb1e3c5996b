"""Words around carriers: their rules, papers, what they said, and the money asked from them."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from bufa.web.words.trade import Words

TOPIC: Words = {
    "window": _("索赔期限"),
    "amount": _("赔付标准"),
    "papers": _("要的材料"),
    "answer": _("答复期限"),
    "terms": _("条款"),
    "contact": _("联系方式"),
}

RULE_MARK: Words = {
    "verified": _("法规标准"),
    "seen": _("公开汇总"),
    "inferred": _("推断"),
    "own": _("本店约定"),
}

PAPER: Words = {
    "application": _("补发申请表"),
    "order_info": _("订单信息表"),
    "waybill_photo": _("面单照片"),
    "six_sides": _("外包装六面照"),
    "unboxing": _("开箱视频"),
    "value_proof": _("价值证明"),
    "chats": _("沟通记录或工单号"),
    "insurance": _("保价凭证"),
    "tracks": _("轨迹截图"),
}

BASIS: Words = {
    "multiple": _("运费的倍数"),
    "freight": _("退运费"),
    "value": _("按货值"),
}

BEGINS: Words = {"delivered": _("签收"), "collected": _("揽收")}

CLAIM_STATE: Words = {
    "none": _("不需要"),
    "open": _("未提出"),
    "lapsed": _("过了期限"),
    "asked": _("已提出"),
    "answered": _("已答复"),
    "refused": _("被拒"),
    "short_paid": _("少赔"),
    "paid": _("已赔"),
    "settled": _("认了差额"),
    "waived": _("不追了"),
}

CLAIM_ACT: Words = {
    "ask": _("提出索赔"),
    "answer": _("记下对方答应的金额"),
    "refuse": _("记下被拒"),
    "pay": _("记下到账"),
    "accept": _("认下差额"),
    "waive": _("不追了"),
    "lapse": _("过了期限"),
    "reopen": _("重新打开"),
    "insure": _("改保价金额"),
}

CLAIM_VIEW: Words = {
    "todo": _("要办"),
    "window": _("未提出"),
    "waiting": _("等答复"),
    "short": _("少赔和被拒"),
    "done": _("已了结"),
    "all": _("全部"),
}

APPEAL_STATE: Words = {
    "open": _("可申诉"),
    "lapsed": _("过了期限"),
    "sent": _("已提交"),
    "granted": _("申诉成功"),
    "refused": _("被驳回"),
    "back": _("已退回"),
    "waived": _("不申诉"),
}

APPEAL_ACT: Words = {
    "prepare": _("写申诉内容"),
    "send": _("记下已提交"),
    "grant": _("记下申诉成功"),
    "refuse": _("记下被驳回"),
    "pay_back": _("记下退回到账"),
    "waive": _("不申诉了"),
    "reopen": _("重新打开"),
}

APPEAL_VIEW: Words = {
    "todo": _("要办"),
    "open": _("还能申诉"),
    "sent": _("等答复"),
    "granted": _("等退款"),
    "done": _("已了结"),
    "all": _("全部"),
}

APPEAL_GROUND: Words = {
    "force_majeure": _("不可抗力"),
    "carrier_scan": _("承运商漏扫描或网点原因"),
    "buyer_agreed": _("与买家另有约定"),
    "sent_again": _("已补发，买家已收到或同意"),
    "packed_right": _("按订单发货，没有少发错发"),
    "judged_wrong": _("轨迹与判定不符"),
}

APPEAL_WANT: Words = {
    "area": _("涉及区域"),
    "span": _("起止时间"),
    "branch_paper": _("网点证明"),
    "reissue": _("补发件轨迹"),
    "chats": _("与买家的沟通记录"),
    "video": _("打包视频"),
    "weights": _("称重记录"),
    "carrier_letter": _("承运商总部证明"),
    "words": _("申诉说明"),
    "other": _("其他材料"),
}

SCORE_LEVEL: Words = {"carrier": _("承运商"), "branch": _("网点"), "route": _("线路")}

REQUEST: Words = {"intercept": _("拦截退回"), "redeliver": _("再次派送"), "change_address": _("改派地址")}

REQUEST_STATE: Words = {
    "asked": _("等结果"),
    "done": _("办成了"),
    "failed": _("没办成"),
    "late": _("来不及了"),
    "withdrawn": _("撤回了"),
}

REQUEST_WAY: Words = {"platform": _("平台售后单"), "mail": _("给承运商发信"), "hand": _("要人去打电话或群里说")}

PENALTY_WHY: Words = {
    "order_unknown": _("店铺里没有这个订单"),
    "waybill_not_of_order": _("订单里没有这个运单"),
    "order_has_parcels": _("订单有几个包裹，看不出是哪一个"),
    "waybill_unknown": _("没有这个运单号的包裹"),
}

ANSWER_SOURCE: Words = {"chat": _("群聊"), "mail": _("邮件"), "sheet": _("表格"), "link": _("承运商页面")}

ANSWER_STATE: Words = {
    "open": _("待采纳"),
    "accepted": _("已采纳"),
    "dismissed": _("放到一边"),
    "overtaken": _("有更新的"),
}

ANSWER_SENDER: Words = {"stranger": _("陌生地址")}

PLACED_BY: Words = {
    "token": _("回信地址里的编号"),
    "thread": _("回的是我们的信"),
    "code": _("信里的案件号"),
    "waybill": _("信里的运单号"),
    "person": _("人工放置"),
    "": _("认不出是哪个案件"),
}

MAIL_FAULT: Words = {
    "too_large": _("太大，只收了信头"),
    "too_many_parts": _("拆得太碎，只收了信头"),
    "unreadable": _("正文读不出来"),
    "header_unreadable": _("有信头读不出来"),
    "text_cut": _("正文太长，截断了"),
    "html_only": _("只有网页格式，去掉格式后显示"),
    "attachments_left": _("附件没有打开"),
    "two_senders": _("写了两个发件人"),
    "sender_unreadable": _("发件人写得不正常"),
}

MESSAGE: Words = {
    "queued": _("待发出"),
    "sent": _("已发出"),
    "failed": _("未送达"),
    "unknown": _("结果未知"),
    "received": _("收到"),
    "cancelled": _("已撤回"),
    "bounced": _("被退信"),
    "to_copy": _("等人发到群里"),
    "escalate": _("升级"),
    "ask_consent": _("请求同意"),
    "remind": _("催促"),
    "tell": _("告知"),
}

TALK_STATE: Words = {
    "opened": _("未问"),
    "asked": _("已问"),
    "chased": _("已催"),
    "escalated": _("已升级"),
    "answered": _("已回话"),
    "promised": _("已承诺"),
    "consented": _("已同意"),
    "refused": _("不同意"),
    "closed": _("已结束"),
}

RUNG: Words = {
    "ask": _("询问"),
    "remind": _("催办"),
    "branch": _("问网点"),
    "head_office": _("升级到总部"),
    "platform": _("升级到平台"),
}

NO_RUNG: Words = {
    "not_waiting": _("不用催"),
    "stopped": _("已停，等人恢复"),
    "switched_off": _("店铺没有开自动催办"),
    "to_copy": _("有一段话等人发到群里"),
    "nobody_left": _("没有更高一级的联系人了，要人来办"),
}

LEVEL: Words = {"branch": _("网点"), "head_office": _("总部"), "platform": _("平台")}

REACH: Words = {"email": _("邮件"), "robot": _("群机器人"), "by_hand": _("人工发群")}

WEEKDAY: Words = {
    "1": _("周一"),
    "2": _("周二"),
    "3": _("周三"),
    "4": _("周四"),
    "5": _("周五"),
    "6": _("周六"),
    "7": _("周日"),
}

LETTER_LANGUAGE: Words = {"zh-hans": _("中文"), "en": _("英文")}

ROBOT: Words = {"wecom": _("企业微信"), "dingtalk": _("钉钉"), "feishu": _("飞书")}

TALK_VIEW: Words = {
    "open": _("在谈"),
    "overdue": _("超时未答"),
    "soon": _("24 小时内到期"),
    "stuck": _("要人来办"),
    "stopped": _("停了催办"),
    "closed": _("已结束"),
}

COVERS: Words = {
    "reissue": _("补发"),
    "payment": _("赔付"),
    "redeliver": _("再派送"),
    "return": _("退回"),
    "search": _("继续查找"),
}

SHEET_KIND: Words = {"paid": _("赔款"), "bill": _("运费账单"), "insured": _("保价清单")}

GROUPS: Mapping[str, Words] = {
    "topic": TOPIC,
    "rule_mark": RULE_MARK,
    "paper": PAPER,
    "basis": BASIS,
    "begins": BEGINS,
    "claim_state": CLAIM_STATE,
    "claim_act": CLAIM_ACT,
    "claim_view": CLAIM_VIEW,
    "sheet_kind": SHEET_KIND,
    "message": MESSAGE,
    "talk_state": TALK_STATE,
    "talk_view": TALK_VIEW,
    "rung": RUNG,
    "no_rung": NO_RUNG,
    "level": LEVEL,
    "reach": REACH,
    "robot": ROBOT,
    "letter_language": LETTER_LANGUAGE,
    "weekday": WEEKDAY,
    "covers": COVERS,
    "appeal_state": APPEAL_STATE,
    "appeal_act": APPEAL_ACT,
    "appeal_view": APPEAL_VIEW,
    "appeal_ground": APPEAL_GROUND,
    "appeal_want": APPEAL_WANT,
    "penalty_why": PENALTY_WHY,
    "request": REQUEST,
    "request_state": REQUEST_STATE,
    "request_way": REQUEST_WAY,
    "score_level": SCORE_LEVEL,
    "answer_source": ANSWER_SOURCE,
    "answer_state": ANSWER_STATE,
    "answer_sender": ANSWER_SENDER,
    "placed_by": PLACED_BY,
    "mail_fault": MAIL_FAULT,
}

ENTRY: Words = {
    "claim_asked": _("向承运商提出索赔 %(amount)s"),
    "claim_answered": _("承运商答应赔 %(amount)s"),
    "claim_refused": _("承运商拒赔"),
    "claim_paid": _("承运商赔付到账 %(amount)s，还差 %(short)s"),
    "claim_settled": _("认下了少赔的差额"),
    "claim_waived": _("不再索赔"),
    "claim_reopened": _("重新打开索赔"),
    "carrier_mail_received": _("收到承运商的回信，读出 %(answers)s 条答复"),
    "carrier_mail_doubtful": _("收到一封来源未核实的信，没有据此做任何事"),
    "carrier_said": _("采纳了承运商的话 %(amount)s"),
    "carrier_promised": _("承运商承诺 %(day)s 送达"),
    "carrier_group_sent": _("群消息已发出"),
    "carrier_group_failed": _("群消息没有发出"),
    "carrier_group_unknown": _("群消息不知道有没有发出"),
    "carrier_text_sent": _("已把话发到承运商的群里"),
    "carrier_mail_bounced": _("信被退回：%(why)s"),
    "carrier_mail_late": _("信还没有送到，对方服务器在重试：%(why)s"),
    "ladder_stopped": _("停止自动催办"),
    "ladder_resumed": _("恢复自动催办"),
    "appeal_sent": _("已向平台申诉%(penalty)s扣款，%(due)s 前应有答复"),
    "appeal_granted": _("平台同意退回%(penalty)s扣款 %(amount)s"),
    "appeal_refused": _("平台驳回了%(penalty)s扣款的申诉"),
    "appeal_back": _("%(penalty)s扣款退回 %(amount)s"),
    "appeal_waived": _("%(penalty)s扣款不申诉了"),
    "appeal_reopened": _("%(penalty)s扣款重新打开申诉"),
    "request_asked": _("请承运商%(request)s %(number)s：%(way)s"),
    "request_done": _("%(request)s %(number)s：办成了"),
    "request_failed": _("%(request)s %(number)s：没办成"),
    "request_late": _("%(request)s %(number)s：来不及了"),
    "request_withdrawn": _("%(request)s %(number)s：撤回了"),
    "claim_insured": _("记下保价金额 %(amount)s"),
    "claim_lapsed": _("没有提出索赔，期限 %(until)s 已过"),
}

TEXTS: Words = {
    "rule_text_missing": _("写一句规则是什么"),
    "rule_hours": _("时限写 1 到 %(most)s 小时"),
    "rule_papers_missing": _("至少选一样材料"),
    "rule_multiple": _("倍数写 1 到 100，最低不高于最高"),
    "rule_percent": _("百分比写 1 到 100，封顶不能是负数"),
    "rule_changed_since": _("这条规则后来又改过，先撤销后面的"),
    "no_such_rule": _("没有这条规则，可能已被恢复默认"),
    "too_many_rules": _("本店自己的规则最多 %(most)s 条，请先删掉不用的"),
    "claim_not_now": _("这笔索赔现在是“%(claim_state)s”，不能%(act)s"),
    "claim_amount": _("金额要大于 0"),
    "claim_reason_missing": _("写明原因，以后对账要看"),
    "claim_changed": _("这笔索赔刚被别人改过，请看一眼再做"),
    "claim_not_found": _("没有找到这个运单号或案件号的索赔"),
    "claim_nothing_owed": _("这个案件现在判定的问题，承运商不用赔"),
    "layout_title_missing": _("标题不能空"),
    "layout_rows": _("内容写 1 到 %(most)s 行"),
    "layout_signs": _("签字栏最多 %(most)s 个"),
    "layout_text_too_long": _("“%(text)s…”这一段太长，最多 %(most)s 字"),
    "layout_unknown_field": _("没有这些可填的名称：%(fields)s"),
    "papers_none": _("没有可写的案件：选中的都没有运单，或已结案"),
    "too_many_papers": _("一次最多写 %(most)s 份，请少选几个"),
    "too_many_answers": _("一次最多读 %(most)s 条答复，请分几次"),
    "case_is_closed": _("案件已经结了，要先重新打开"),
    "answer_is_decided": _("这条答复已经有人处理了"),
    "answer_not_taken": _("%(number)s 没有采纳：%(text)s"),
    "link_days": _("有效期写 1 到 %(most)s 天"),
    "link_gone": _("这个链接已经失效"),
    "link_other_case": _("这个链接里没有这一件"),
    "answer_empty": _("至少答一项，或写一句说明"),
    "link_too_fast": _("答得太快了，请过几分钟再继续"),
    "link_photos": _("照片太多了，最多 %(most)s 张"),
    "mail_is_placed": _("这封信已经有人处理了"),
    "no_such_case": _("没有这个案件号"),
    "appeal_not_now": _("这笔扣款现在是“%(appeal_state)s”，不能%(appeal_act)s"),
    "appeal_reason_missing": _("写明原因，以后对账要看"),
    "appeal_too_late": _("申诉期限 %(until)s 已过，只能记期限之内提交的"),
    "appeal_before_notice": _("不能早于通知的时间 %(notice)s"),
    "appeal_ground_missing": _("先选申诉理由并保存申诉内容"),
    "appeal_ground_unknown": _("这种扣款不能用这个申诉理由"),
    "appeal_too_much": _("加起来超过了扣款 %(taken)s"),
    "appeal_changed": _("这笔申诉刚被别人改过，请看一眼再做"),
    "appeal_unplaced": _("这笔扣款还没有对上包裹，先对上再申诉"),
    "appeal_span": _("结束时间早于开始时间"),
    "appeal_no_file": _("案件里没有这个文件"),
    "penalty_is_appealed": _("这笔扣款已经在申诉，不能删除；不想申诉就记“不申诉了”"),
    "penalty_is_placed": _("这笔扣款已经有人处理了"),
    "penalty_names_nothing": _("写上订单编号或运单号"),
    "penalty_order_unknown": _("店铺里没有 %(named)s 这个订单或运单，先导入订单"),
    "penalty_waybill_unknown": _("没有运单号 %(named)s 的包裹"),
    "penalty_order_has_parcels": _("订单 %(named)s 有几个包裹，请写它的运单号"),
    "penalty_waybill_not_of_order": _("订单里没有运单 %(named)s"),
    "request_is_open": _("已经提过了，还没有结果"),
    "request_is_settled": _("这个请求已经有结果：%(request_state)s"),
    "request_words_missing": _("写上要改到的地址和电话"),
    "not_a_parcel_of_case": _("这个包裹不是这个案件的"),
    "line_is_placed": _("这一行已经有人处理了"),
    "asked_today": _("今天已经就这一件问过这个联系人了。请明天再催，或换一个联系人"),
    "too_many_asked": _("一次最多问 %(most)s 件，请少选几个"),
    "no_waybill_to_ask": _("没有运单号，没法问承运商"),
    "contact_bounced": _("%(email)s 上次退信了，请先改邮箱或换联系人"),
    "contact_hours": _("上班时间要早于下班时间，并至少选一天"),
    "contact_answer_hours": _("答复时长写 1 到 %(most)s 小时"),
    "contact_unreachable": _("写一个邮箱、选一个群机器人，或写下称呼（由人发到群里）"),
    "contact_is_there": _("已经有一个一样的联系人"),
    "province_unknown": _("不认识的省份：%(value)s"),
    "no_such_robot": _("没有这个群机器人，可能已停用"),
    "robot_is_off": _("群机器人“%(name)s”已停用，请先恢复或换联系人"),
    "robot_address": _("这不是企业微信、钉钉或飞书群机器人的地址，请从群设置里完整复制"),
    "robot_host": _("%(host)s 不是企业微信、钉钉或飞书的地址，不会往那里发"),
    "robot_unsigned": _("企业微信的机器人没有签名密钥，请留空"),
    "too_many_robots": _("群机器人最多 %(most)s 个，请先删掉不用的"),
    "no_carrier_case": _("这个案件还没有和承运商谈过"),
    "ladder_hours": _("每一级写 1 到 %(most)s 小时，催办 0 到 5 次"),
    "not_to_copy": _("这段话已经有人处理了"),
    "consent_expired": _("承运商的同意只到 %(until)s，已经过了：请再问一次，或由主管决定不等"),
}

PARAMS: Mapping[str, str] = {
    "claim_state": "claim_state",
    "act": "claim_act",
    "appeal_state": "appeal_state",
    "appeal_act": "appeal_act",
    "penalty": "penalty",
    "proves": "appeal_want",
    "request": "request",
    "request_state": "request_state",
    "way": "request_way",
}
