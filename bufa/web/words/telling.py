"""Words of telling customers: channels, states of a notice and its receipt, rules, texts, and why not."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from bufa.web.words.trade import Words

CHANNEL: Words = {
    "": _("按店里的顺序"),
    "sms": _("平台短信"),
    "aliyun_sms": _("阿里云短信"),
    "tencent_sms": _("腾讯云短信"),
    "voice": _("语音电话"),
    "site": _("站内消息"),
    "email": _("邮件"),
    "phone": _("电话"),
}
NOTICE: Words = {
    "held": _("等时候"),
    "queued": _("待发出"),
    "sending": _("发送中"),
    "sent": _("已发出"),
    "delivered": _("已送达"),
    "silent": _("没有回执"),
    "failed": _("未送达"),
    "unknown": _("结果未知"),
    "cancelled": _("没有发出"),
    "todo": _("待人办"),
    "done": _("已办"),
}
RECEIPT: Words = {
    "waiting": _("等回执"),
    "delivered": _("回执：已收到"),
    "failed": _("回执：没有收到"),
    "none": _("到时没有回执"),
}
APPROVAL: Words = {
    "draft": _("草稿"),
    "submitted": _("已送审"),
    "approved": _("已通过"),
    "refused": _("未通过"),
}
SITE: Words = {"reached": _("已发给客户"), "wrong_number": _("发不了")}
OPT_OUT: Words = {"reply": _("客户回复退订"), "person": _("我们记下的"), "vendor": _("号码在对方的黑名单里")}
TELLING: Words = {"running": _("正在通知"), "stopped": _("停下"), "done": _("通知完了")}
TELLING_ROW: Words = {"todo": _("还没轮到"), "told": _("已通知"), "refused": _("没有通知")}
VALUE: Words = {
    "shop": _("店名"),
    "order_tail": _("订单尾号"),
    "reason": _("原因"),
    "measure": _("措施"),
    "reissue": _("补发单号"),
    "carrier": _("承运商"),
    "number": _("运单号"),
    "eta": _("预计送达"),
    "link": _("客户页面的地址"),
}

ENTRY: Words = {
    "notice_fallback": _("%(from)s没有送到，改用%(channel)s：%(purpose)s"),
    "notice_delivered": _("回执：客户收到了（%(channel)s）：%(purpose)s"),
    "notice_silent": _("到时没有回执（%(channel)s）：%(purpose)s"),
    "notice_let_go": _("没有发出（%(channel)s）：%(purpose)s"),
    "opted_out": _("客户不想再收到通知"),
}

TEXTS: Words = {
    "opted_out": _("客户不想再收到通知；要说就打电话"),
    "notice_budget_spent": _("今天的通知费用到上限了，收费的先停发；主管可以在“设置 › 通知客户”里调"),
    "limit_of_the_day": _("这位客户今天已经收到 %(most)s 条，明天再发"),
    "quiet_hours": _("%(from)s–%(to)s 不打扰，过了再发"),
    "tried_already": _("已经用过，没有送到"),
    "no_channel_open": _("没有能用的渠道，请打电话或另选"),
    "no_phone": _("不知道客户的手机号（平台只给密文）"),
    "phone_is_virtual": _("是带分机的虚拟号，只有平台短信到得了"),
    "template_not_approved": _("短信模板还没有通过：%(approval)s %(refusal)s"),
    "text_not_approved": _("这个渠道只能发审过的模板，不能发另写的话"),
    "person_unknown": _("不知道收件人是谁，记不下来"),
    "not_there_any_more": _("已经不在了，请刷新页面"),
    "vendor_id_missing": _("通过了的模板要填对方的模板编号"),
    "refusal_missing": _("请写下没有通过的原因"),
    "wording_empty": _("请写下要说的话"),
    "wording_brackets": _("花括号要成对，里面只写变量名"),
    "wording_unknown_name": _("没有这样的变量：%(names)s。能用的有：%(known)s"),
    "wording_needs_name": _("这条通知少不了：%(names)s"),
    "wording_control": _("里面有看不见的控制字符，请删掉"),
    "wording_subject": _("标题只能一行，最多 %(most)s 个字"),
    "wording_too_long": _("太长：%(length)s 个字，最多 %(most)s 个"),
    "wording_signature": _("签名【】由对方加上，正文里不要写"),
    "wording_address_spoken": _("语音电话念不了网址"),
    "told_case_closed": _("案件已经结了"),
    "no_approved_template": _("还没有通过的模板，发不了测试短信。请先在“设置 › 通知客户 › 文案”里填模板编号"),
    "phone_shape": _("手机号不对"),
}

EFFECT_KIND: Words = {
    "aliyun_sms": _("阿里云短信"),
    "tencent_sms": _("腾讯云短信"),
    "voice": _("语音电话"),
}
EFFECT_WHY: Words = {
    "aliyun_sms": _("用对方审过的模板发短信。没有可信的答复时按我们的编号去问，不重发。"),
    "tencent_sms": _("用对方审过的模板发短信。没有可信的答复时按我们的编号去问，不重发。"),
    "voice": _("打一个念模板的电话。没有可信的答复时等推送的结果，或由人认定，不再打一次。"),
}
FAILURE: Words = {
    "bad_phone": _("手机号不对，对方发不到"),
    "template": _("模板或签名没有审过"),
    "opted_out": _("客户不想收到，或号码在黑名单里"),
    "quiet_hours": _("正是不打扰的时段"),
}
SETTLED_BY: Words = {"receipt": _("回执")}
CONNECTION_KIND: Words = {
    "aliyun_sms": _("阿里云短信"),
    "tencent_sms": _("腾讯云短信"),
    "aliyun_voice": _("阿里云语音"),
}

GROUPS: Mapping[str, Words] = {
    "channel": CHANNEL,
    "notice": NOTICE,
    "receipt": RECEIPT,
    "approval": APPROVAL,
    "site": SITE,
    "opt_out": OPT_OUT,
    "telling": TELLING,
    "telling_row": TELLING_ROW,
    "wording_value": VALUE,
}
