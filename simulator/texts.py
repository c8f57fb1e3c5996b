"""What each carrier writes on a scan, in its own manner. The wording here is made up; only the manner is the carrier's.

Fields: ``city`` and ``site`` are where the scan happens, ``next`` is the next site, ``man`` and ``tel`` the courier,
``line`` the site's telephone, ``who`` the signer, ``shelf`` a station or locker, ``n`` the number of the attempt,
``why`` a reason in words.
"""

from __future__ import annotations

from random import Random

# kind -> (Kuaidi100's fine status, KDNiao's StateEx)
CODES: dict[str, tuple[str, str]] = {
    "label": ("102", "10"),
    "collected": ("103", "1"),
    "depart_site": ("1002", "206"),
    "arrive_hub": ("0", "204"),
    "depart_hub": ("1002", "2"),
    "arrive_city": ("1001", "201"),
    "depart_city": ("0", "2"),
    "arrive_branch": ("0", "205"),
    "out": ("5", "202"),
    "out_again": ("5", "419"),
    "to_shelf": ("501", "211"),
    "from_shelf": ("304", "311"),
    "signed": ("301", "301"),
    "signed_for": ("303", "304"),
    "signed_late": ("302", "302"),
    "fail_contact": ("206", "416"),
    "fail_absent": ("204", "405"),
    "fail_address": ("204", "420"),
    "held": ("208", "417"),
    "overdue": ("205", "412"),
    "refused": ("203", "404"),
    "damaged": ("209", "414"),
    "returning": ("6", "407"),
    "return_hub": ("6", "407"),
    "returned": ("4", "406"),
    "intercepted": ("0", "2"),
    "note": ("0", "2"),
}

# kind -> 17TRACK's sub-status
TRACK17: dict[str, str] = {
    "label": "InfoReceived",
    "collected": "InTransit_PickedUp",
    "out": "OutForDelivery_Other",
    "out_again": "OutForDelivery_Other",
    "to_shelf": "AvailableForPickup_Other",
    "from_shelf": "Delivered_Other",
    "signed": "Delivered_Other",
    "signed_for": "Delivered_Other",
    "signed_late": "Delivered_Other",
    "fail_contact": "DeliveryFailure_NoBody",
    "fail_absent": "DeliveryFailure_Other",
    "fail_address": "DeliveryFailure_InvalidAddress",
    "held": "Exception_Delayed",
    "overdue": "AvailableForPickup_Other",
    "refused": "DeliveryFailure_Rejected",
    "damaged": "Exception_Damage",
    "returning": "Exception_Returning",
    "return_hub": "Exception_Returning",
    "returned": "Exception_Returned",
} | {kind: "InTransit_Other" for kind in CODES if kind.startswith(("depart", "arrive", "intercepted", "note"))}

# The coarse states that Kuaidi100 and KDNiao give to callers who did not ask for fine ones.
KUAIDI100_STATE_NAMES = {
    "0": "在途", "1": "揽收", "2": "疑难", "3": "签收", "4": "退签", "5": "派件", "6": "退回", "7": "转投", "8": "清关",
}  # fmt: skip


def kuaidi100_coarse(fine: str) -> str:
    """The basic state of a fine one; the four-digit ones are transit, 14 is a returned parcel, 10–13 customs."""
    if len(fine) == 4:
        return "0"
    if fine == "14":
        return "4"
    if fine in {"10", "11", "12", "13"}:
        return "8"
    return fine[0]


def kdniao_coarse(fine: str) -> str:
    """The basic state of a StateEx."""
    return "1" if fine == "10" else fine[0]


_ZHONGTONG = {
    "label": "【{city}】商家已打单，等待{site}上门取件",
    "collected": "【{city}】{site}（{line}）的{man}（{tel}）已揽收，快件在手，放心等候",
    "depart_site": "【{city}】快件已从{site}发出，下一站{next}",
    "arrive_hub": "【{city}】快件到达{site}",
    "depart_hub": "【{city}】快件离开{site}，已发往{next}",
    "arrive_city": "【{city}】快件已到{site}，即将安排分拣",
    "depart_city": "【{city}】快件从{site}装车，已发往{next}",
    "arrive_branch": "【{city}】快件已抵达{site}，等待派送",
    "out": "【{city}】{site}的{man}（{tel}）正在为您第1次派件，请保持电话畅通",
    "out_again": "【{city}】{site}的{man}（{tel}）正在为您第{n}次派件，请保持电话畅通",
    "to_shelf": "【{city}】快件已存放至{shelf}，请凭取货码及时领取，联系电话{line}",
    "from_shelf": "【{city}】取件人已在{shelf}取走快件，已签收，谢谢使用中通",
    "signed": "【{city}】快件已签收，签收人：{who}，派送员{man}（{tel}），期待再次为您服务",
    "signed_for": "【{city}】快件已由【{who}】代签收，如未收到请联系{man}（{tel}）",
    "signed_late": "【{city}】经再次派送，快件已签收，签收人：{who}",
    "fail_contact": "【{city}】问题件登记：收件人电话联系不上，{site}将再次安排派送",
    "fail_absent": "【{city}】问题件登记：上门时无人在家，已约定择日再派",
    "fail_address": "【{city}】问题件登记：收件地址不详，{site}正在核实",
    "held": "【{city}】快件在{site}留仓，原因：{why}",
    "overdue": "【{city}】快件在{shelf}存放时间较长，尚未领取，请尽快取件",
    "refused": "【{city}】问题件登记：客户拒收，{site}正与发件方确认",
    "damaged": "【{city}】问题件登记：快件外包装破损、内物渗漏，{site}已暂停流转",
    "returning": "【{city}】快件已办理退回，从{site}发往{next}",
    "return_hub": "【{city}】退回件到达{site}，下一站{next}",
    "returned": "【{city}】退回件已由寄件方签收，签收人：{who}",
    "note": "【{city}】感谢您选择中通，收件时如发现外包装破损请当面验视",
}

_YUANTONG = {
    "label": "您的订单已提交，等待圆通【{site}】揽收",
    "collected": "您的快件在【{site}】被揽收，揽收员：{man}，电话：{tel}",
    "depart_site": "您的快件离开【{site}】，去往【{next}】途中",
    "arrive_hub": "您的快件已经到达【{site}】",
    "depart_hub": "您的快件离开【{site}】，去往【{next}】途中",
    "arrive_city": "您的快件已经到达目的城市【{site}】",
    "depart_city": "您的快件离开【{site}】，去往派送网点【{next}】",
    "arrive_branch": "您的快件已经到达派送网点【{site}】",
    "out": "【{site}】快递员{man}（{tel}）正在派送您的快件，网点电话{line}",
    "out_again": "【{site}】快递员{man}（{tel}）正在第{n}次派送您的快件",
    "to_shelf": "您的快件暂放在{shelf}，请及时凭码取件，疑问请电{line}",
    "from_shelf": "您的快件已在{shelf}被取走，签收完成",
    "signed": "您的快件已签收，签收人：{who}，快递员{man}（{tel}）",
    "signed_for": "您的快件已由他人代签收，代签人：{who}，快递员{man}（{tel}）",
    "signed_late": "您的快件再次派送后签收成功，签收人：{who}",
    "fail_contact": "派送失败，原因：收件人电话无人接听，【{site}】稍后再派",
    "fail_absent": "签收失败，原因：收件人不在家，【{site}】改日派送",
    "fail_address": "派送失败，原因：地址不详，【{site}】正在联系核对",
    "held": "您的快件滞留在【{site}】，原因：{why}",
    "overdue": "您的快件在{shelf}超时未取，请尽快领取",
    "refused": "派送失败，原因：收件人拒收，【{site}】等待发件客户处理",
    "damaged": "您的快件在【{site}】登记为破损件，网点正在处理",
    "returning": "您的快件已退回，离开【{site}】去往【{next}】",
    "return_hub": "退回快件已经到达【{site}】，去往【{next}】途中",
    "returned": "退回快件已被寄件人签收，签收人：{who}",
    "note": "圆通提醒：请在签收前核对件数，若包裹破损可拨打客服热线反映",
}

_YUNDA = {
    "label": "【{city}】订单信息已收到，待{site}取件",
    "collected": "【{city}】{site}已揽件，业务员{man}（{tel}）",
    "depart_site": "【{city}】{site}已将快件交出，正发往{next}",
    "arrive_hub": "【{city}】快件进入{site}",
    "depart_hub": "【{city}】快件驶出{site}，发往{next}",
    "arrive_city": "【{city}】快件进入{site}，已到目的地城市",
    "depart_city": "【{city}】快件驶出{site}，发往{next}",
    "arrive_branch": "【{city}】快件已送达{site}网点，准备派送",
    "out": "【{city}】{site}派件员{man}（{tel}）开始派送，请您准备签收",
    "out_again": "【{city}】{site}派件员{man}（{tel}）再次派送，这是第{n}次",
    "to_shelf": "【{city}】快件已投放{shelf}，请凭短信取件",
    "from_shelf": "【{city}】快件已从{shelf}取出，确认签收",
    "signed": "【{city}】已签收，签收人{who}，派件员{man}（{tel}）",
    "signed_for": "【{city}】已代签收，代收人{who}，有疑问请致电{tel}",
    "signed_late": "【{city}】异常处理完毕，快件已签收，签收人{who}",
    "fail_contact": "【{city}】派送未成功：电话关机或无法接通，{site}保留快件",
    "fail_absent": "【{city}】派送未成功：客户外出，预约改天再送",
    "fail_address": "【{city}】派送未成功：地址有误，{site}待核实",
    "held": "【{city}】{site}暂存快件，原因：{why}",
    "overdue": "【{city}】{shelf}内快件超期未取，请联系{line}",
    "refused": "【{city}】客户当面拒收快件，{site}已上报",
    "damaged": "【{city}】{site}发现快件破损，已登记异常",
    "returning": "【{city}】快件开始退回寄件地，由{site}发往{next}",
    "return_hub": "【{city}】退件进入{site}，下一站{next}",
    "returned": "【{city}】退件已交还寄件客户，签收人{who}",
    "note": "【{city}】温馨提示：为保障权益请先验货再签收，投诉电话95546",
}

_SHENTONG = {
    "label": "【{site}】待取件，取件员已接单",
    "collected": "【{site}】的收件员【{man}，{tel}】已收件",
    "depart_site": "快件由【{site}】发往【{next}】",
    "arrive_hub": "快件到达【{site}】",
    "depart_hub": "快件由【{site}】发往【{next}】",
    "arrive_city": "快件到达目的地【{site}】",
    "depart_city": "快件由【{site}】发往派送点【{next}】",
    "arrive_branch": "快件到达派送点【{site}】",
    "out": "【{site}】的派件员【{man}，{tel}】正在派件，申通专线{line}可与您联系",
    "out_again": "【{site}】的派件员【{man}，{tel}】正在第{n}次派件",
    "to_shelf": "快件已在【{shelf}】代收，请及时取件，电话{line}",
    "from_shelf": "客户已从【{shelf}】取件，快件签收",
    "signed": "快件已签收，签收人：{who}，如有问题联系派件员【{man}，{tel}】",
    "signed_for": "快件已由【{who}】代签收，派件员【{man}，{tel}】",
    "signed_late": "问题处理后快件已签收，签收人：{who}",
    "fail_contact": "【{site}】进行问题件登记，类型【联系不上】，原因【电话无人接】",
    "fail_absent": "【{site}】进行问题件登记，类型【改期派送】，原因【家中无人】",
    "fail_address": "【{site}】进行问题件登记，类型【地址不详】，原因【缺门牌号】",
    "held": "【{site}】进行留仓登记，原因【{why}】",
    "overdue": "【{shelf}】快件逾期未取，再次提醒收件人",
    "refused": "【{site}】进行问题件登记，类型【拒收】，原因【收件人不要】",
    "damaged": "【{site}】进行问题件登记，类型【破损】，原因【外箱压坏】",
    "returning": "快件开始退回，由【{site}】发往【{next}】",
    "return_hub": "退回快件到达【{site}】，发往【{next}】",
    "returned": "退回快件已由发件人签收，签收人：{who}",
    "note": "【{site}】车辆已消毒，感谢您对申通的信任",
}

_JTEXPRESS = {
    "label": "【{city}】已下单，等待{site}揽收",
    "collected": "【{city}】您的包裹已揽收，{site}的{man}（{tel}）为您服务",
    "depart_site": "【{city}】您的包裹由{site}出发，前往{next}",
    "arrive_hub": "【{city}】您的包裹抵达{site}",
    "depart_hub": "【{city}】您的包裹由{site}出发，前往{next}",
    "arrive_city": "【{city}】您的包裹抵达{site}，已到收件城市",
    "depart_city": "【{city}】您的包裹由{site}出发，前往{next}",
    "arrive_branch": "【{city}】您的包裹抵达{site}，稍后安排派送",
    "out": "【{city}】{site}小哥{man}（{tel}）正在派送途中",
    "out_again": "【{city}】{site}小哥{man}（{tel}）第{n}次派送途中",
    "to_shelf": "【{city}】您的包裹放入{shelf}，请留意取件短信",
    "from_shelf": "【{city}】您的包裹已在{shelf}完成取件并签收",
    "signed": "【{city}】您的包裹已签收，签收方式：{who}，客服956025",
    "signed_for": "【{city}】您的包裹已代签收，代收人：{who}，小哥电话{tel}",
    "signed_late": "【{city}】您的包裹经二次派送已签收，签收方式：{who}",
    "fail_contact": "【{city}】派送异常：联系不到收件人，{site}将重新安排",
    "fail_absent": "【{city}】派送异常：收件人要求改天派送",
    "fail_address": "【{city}】派送异常：收件地址不完整，{site}核对中",
    "held": "【{city}】您的包裹在{site}滞留，原因：{why}",
    "overdue": "【{city}】您的包裹在{shelf}逾期未取",
    "refused": "【{city}】派送异常：收件人拒收，等待寄件人反馈",
    "damaged": "【{city}】{site}登记包裹破损，已转异常组处理",
    "returning": "【{city}】退件登记完成，包裹由{site}退往{next}",
    "return_hub": "【{city}】退件扫描：包裹抵达{site}，前往{next}",
    "returned": "【{city}】退件已送达寄件人并签收，签收方式：{who}",
    "note": "【{city}】天气炎热，小哥会尽快为您送达，感谢理解",
}

_SHUNFENG = {
    "label": "订单已生成，顺丰{site}准备上门收件",
    "collected": "顺丰速运 已收取快件，收派员{man}，电话{tel}",
    "depart_site": "快件在【{site}】装车，准备发往下一站【{next}】",
    "arrive_hub": "快件到达【{site}】",
    "depart_hub": "快件完成分拣，离开【{site}】发往【{next}】",
    "arrive_city": "快件到达收件城市【{site}】",
    "depart_city": "快件完成分拣，离开【{site}】发往【{next}】",
    "arrive_branch": "快件到达【{site}】，等待派送",
    "out": "快件交给{man}，正在派送途中（联系电话：{tel}）",
    "out_again": "快件再次交给{man}派送，第{n}次（联系电话：{tel}）",
    "to_shelf": "快件已放至{shelf}，请您凭码取件",
    "from_shelf": "快件已从{shelf}取走，签收成功",
    "signed": "已签收（{who}），感谢使用顺丰，期待再次为您服务",
    "signed_for": "已由{who}代签收，如有疑问请联系{man}（{tel}）",
    "signed_late": "已签收（{who}），让您久等了",
    "fail_contact": "快件派送不成功（收方电话暂时无法接通），将再次派送",
    "fail_absent": "快件派送不成功（与收方约定新的派送时间），待再次派送",
    "fail_address": "快件派送不成功（收方地址有误），正在核实",
    "held": "快件暂存【{site}】，原因：{why}",
    "overdue": "快件存放{shelf}超过时限，请尽快领取",
    "refused": "快件派送不成功（收方客户拒收快件），待与寄方确认",
    "damaged": "快件在【{site}】发现破损，正在处理",
    "returning": "快件应寄方要求退回，离开【{site}】发往【{next}】",
    "return_hub": "退回快件到达【{site}】，发往【{next}】",
    "returned": "退回快件已由寄方签收（{who}）",
    "note": "温馨提示：收派员不会索要验证码，谨防诈骗",
}

_JD = {
    "label": "揽收任务已分配给{man}",
    "collected": "您的快件已由京东快递{man}揽收完成，电话{tel}",
    "depart_site": "您的快件已从【{site}】发车，下一站【{next}】",
    "arrive_hub": "您的快件已到达【{site}】",
    "depart_hub": "您的快件已由【{site}】发往【{next}】",
    "arrive_city": "您的快件已到达收件地【{site}】",
    "depart_city": "您的快件已由【{site}】发往【{next}】",
    "arrive_branch": "您的快件已到【{site}】，即将派送",
    "out": "您的快件正在派送，快递员{man}，电话{tel}",
    "out_again": "您的快件正在第{n}次派送，快递员{man}，电话{tel}",
    "to_shelf": "您的快件已投入{shelf}，请凭取件码领取",
    "from_shelf": "您的快件已自{shelf}取出，妥投",
    "signed": "您的快件已妥投，签收人：{who}，快递员{man}",
    "signed_for": "您的快件已由{who}代收妥投，快递员{man}，电话{tel}",
    "signed_late": "您的快件再投成功，已妥投，签收人：{who}",
    "fail_contact": "您的快件派送不成功，原因【联系不上收件人】，稍后再投",
    "fail_absent": "您的快件派送不成功，原因【收件人改约时间】，稍后再投",
    "fail_address": "您的快件派送不成功，原因【地址不详】，正在确认",
    "held": "您的快件在【{site}】暂存，原因【{why}】",
    "overdue": "您的快件在{shelf}超时未取，请尽快领取",
    "refused": "您的快件派送不成功，原因【客户拒收】，等待寄件方处理",
    "damaged": "您的快件在【{site}】确认破损，已终止配送",
    "returning": "您的快件换单退回，由【{site}】发往【{next}】",
    "return_hub": "退回快件已到达【{site}】，下一站【{next}】",
    "returned": "退回快件已由寄件人签收，签收人：{who}",
    "note": "京东快递提醒您：签收后可对本次服务进行评价",
}

_YOUZHENG = {
    "label": "【{city}】寄件人已下单，待{site}收寄",
    "collected": "【{city}】{site}已收寄，揽投员：{man}，电话：{tel}",
    "depart_site": "【{city}】邮件离开{site}，发往{next}",
    "arrive_hub": "【{city}】邮件到达{site}（经转）",
    "depart_hub": "【{city}】邮件离开{site}，发往{next}（经转）",
    "arrive_city": "【{city}】邮件到达寄达地{site}",
    "depart_city": "【{city}】邮件离开{site}，发往{next}",
    "arrive_branch": "【{city}】邮件到达投递局{site}",
    "out": "【{city}】{site}安排投递，投递员：{man}，电话：{tel}",
    "out_again": "【{city}】{site}安排第{n}次投递，投递员：{man}",
    "to_shelf": "【{city}】邮件已存入{shelf}，请凭短信领取",
    "from_shelf": "【{city}】收件人已从{shelf}取走邮件",
    "signed": "【{city}】邮件已妥投，签收人：{who}",
    "signed_for": "【{city}】邮件已妥投，他人代收：{who}",
    "signed_late": "【{city}】再投邮件已妥投，签收人：{who}",
    "fail_contact": "【{city}】未妥投，备注：联系不到收件人，安排再投",
    "fail_absent": "【{city}】未妥投，备注：收件人外出，另约时间",
    "fail_address": "【{city}】未妥投，备注：名址有误，正在查询",
    "held": "【{city}】邮件在{site}留存，备注：{why}",
    "overdue": "【{city}】{shelf}内邮件逾期未领，已催领",
    "refused": "【{city}】未妥投，备注：收件人拒收，待处理",
    "damaged": "【{city}】{site}验视发现邮件破损，已做记录",
    "returning": "【{city}】邮件退回，离开{site}，发往{next}",
    "return_hub": "【{city}】退回邮件到达{site}，发往{next}",
    "returned": "【{city}】退回 妥投，签收人：{who}",
    "note": "【{city}】中国邮政竭诚为您服务，客服电话11183",
}

STYLES: dict[str, dict[str, str]] = {
    "zhongtong": _ZHONGTONG,
    "yuantong": _YUANTONG,
    "yunda": _YUNDA,
    "shentong": _SHENTONG,
    "jtexpress": _JTEXPRESS,
    "shunfeng": _SHUNFENG,
    "jd": _JD,
    "youzhengguonei": _YOUZHENG,
}
for _style in STYLES.values():
    _style["intercepted"] = "【{city}】快件在{site}拦截成功，停止派送，将退回寄件地"

# The word after the city in a hub's name. Those of JD and the post are not among the platform's four words.
HUB_WORDS = {
    "yunda": "分拨中心",
    "shunfeng": "集散中心",
    "jd": "分拣中心",
    "youzhengguonei": "邮件处理中心",
}
SHELVES = ["菜鸟驿站", "兔喜生活超市", "妈妈驿站", "丰巢快递柜", "邻里驿站", "小区东门快递柜"]
SIGNERS = ["本人", "本人签收", "收件人", "家人"]
PROXIES = ["家门口", "物业", "门卫", "前台", "邻居", "快递柜"]
HOLDS = ["爆仓积压", "天气原因车辆延误", "道路管制", "节假日件量过大"]


def hub(carrier: str, short_city: str) -> str:
    """A hub's name: 西安转运中心."""
    return short_city + HUB_WORDS.get(carrier, "转运中心")


def branch(carrier: str, site: str, rng: Random) -> str:
    """A branch's name in the carrier's manner."""
    if carrier == "jd":
        return f"{site}营业部"
    if carrier == "youzhengguonei":
        return f"{site}揽投部"
    if carrier == "shunfeng":
        return f"{site}营业点"
    return f"{site}{rng.choice(('一部', '二部', '公司', '分部'))}"
