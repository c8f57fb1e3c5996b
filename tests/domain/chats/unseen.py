"""Ten styles of carriers' answers in chat groups, written before the parser and not used while it was written.

Each style: the pasted text, and what a person who reads it would write down for each waybill: (consent, claim, promised
day, amount in fen). None: it says nothing of that kind. "Now" is Friday, 20 November 2026, noon in Shanghai.
"""

from __future__ import annotations

from datetime import date

from bufa.domain.case_facts import Claim

Said = tuple[bool | None, Claim | None, date | None, int | None]


def n(at: int) -> str:
    return f"7310000000{at:04d}"


def d(day: int) -> date:
    return date(2026, 11, day)


STYLES: dict[str, tuple[str, dict[str, Said]]] = {
    "numbered lines": (
        f"""老板您好，昨天发的单子查了：
1、{n(101)}：网点反馈件已找到，明天派送
2、{n(102)}：确认遗失，同意补发，赔付50元
3、{n(103)}：分拣破损，可以补发，赔30
4、{n(104)}：正常在途，不同意补发
5、{n(105)}：还在核实，晚点回复您
6、{n(106)}：客户拒收，已退回""",
        {
            n(101): (None, Claim.MOVING, d(21), None),
            n(102): (True, Claim.LOST, None, 5000),
            n(103): (True, Claim.DAMAGED, None, 3000),
            n(104): (False, Claim.MOVING, None, None),
            n(106): (None, Claim.RETURNED, None, None),
        },
    ),
    "number at the end": (
        f"""已丢失，可补发，按80元理赔 {n(111)}
派件中，预计今天送到 {n(112)}
不认可补发，轨迹显示已签收 {n(113)}
遗失件，同意补发 {n(114)}
外包装破损，同意赔付25.5元 {n(115)}""",
        {
            n(111): (True, Claim.LOST, None, 8000),
            n(112): (None, Claim.MOVING, d(20), None),
            n(113): (False, Claim.DELIVERED, None, None),
            n(114): (True, Claim.LOST, None, None),
            n(115): (None, Claim.DAMAGED, None, 2550),
        },
    ),
    "blocks": (
        f"""单号：{n(121)}
核实结果：中转遗失
处理意见：同意补发，赔偿 66 元

单号：{n(122)}
核实结果：件在武汉中心，已安排中转
处理意见：预计11月23日送达

单号：{n(123)}
核实结果：派送员已送货上门，本人签收
处理意见：不予补发

单号：{n(124)}
核实结果：待核实
处理意见：""",
        {
            n(121): (True, Claim.LOST, None, 6600),
            n(122): (None, Claim.MOVING, d(23), None),
            n(123): (False, Claim.DELIVERED, None, None),
        },
    ),
    "exported chat": (
        f"""中通-客服小李 2026/11/20 10:02:11
@青禾客服 {n(131)} 这票丢了，可以补发，走理赔流程
青禾客服 2026/11/20 10:03:40
好的，{n(132)} 这票呢？
中通-客服小李 2026/11/20 10:05:02
{n(132)} 在网点了，后天能派
中通-客服小李 2026/11/20 10:06:30
{n(133)} 这个不能补发的，件正常
中通-客服小李 2026/11/20 10:09:00
{n(134)} 丢件 赔35 可以补""",
        {
            n(131): (True, Claim.LOST, None, None),
            n(132): (None, Claim.MOVING, d(22), None),
            n(133): (False, Claim.MOVING, None, None),
            n(134): (True, Claim.LOST, None, 3500),
        },
    ),
    "table": (
        f"""运单号\t核实情况\t是否同意补发\t赔付金额\t预计到达
{n(141)}\t遗失\t同意\t45\t
{n(142)}\t在途\t不同意\t\t11-24
{n(143)}\t破损\t同意\t20.00\t
{n(144)}\t已签收\t否\t0\t
{n(145)}\t核实中\t\t\t""",
        {
            n(141): (True, Claim.LOST, None, 4500),
            n(142): (False, Claim.MOVING, d(24), None),
            n(143): (True, Claim.DAMAGED, None, 2000),
            n(144): (False, Claim.DELIVERED, None, None),
        },
    ),
    "several at once": (
        f"""{n(151)} {n(152)}、{n(153)} 这三票都找到了，今天已发出，预计22号到
{n(154)}/{n(155)} 两票确认丢失，同意补发，每票赔40元""",
        {
            n(151): (None, Claim.MOVING, d(22), None),
            n(152): (None, Claim.MOVING, d(22), None),
            n(153): (None, Claim.MOVING, d(22), None),
            n(154): (True, Claim.LOST, None, 4000),
            n(155): (True, Claim.LOST, None, 4000),
        },
    ),
    "heading, then a list": (
        f"""以下单号核实遗失，同意补发：
{n(161)}
{n(162)}
{n(163)}
以下为正常派送中，不支持补发：
{n(164)}
{n(165)}""",
        {
            n(161): (True, Claim.LOST, None, None),
            n(162): (True, Claim.LOST, None, None),
            n(163): (True, Claim.LOST, None, None),
            n(164): (False, Claim.MOVING, None, None),
            n(165): (False, Claim.MOVING, None, None),
        },
    ),
    "tails": (
        """尾号0171丢件，赔80，可补发；尾号0172明天到；0173已退回发件网点；
0174 拒绝赔付，件已签收""",
        {
            n(171): (True, Claim.LOST, None, 8000),
            n(172): (None, Claim.MOVING, d(21), None),
            n(173): (None, Claim.RETURNED, None, None),
            n(174): (False, Claim.DELIVERED, None, None),
        },
    ),
    "no punctuation": (
        f"""{n(181)} 查了没找到按丢件处理可以补发
{n(182)} 破损了走理赔吧赔个30块
{n(183)} 今天下午派
{n(184)} 补不了哈正常走件
{n(185)} 运费我们出补发吧件丢了""",
        {
            n(181): (True, Claim.LOST, None, None),
            n(182): (None, Claim.DAMAGED, None, 3000),
            n(183): (None, Claim.MOVING, d(20), None),
            n(184): (False, Claim.MOVING, None, None),
            n(185): (True, Claim.LOST, None, None),
        },
    ),
    "signs": (
        f"""✅【{n(191)}】→ 同意补发，运费我司承担，赔付上限￥99
❌【{n(192)}】→ 不同意，货物在途，请耐心等待，周一前送达
⚠️【{n(193)}】→ 内件短少，同意补发
✅【{n(194)}】→ OK 补发，件丢了
🔍【{n(195)}】→ 查询中""",
        {
            n(191): (True, None, None, 9900),
            n(192): (False, Claim.MOVING, d(23), None),
            n(193): (True, Claim.WRONG_OR_SHORT, None, None),
            n(194): (True, Claim.LOST, None, None),
        },
    ),
}

KNOWN = [number for _, told in STYLES.values() for number in told] + [n(105), n(124), n(145), n(195)]
