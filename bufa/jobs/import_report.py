"""What became of an imported file, row by row and field by field. No buyer's data stands in a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext, gettext_noop


class Effect(StrEnum):
    """What a problem cost: the whole file, the row, only that field, or nothing (a note to look at)."""

    FILE = "file"
    ROW = "row"
    FIELD = "field"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class RowProblem:
    """`row` counts as a spreadsheet does (the header is 1); 0 speaks of the file. `params` never hold buyers' data."""

    row: int
    column: str
    code: str
    effect: Effect = Effect.ROW
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "effect": self.effect.value,
            "params": dict(self.params),
        }


@dataclass(slots=True)
class ImportReport:
    """`rows` read, `taken` of them, and every problem. `orders`, `parcels`, `scans`, `goods`: what they came to."""

    kind: str
    rows: int = 0
    taken: int = 0
    orders: int = 0
    parcels: int = 0
    scans: int = 0
    goods: int = 0
    problems: list[RowProblem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the file could be read at all; rows that were refused don't spoil the others."""
        return not any(problem.effect is Effect.FILE for problem in self.problems)

    @property
    def refused(self) -> list[RowProblem]:
        """What did not come in: rows, fields, or the whole file."""
        return [problem for problem in self.problems if problem.effect is not Effect.NOTE]

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "ok": self.ok,
            "rows": self.rows,
            "taken": self.taken,
            "orders": self.orders,
            "parcels": self.parcels,
            "scans": self.scans,
            "goods": self.goods,
            "refused": [problem.as_dict() for problem in self.refused],
            "notes": [problem.as_dict() for problem in self.problems if problem.effect is Effect.NOTE],
        }

    def lines(self) -> list[str]:
        """The report for a person, in the language that is switched on."""
        counts = {"rows": self.rows, "taken": self.taken, "refused": self.rows - self.taken}
        head = [gettext("共 %(rows)s 行，已导入 %(taken)s 行，未导入 %(refused)s 行。") % counts] if self.ok else []
        return head + [say(problem) for problem in sorted(self.problems, key=lambda one: (one.row, one.column))]


WORDS: Mapping[str, str] = {
    "columns_missing": gettext_noop("缺少列：%(names)s。请补上这些列。"),
    "file_empty": gettext_noop("文件里没有数据。"),
    "file_unreadable": gettext_noop("文件打不开或已损坏，请重新导出。"),
    "file_kind": gettext_noop("不支持的文件类型 %(suffix)s，请用 csv、xlsx 或 jsonl。"),
    "encoding_unknown": gettext_noop("文件编码无法识别，请另存为 UTF-8 或 GBK。"),
    "kind_unknown": gettext_noop("暂不支持导入 %(kind)s。"),
    "row_cut": gettext_noop("这一行不完整，文件可能没有传完。"),
    "row_too_long": gettext_noop("这一行的列比表头多，请检查逗号和引号。"),
    "not_json": gettext_noop("这一行不是 JSON 对象。"),
    "message_unknown": gettext_noop("不认识这种报文格式，没有在里面找到轨迹。"),
    "missing": gettext_noop("必填项为空。"),
    "number_rounded": gettext_noop("长数字被表格软件改成了科学计数法，末位已丢失。请把这一列设为文本后重新导出。"),
    "number_missing": gettext_noop("没有运单号，无法对应到包裹。"),
    "number_dirty": gettext_noop("运单号 %(number)s 里有字母和数字以外的字符，请核对。"),
    "number_length": gettext_noop("运单号 %(number)s 长度不对（应为 6 到 32 位），请核对。"),
    "number_bad_check_digit": gettext_noop("运单号 %(number)s 校验位不对，多半是抄错了。"),
    "number_pattern_mismatch": gettext_noop("运单号 %(number)s 不像该快递公司的单号，已导入，请核对。"),
    "carrier_missing": gettext_noop("有运单号但没有快递公司，也无法从单号看出来。"),
    "level_unknown": gettext_noop("不认识的级别 %(value)s：写网点、总部或平台。"),
    "hours_shape": gettext_noop("上班时间 %(value)s 读不懂：写成 9:00-18:00，上班日写成 1-5。"),
    "answer_hours_shape": gettext_noop("答复小时 %(value)s 不是数字。"),
    "email_shape": gettext_noop("邮箱写得不对。"),
    "province_unknown": gettext_noop("不认识的省份 %(value)s。"),
    "contact_unreachable": gettext_noop("邮箱、称呼和网点至少写一样。"),
    "contact_answer_hours": gettext_noop("答复小时写 1 到 %(most)s。"),
    "carrier_unknown": gettext_noop("不认识的快递公司 %(value)s。"),
    "date_unreadable": gettext_noop("日期 %(value)s 看不懂，请写成 2026-11-20 12:00:00。"),
    "quantity_wrong": gettext_noop("数量 %(value)s 不对，应为大于 0 的整数。"),
    "penalty_unknown": gettext_noop(
        "不认识的处罚类型 %(value)s，请写：发货超时、缺货、物流轨迹超时、物流轨迹异常、欺诈发货。"
    ),
    "penalty_order_unknown": gettext_noop("店铺里没有订单 %(value)s，这笔扣款先列在“没对上的扣款”里。"),
    "penalty_waybill_not_of_order": gettext_noop("这个订单没有运单 %(value)s，这笔扣款先列在“没对上的扣款”里。"),
    "penalty_order_has_parcels": gettext_noop(
        "订单 %(value)s 有几个包裹，看不出是哪一个，这笔扣款先列在“没对上的扣款”里。"
    ),
    "date_ahead": gettext_noop("日期 %(value)s 还没有到，请核对。"),
    "count_wrong": gettext_noop("库存数 %(value)s 不对，应为不小于 0 的整数。"),
    "goods_missing": gettext_noop("没有写是什么商品：商品规格 ID 和商品名称至少写一个。"),
    "goods_twice": gettext_noop("和第 %(row)s 行是同一种商品，只收了第一行。"),
    "barcode_taken": gettext_noop("条码 %(barcode)s 已经是“%(title)s”的，一个条码只能属于一种商品。"),
    "below_reserved": gettext_noop("已有 %(reserved)s 件留给补发，库存不能少于它。先取消补发或核对数量。"),
    "template_kind_unknown": gettext_noop("不认识的含义 %(value)s，请写 held、lost 这样的代码（见导入说明）。"),
    "template_reason_unknown": gettext_noop("不认识的原因 %(value)s，请写 missort、weather 这样的代码（见导入说明）。"),
    "template_reason_unfit": gettext_noop("含义 %(scan_kind)s 不带原因，请把原因留空。"),
    "template_read_already": gettext_noop("这句文案程序已经读得懂（%(scan_kind)s），不需要教。"),
    "template_twice": gettext_noop("和第 %(row)s 行是同一句文案，只收了第一行。"),
    "amount_wrong": gettext_noop("金额 %(value)s 不对，应为不小于 0、最多两位小数的数字。"),
    "email_wrong": gettext_noop("邮箱地址格式不对。"),
    "status_unknown": gettext_noop("不认识的订单状态 %(value)s，已按有无运单号判断。"),
    "address_ambiguous": gettext_noop("地址里的省市区不能确定，已按原文导入，请核对。"),
    "address_unknown": gettext_noop("地址里没有认出省市区，已按原文导入，请核对。"),
    "address_to_check": gettext_noop("地址里的姓名或电话不能确定，请核对。"),
    "divisions_wrong": gettext_noop("省市区对不上或没有这个区划，已按原文导入，请核对。"),
    "too_long": gettext_noop("内容太长（最多 %(limit)s 个字符）。"),
    "events_missing": gettext_noop("没有轨迹。"),
    "events_without_time": gettext_noop("有 %(count)s 条轨迹没有可用的时间，已略过。"),
    "pause_code_unknown": gettext_noop("不认识的类型 %(value)s，请写：节假日、停运区域、不可抗力。"),
    "pause_end_unknown": gettext_noop("不认识的一端 %(value)s，请写：发货地、收货地，或留空。"),
    "pause_source_missing": gettext_noop("没有写依据（公告、链接或文号）。"),
    "pause_ends_before": gettext_noop("结束日期 %(last)s 早于开始日期 %(first)s。"),
    "pause_too_long": gettext_noop("最多 %(days)s 天，请分成几段。"),
    "pause_area_unknown": gettext_noop("不认识的省份 %(area)s。"),
    "pause_area_missing": gettext_noop("停运区域要写明哪个省。"),
    "parameter_missing": gettext_noop("必填项为空。"),
    "not_stored": gettext_noop("无法保存这一行，请联系支持人员。"),
}
"""What each code means and what to do about it."""

_PLACES: Mapping[Effect, str] = {
    Effect.FILE: gettext_noop("整个文件未导入"),
    Effect.ROW: gettext_noop("该行未导入"),
    Effect.FIELD: gettext_noop("该字段未导入"),
    Effect.NOTE: gettext_noop("提醒"),
}


def say(problem: RowProblem) -> str:
    """One problem as a sentence: where, what it cost, what to do."""
    words = gettext(WORDS.get(problem.code, problem.code))
    try:
        words = words % dict(problem.params)
    except KeyError:
        words = problem.code
    if not problem.row and problem.effect is Effect.FILE:
        return f"{gettext(_PLACES[problem.effect])}：{words}"
    where = gettext("第 %(row)s 行") % {"row": problem.row} if problem.row else gettext("文件")
    column = f" [{problem.column}]" if problem.column else ""
    return f"{where}{column} {gettext(_PLACES[problem.effect])}：{words}"
