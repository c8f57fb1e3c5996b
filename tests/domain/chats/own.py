"""Styles of carriers' answers that the parser was written with. The same form as in `unseen`."""

from __future__ import annotations

from datetime import date

from bufa.domain.case_facts import Claim
from tests.domain.chats.unseen import Said


def n(at: int) -> str:
    return f"7810000000{at:04d}"


def d(day: int) -> date:
    return date(2026, 11, day)


STYLES: dict[str, tuple[str, dict[str, Said]]] = {
    "plain lines": (
        f"{n(1)} 已遗失，同意补发，赔付60元\n{n(2)} 明天派送\n{n(3)}：不同意补发，在途中\n{n(4)} 核实中",
        {
            n(1): (True, Claim.LOST, None, 6000),
            n(2): (None, Claim.MOVING, d(21), None),
            n(3): (False, Claim.MOVING, None, None),
        },
    ),
    "a mail of a carrier": (
        (
            f"您好，关于运单{n(11)}（订单6900000000000011）：经核查，该件在我司运输环节中转后未再出现，判定遗失。同意补发，"
            "补发运费由我司承担，原件按实际价值赔付，赔付上限89元，请于7日内提供价值证明。处理编号：ZT00001234。中通快递客服部"
        ),
        {n(11): (True, Claim.LOST, None, 8900)},
    ),
    "refusing mail": (
        f"您好，经核查运单{n(21)}目前仍在正常流转，暂不符合补发条件，请耐心等待。中通快递客服部",
        {n(21): (False, Claim.MOVING, None, None)},
    ),
    "checking mail": (
        f"您好，运单{n(31)}我们还在核实，已通知相关网点查找，预计48小时内答复。处理编号：ZT1。中通快递客服部",
        {},
    ),
    "arrows": (
        f"{n(41)}-->丢了，赔50\n{n(42)}-->可补\n{n(43)}-->已退回",
        {
            n(41): (None, Claim.LOST, None, 5000),
            n(42): (True, None, None, None),
            n(43): (None, Claim.RETURNED, None, None),
        },
    ),
    "group of one line": (
        f"{n(51)},{n(52)} 遗失 同意补发",
        {n(51): (True, Claim.LOST, None, None), n(52): (True, Claim.LOST, None, None)},
    ),
    "heading": (
        f"丢失件（同意补发）：\n{n(61)}\n{n(62)}\n\n在途件：\n{n(63)}",
        {
            n(61): (True, Claim.LOST, None, None),
            n(62): (True, Claim.LOST, None, None),
            n(63): (None, Claim.MOVING, None, None),
        },
    ),
    "table with bars": (
        f"| 单号 | 结果 | 赔付 |\n|---|---|---|\n| {n(71)} | 遗失 | 30 |\n| {n(72)} | 已签收 | |",
        {n(71): (None, Claim.LOST, None, 3000), n(72): (None, Claim.DELIVERED, None, None)},
    ),
    "tails": (
        "尾号0081 丢了 可以补发\n尾号0082 周一到",
        {n(81): (True, Claim.LOST, None, None), n(82): (None, Claim.MOVING, d(23), None)},
    ),
    "negations": (
        f"{n(91)} 没有丢，在仓库\n{n(92)} 未破损，不同意赔付\n{n(93)} 暂不能补发\n{n(94)} 不是我们丢的，不赔",
        {
            n(91): (None, Claim.MOVING, None, None),
            n(92): (False, None, None, None),
            n(93): (False, None, None, None),
            n(94): (False, None, None, None),
        },
    ),
    "questions and quotes": (
        (
            f"青禾：{n(95)} 丢了吗？可以补发吗？\n{n(96)} 是否同意补发？\n"
            f"> {n(97)} 请核实是否丢失，同意补发\n{n(97)} 已丢失"
        ),
        {n(97): (None, Claim.LOST, None, None)},
    ),
    "blocks": (
        f"运单号：{n(98)}\n结果：破损\n意见：同意赔付 15.5 元\n\n运单号：{n(99)}\n结果：已送达\n意见：拒赔",
        {n(98): (None, Claim.DAMAGED, None, 1550), n(99): (False, Claim.DELIVERED, None, None)},
    ),
}

KNOWN = [n(at) for at in (1, 2, 3, 4, 11, 21, 31, 41, 42, 43, 51, 52, 61, 62, 63, 71, 72, 81, 82, *range(91, 100))]
