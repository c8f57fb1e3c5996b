"""What stands around an address: labels, phones, postcodes, names, and what is never a name."""

from __future__ import annotations

import re

SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
    "温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑"
    "景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井"
    "祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀衣信展阴昝智幸奉植衡富尧闭由".replace(
        " ", ""
    )
)
COMPOUND_SURNAMES = (
    "欧阳",
    "上官",
    "司马",
    "诸葛",
    "司徒",
    "东方",
    "皇甫",
    "尉迟",
    "令狐",
    "慕容",
    "夏侯",
    "端木",
    "公孙",
    "长孙",
    "宇文",
    "轩辕",
    "南宫",
)

_TITLES = r"(?:先生|女士|小姐|太太|老师|师傅|经理|同学|老板|医生|阿姨|叔叔|哥|姐|总|妈妈|爸爸)"
_NAME = re.compile(
    rf"^[一-鿿·•]{{1,8}}{_TITLES}(?:收|亲收)?$|^[一-鿿]{{2,4}}$|^[一-鿿]{{1,8}}[·•][一-鿿·•]{{1,12}}$|"
    r"^[A-Za-z][A-Za-z .'-]{1,30}$"
)
_CODE = re.compile(r"[\[(]\d{3,6}[\])]$")
_NO_NAME_END = re.compile(
    r"(?:路|街|道|巷|弄|号|楼|室|栋|幢|座|单元|层|村|镇|乡|县|市|区|省|州|盟|旗|组|队|屯|寨|庄|园|苑|城|院|馆|店|厂|场|校|学|大厦|广场|中心|公司|小区|社区|花园|公寓|别墅|期|"
    r"超市|市场|商场|医院|银行|酒店|宾馆|驿站|快递柜|代收点|旁边?|对面|附近|路口|东侧|西侧|南侧|北侧|门口|大门|[东西南北]门)$"
)
_NOTE = re.compile(
    r"周末|周[一二三四五六日]|工作日|送货|派送|勿|不要|别打|打电话|电话联系|请|放|尽快|谢谢|驿站|丰巢|快递|柜子|储物柜|门卫|保安|代收|签收|自提|上门|备注|收货|收件|发货|您好|你好|中国|加急|包邮|亲启|本人|默认|"
    r"家里|公司|地址|电话|姓名"
)

_NAME_LABEL = "收货人姓名|收件人姓名|收货人名|收货人|收件人|联系人|姓名|名字"
_PHONE_LABEL = (
    "(?:收货人|收件人|联系人)?(?:手机号码|手机号|联系电话|电话号码|联系方式|手机|电话|固话|座机)(?:号码)?|"
    "tel|phone|mobile"
)
_REGION_LABEL = "所在地区|所在区域|省市区县?|省/市/区|地区|省份|城市|区县|街道"
_ADDRESS_LABEL = "(?:详细|收货|收件|邮寄|联系)*地址|address"
LABEL = re.compile(
    r"(?:[【\[]|^|(?<=[^一-鿿A-Za-z])|(?<=[路号室楼栋座层村组区省市县]))(?:"
    rf"(?P<name>{_NAME_LABEL})(?:[】\])]?\s*[:=]|[】\])]|(?=[\s一-鿿]))"
    rf"|(?P<phone>{_PHONE_LABEL})(?:[】\])]?\s*[:=]|[】\])]|(?=\s|[+\d\x1f(]))"
    rf"|(?P<address>{_ADDRESS_LABEL})(?:[】\])]?\s*[:=]|[】\])]|(?=\s))"
    rf"|(?P<region>{_REGION_LABEL})[】\])]?\s*[:=]"
    r"|(?P<note>备注|买家留言|留言)[】\])]?\s*[:=])",
    re.IGNORECASE,
)
"""A label with its colon, or without one where it can be nothing else: `收货人: `, `电话138…`, `【地址】`."""

_EXTENSION = (
    r"(?:\s*(?:[-*#~]|转|分机|ext\.?)\s*(?P<ext{n}>\d{{1,6}})|\s*[\[(](?P<brk{n}>\d{{3,6}})[\])])?"
    r"(?![\d号室栋楼层单幢座弄])"
)
PHONE = re.compile(
    r"(?<![\d-])(?:(?:\+|00)?86[-\s]*)?(?P<mobile>1[3-9]\d[-\s]?\d{4}[-\s]?\d{4})(?:"
    + _EXTENSION.format(n=1)
    + r"|(?!\d))"
    r"|(?<![\d*])(?P<masked>1[3-9]\d\*{4}\d{4}|1\*{6,9}\d{1,4})(?!\d)"
    r"|(?<![\d-])(?P<land>\(?0\d{2,3}\)?[-\s]?[2-9]\d{6,7})(?:" + _EXTENSION.format(n=2) + r"|(?!\d))"
    r"|(?<![\d-])(?P<free>[48]00[-\s]?\d{3,4}[-\s]?\d{3,4})(?!\d)"
    r"|(?<![\d-])(?P<abroad>\+?00?(?:852|853|886)[-\s]?\d[\d\s-]{6,10}\d|\+(?:852|853|886)[-\s]?\d[\d\s-]{6,10}\d)(?!\d)",
    re.IGNORECASE,
)
POSTCODE = re.compile(
    r"(?:邮政编码|邮编)\s*[:=]?\s*(?P<said>\d{6})(?!\d)|(?:^|(?<=[\s,;]))(?P<code>[0-8]\d{5})(?=$|[\s,;])"
)

ROAD = re.compile(
    r"(?:[东南西北中上下前后]{0,2}[一二三四五六七八九十]{0,2})(?:大道|大街|大路|公路|马路|路|街|道|巷|弄|胡同|里|[镇乡村桥站港湾寺河湖山门塔])|[一二三四五六七八九十]+[号路街]"
)
"""What makes of a short name a road, a station, a village: 南京东路, 北京西站."""

ZONE = re.compile(
    r"[一-鿿]{0,8}?(?:高新技术产业开发区|经济技术开发区|高新技术开发区|国家级新区|高新区|经开区|经济开发区|开发区|新区|工业园区|产业园区|园区|保税区|度假区|示范区|合作区|"
    r"实验区|管理区|产业园|工业园|科技城)(?![大路街])"
)
"""Zones that the state founded but that are no divisions."""

DISTRICT_LIKE = re.compile(r"[一-鿿]{1,5}?(?:自治县|[区县旗])")
NO_DISTRICT_END = re.compile(
    r"(?:小区|社区|校区|厂区|园区|工业区|景区|片区|街区|院区|库区|营区|生活区|别墅区|家属区|住宅区|商业区|安置区|新区|开发区|高新区|经开区|度假区|保税区|示范区|合作区|实验区|管理区|[东南西北中ABCD一二三四五]区)$"
)
TOWN = re.compile(
    r"(?:[一-鿿]{1,10}?(?:街道办事处|街道办|街道(?!口)|民族乡|苏木|镇(?![路街道府政区中东南西北村])|乡(?![路街道村政间]))|[一-鿿]{2,6}(?:农场|林场)(?![路街]))"
)
"""The town or street office at the beginning of a detail."""

ADDRESS_LIKE = re.compile(r"\d|路|街|巷|弄|号|楼|室|栋|幢|单元|村|镇|小区|大厦|广场|公司|学校|医院")


def name_rank(token: str) -> int:
    """How much a piece of text looks like a name: 0 not at all, 1 perhaps, 2 like one with a surname or a title."""
    token = _CODE.sub("", token.strip())
    token = re.sub(r"[(（]?(?:亲?收|收件|先生/女士)[)）]?$", "", token) if len(token) > 2 else token
    if not _NAME.match(token) or _NO_NAME_END.search(token) or _NOTE.search(token):
        return 0
    if re.search(f"{_TITLES}$", token):
        return 2
    if token.startswith(COMPOUND_SURNAMES):
        return 2 if len(token) > 2 else 1
    if token[0] in SURNAMES:
        return 2 if len(token) < 4 else 1
    return 1


def bare_name(token: str) -> str:
    """The name without 收 or brackets behind it; a virtual number's code ([1234]) stays, because carriers need it."""
    return re.sub(r"\s*(?:[(]?亲?收[)]?)$", "", token).strip(" ,;:、。-/") if len(token) > 2 else token
