"""Cutting people out of scan texts before they are stored: names become <N>, phones <P>; places and verbs stay."""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+")
_PHONE = re.compile(
    # mobiles, also half masked, with or without an extension
    r"(?<![\d*])(?:\+?86[-\s]?)?1[3-9]\d[-\s]?[\d*]{4}[-\s]?\d{4}(?:[-转,]\d{1,6})?(?![\d*])"
    r"|(?<![\d*])0\d{2,3}[-\s]?\d{7,8}(?:[-转]\d{1,6})?(?!\d)"  # landlines
    r"|(?<=电话)[:是为【(\s]*\d{7,8}(?!\d)|(?<=手机)[:是为【(\s]*\d{7,8}(?!\d)"
)
_ROLES = (
    r"(?:快递员|派件员|派送员|配送员|业务员|小件员|收件员|揽收员|揽件员|揽投员|投递员|取件员|扫描员|操作员|收派员|派件人|派送人"
    r"|取件人|揽收人|投递人|发件员|扫描人员|经办人|经手人|交接人|负责人|联系人|寄件人|发件人|收货人|客户经理|司机|站长"
    r"|店长|骑手|店主|老板|师傅|小哥(?=\s*[(【\[:]))"
    r"(?:姓名)?"
)
_SIGNERS = r"(?:签收人类型|签收人|收件人|代收人|领取人|取走人)"
_STOP = r"\s,,。;;!!()()【】\[\]<>::/|"
_NO_NAME = (
    r"(?!派|取消|已|将|外出|开始|按|重新|操作|联系|会|再|因|与|电话|手机|在|到|的|上门|无法|未|正在|为您|收件|揽|进行|完成|凭"
    r"|拒|不|要求|签收|接|提|同意|确认|地址|名址|姓名|类型|本次|每|今日|工号|库存|去|配送|前往|自提|无人|关机|为|是|等待|反馈"
    r"|申请|改|退|并由|并已|补充|修改|催促|留言|外呼|收箱|专属|热线|专线|服务|送|代|用|由)"
)
_BARE = rf"{_NO_NAME}[^{_STOP}\d]{{1,10}}?(?=正在|派件|派送|已|电话|手机|代签|代收|[{_STOP}\d]|$)"
_INNER_PHONE = r"(?:[(\s/|,手机电话:]*<P>[)\s]*)?"
_ROLE_NAME = re.compile(
    rf"({_ROLES})(\s*:\s*|\s*[是为]\s*:?\s*|\s*)"
    rf"(?:([【\[(])([^】\]()<>]{{1,16}}?)(\s*{_INNER_PHONE}[】\])])|({_BARE}))"
)
_SIGNER_NAME = re.compile(
    rf"({_SIGNERS})(\s*:\s*|\s*[是为]\s*:?\s*|\s+)"
    rf"(【[^】<>]{{1,30}}】|\[[^\]<>]{{1,30}}\]|[^{_STOP}]{{1,30}})"
)
_BEFORE_DOING = r"(?:正在|已收件|已揽收|已取件|已进行|派件中)"
_MAN_OF_PLACE = re.compile(
    rf"(?<=[】\])厅部站店点司])(\s*的\s*)(?!派件|快件|包裹)([^{_STOP}\d-]{{2,12}}?)"
    rf"(?=\s*(?:-[一-鿿]{{1,6}})?\s*(?:[(【\[]?\s*<P>|[(【\[]\s*[)】\]]|{_BEFORE_DOING}))"
)
_BRACKETED_MAN = re.compile(
    rf"(?<=[的由被])(\s*【)([一-鿿]{{2,4}})(?=\s*{_INNER_PHONE}】\s*(?:{_BEFORE_DOING}|扫描|(?:代)?签收))"
)
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔"
    "钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤欧"
)
_BRACKETED_SURNAME = re.compile(
    rf"(?<=[】\]])(\s*【)((?:欧阳|司马|上官|诸葛|夏侯|皇甫|慕容|[{_SURNAMES}])[一-鿿]{{1,2}})(?=】\s*(?:已收件|已揽收|已取件|正在))"
)
_AFTER_VERB = re.compile(rf"(失败签收录入|交给|分配给|派单给)(\s*)(?!圆通|中通|<)([^{_STOP}\d]{{2,8}})(?=[{_STOP}]|$)")
_BETWEEN_PHONES = re.compile(r"(?<=<P>)/[一-鿿]{2,4}(?=\s*<P>)")
_FAMILIAR = re.compile(
    r"本人|他人|家人|同事|朋友|邻居|门卫|前台|保安|物业|代收|代签|签收|柜|驿站|超市|店|门口|公司|单位|中心|学校|宿舍|小区"
    r"|收发|图片|草签|无$|室|楼|栋|号|仓|部|站|点|局|院|厂|家$|快递|邮件|凭|取货码|退|商家|卖家|拒|不|未|电话|地址"
)
_BEHALF = re.compile(
    r"^((?:本人|他人|家人|同事|朋友|邻居|门卫|前台|保安|物业|亲属|家属)(?:代?签收?|代收)?)([一-鿿]{2,4})$"
)
_SITE = re.compile(r"(?:市|县|区|镇|部|站|店|州|公司|网点|点|中心|中转|仓|省|乡|村|路|处|组|枢纽|集散|柜|驿站|航空)$")


def strip_personal(text: str) -> str:
    """The text without people: courier's and recipient's names -> <N>, phones -> <P>. Idempotent."""
    text = unicodedata.normalize("NFKC", text)
    if not text.isprintable():
        text = _INVISIBLE.sub("", text)
    if _DIGIT.search(text):
        text = _PHONE.sub("<P>", text)
    # Each step looks only where one of its own words stands: most texts name nobody.
    if _ROLE_WORD.search(text):
        text = _ROLE_NAME.sub(_role, text)
    if "人" in text:
        text = _SIGNER_NAME.sub(_signer, text)
    if "的" in text:
        text = _MAN_OF_PLACE.sub(_man, text)
    if "【" in text:
        text = _BRACKETED_MAN.sub(_man, text)
        if _BRACKETS.search(text):
            text = _BRACKETED_SURNAME.sub(_man, text)
    if "失败" in text or "给" in text:
        text = _AFTER_VERB.sub(r"\1\2<N>", text)
    return _BETWEEN_PHONES.sub("/<N>", text) if "<P>/" in text else text


_DIGIT = re.compile(r"\d[\d*\s-]{5}")
_ROLE_WORD = re.compile("[员人理机长主手板傅哥]")
_BRACKETS = re.compile(r"[】\]]\s*【")


def _role(match: re.Match[str]) -> str:
    role, sign, opening, inner, closing, _ = match.groups()
    if opening is None:
        return f"{role}{sign}<N>"
    return match.group(0) if inner.strip() in ("", "<N>", "<P>") else f"{role}{sign}{opening}<N>{closing}"


def _signer(match: re.Match[str]) -> str:
    who, sign, value = match.groups()
    bare = value.strip("【】[]")
    behalf = _BEHALF.match(bare)
    if behalf and not _FAMILIAR.search(behalf.group(2)):
        kept = f"{behalf.group(1)}<N>"
    elif _FAMILIAR.search(bare):
        return match.group(0)
    else:
        kept = "<N>"
    return f"{who}{sign}【{kept}】" if value.startswith("【") else f"{who}{sign}{kept}"


def _man(match: re.Match[str]) -> str:
    before, who = match.groups()
    return match.group(0) if _SITE.search(who) else f"{before}<N>"
