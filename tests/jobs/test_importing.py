"""Files in: the good rows are taken, each bad one is named with what to do, and a second run doubles nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from bufa.apps.cases.models import Finding
from bufa.apps.orders.models import Line, Order, Recipient
from bufa.apps.orders.queries import open_plain
from bufa.apps.parcels.models import Parcel, Scan
from bufa.domain.kinds import Stage
from bufa.jobs.import_report import ImportReport
from bufa.jobs.importing import run_import
from bufa.lib.tenancy import for_shops
from tests.factories import NOW, make_shop
from tests.samples import SAMPLES, needs_samples

pytestmark = pytest.mark.django_db

HEAD = (
    "订单编号,商品名称,规格,数量,实付金额,支付时间,承诺发货时间,快递公司,运单号,发货时间,"
    "收件人,手机号,省,市,区,详细地址,邮箱"
)
GOOD = (
    "6900001,保温杯,红色,2,￥128.50,2026-11-18 10:00:00,2026/11/20 10:00,中通快递,73123456789012,2026-11-19 09:00,"
    "张三,13800138000,广东省,深圳市,南山区,科技路1号,zhang@example.com"
)
UNSHIPPED = (
    "6900002,茶壶,,1,59,2026-11-19 10:00:00,2026-11-21 10:00:00,,,,李四,13900139000,浙江省,杭州市,余杭区,文一路2号,"
)


@pytest.fixture
def shop() -> int:
    return make_shop()


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def to(text: str, *, name: str = "orders.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return to


def lines(*rows: str) -> str:
    return "\n".join(rows)


def problems(report: ImportReport) -> list[tuple[int, str, str, str]]:
    return [(one.row, one.column, one.code, one.effect.value) for one in report.problems]


def counts(shop: int) -> tuple[int, int, int]:
    with for_shops([shop]):
        return Order.objects.count(), Line.objects.count(), Parcel.objects.count()


ONE_COLUMN = "订单编号,商品名称,数量,收货信息"


@pytest.mark.parametrize(
    ("pasted", "place", "address", "note"),
    [
        (
            "王强，13800001111-22，浙江省杭州市余杭区仓前街道文一西路969号",
            "浙江省/杭州市/余杭区",
            "仓前街道文一西路969号",
            "",
        ),
        ("浙江杭州西湖区文三路1号 王强 13800001111-22", "浙江省/杭州市/西湖区", "文三路1号", ""),
        ("湖北省仙桃市沙嘴街道1号 王强 13800001111-22", "湖北省/仙桃市/", "沙嘴街道1号", ""),
        ("朝阳区建国路88号 王强 13800001111-22", "//", None, "address_ambiguous"),
        ("火星一号基地3楼 王强 13800001111-22", "//", None, "address_unknown"),
    ],
)
def test_a_recipient_in_one_column(
    shop: int, write: Any, pasted: str, place: str, address: str | None, note: str
) -> None:
    report = run_import("orders", write(lines(ONE_COLUMN, f"6900001,茶壶,1,{pasted}")), shop, now=NOW)
    assert report.taken == 1
    assert problems(report) == ([(2, "address", note, "note")] if note else [])
    with for_shops([shop]):
        person = Recipient.objects.get(order__number="6900001")
    assert f"{person.province}/{person.city}/{person.district}" == place
    plain = open_plain(shop, person.order_id)
    assert (plain.name, plain.phone, plain.address) == ("王强", "13800001111-22", address or pasted)


def test_columns_that_contradict_each_other_are_taken_and_noted(shop: int, write: Any) -> None:
    wrong = GOOD.replace("南山区", "余杭区")
    report = run_import("orders", write(lines(HEAD, wrong)), shop, now=NOW)
    assert (report.taken, problems(report)) == (1, [(2, "district", "divisions_wrong", "note")])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_orders_come_in_whatever_the_encoding(shop: int, write: Any, encoding: str) -> None:
    report = run_import("orders", write(lines(HEAD, GOOD, UNSHIPPED), encoding=encoding), shop, now=NOW)
    assert (report.rows, report.taken, report.problems) == (2, 2, [])
    with for_shops([shop]):
        order = Order.objects.get(number="6900001")
        assert (order.paid_fen, order.promise_hours, order.status, order.source) == (12850, 48, 3, "file")
        assert Order.objects.get(number="6900002").status == 2
        shipped = Parcel.objects.get(order=order)
        assert (shipped.carrier, shipped.number, shipped.stage) == ("zhongtong", "73123456789012", "labelled")
        assert Parcel.objects.get(order__number="6900002").key == "rest"
        person = Recipient.objects.get(order=order)
        assert (person.name_mask, person.phone_mask, person.has_email) == ("张*", "138****8000", True)
        assert b"13800138000" not in bytes(person.plain)
        assert open_plain(shop, order.pk).address == "科技路1号"


def test_an_xlsx_comes_in_and_rounded_numbers_are_refused(shop: int, tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for column, name in enumerate(["订单编号", "商品名称", "数量", "运单号", "快递公司"]):
        sheet.write(0, column, name)
    for row, (number, waybill) in enumerate(
        [("6900001", "YT2531106325899"), (6.923456789012345e17, "YT2531106325898")], 1
    ):
        for column, value in enumerate([number, "杯子", 1, waybill, "圆通"]):
            sheet.write(row, column, value)
    book.close()
    report = run_import("orders", path, shop, now=NOW)
    assert (report.rows, report.taken, problems(report)) == (2, 1, [(3, "order_number", "number_rounded", "row")])
    assert counts(shop) == (1, 1, 1)


def test_wrong_columns_refuse_the_file_and_name_what_is_missing(shop: int, write: Any) -> None:
    report = run_import("orders", write("编号,商品名称\n1,杯子\n"), shop, now=NOW)
    assert (report.ok, report.taken) == (False, 0)
    assert report.problems[0].params["names"] == "订单编号、商品数量"
    assert "订单编号、商品数量" in report.lines()[0]


def test_each_bad_field_is_named_and_the_rest_of_the_row_is_taken(shop: int, write: Any) -> None:
    rows = [
        HEAD,
        GOOD,
        "6900003,茶壶,,0,59,,,,,,,,,,,,",
        "6900004,茶壶,,-1,59,,,,,,,,,,,,",
        ",茶壶,,1,59,,,,,,,,,,,,",
        "6900005,茶壶,,1,五十九,昨天,2026-02-30,中通,7312-中文-1,,,,,,,,nobody",
        "6900006,茶壶,,1,59,,,中通,73123,,,,,,,,",
        "6900007,茶壶,,1,59,,,中通,YT2531106325899,,,,,,,,",
    ]
    report = run_import("orders", write("\n".join(rows)), shop, now=NOW)
    assert problems(report) == [
        (3, "quantity", "quantity_wrong", "row"),
        (4, "quantity", "quantity_wrong", "row"),
        (5, "order_number", "missing", "row"),
        (6, "paid", "amount_wrong", "field"),
        (6, "paid_at", "date_unreadable", "field"),
        (6, "ship_by", "date_unreadable", "field"),
        (6, "waybill", "number_dirty", "field"),
        (6, "email", "email_wrong", "field"),
        (7, "waybill", "number_length", "field"),
        (8, "waybill", "number_pattern_mismatch", "note"),
    ]
    assert (report.rows, report.taken) == (7, 4)
    with for_shops([shop]):
        assert list(Parcel.objects.order_by("order__number").values_list("order__number", "key")) == [
            ("6900001", "zhongtong:73123456789012"),
            ("6900005", "rest"),
            ("6900006", "rest"),
            ("6900007", "zhongtong:YT2531106325899"),
        ]


@pytest.mark.parametrize(
    ("tail", "bad_row"),
    [
        ('\n6900009,"杯子,红', 4),  # an open quote
        ("\n6900009,杯", 4),  # too few columns
    ],
)
def test_half_a_file_loses_only_its_last_row(shop: int, write: Any, tail: str, bad_row: int) -> None:
    report = run_import("orders", write(lines(HEAD, GOOD, UNSHIPPED) + tail), shop, now=NOW)
    assert (report.rows, report.taken, problems(report)) == (3, 2, [(bad_row, "", "row_cut", "row")])


def test_a_file_cut_inside_a_character_is_still_read(shop: int, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(lines(HEAD, GOOD, "6900002,茶壶").encode()[:-1])
    report = run_import("orders", path, shop, now=NOW)
    assert (report.taken, problems(report)) == (1, [(3, "", "row_cut", "row")])


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.csv", "file_empty"),
        (b"PK\x03\x04cut", "a.xlsx", "file_unreadable"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "a.csv", "file_unreadable"),
        (b"\xff\xff\xff\xff", "a.csv", "encoding_unknown"),
        (b"x", "a.pdf", "file_kind"),
        (b"\n\n", "a.jsonl", "file_empty"),
    ],
)
def test_what_is_no_table_is_refused_clearly(shop: int, tmp_path: Path, content: bytes, name: str, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    report = run_import("orders", path, shop, now=NOW)
    assert (report.ok, [one.code for one in report.problems]) == (False, [code])
    assert report.lines()


def test_a_repeated_order_updates_and_never_doubles(shop: int, write: Any) -> None:
    once = write(lines(HEAD, GOOD, GOOD, UNSHIPPED))
    run_import("orders", once, shop, now=NOW)
    before = counts(shop)
    assert before == (2, 2, 2)
    run_import("orders", once, shop, now=NOW)
    assert counts(shop) == before
    shipped = UNSHIPPED.replace(",,,,李四", ",圆通,YT2531106325899,2026-11-20 09:00,李四")
    run_import("orders", write(lines(HEAD, shipped)), shop, now=NOW)
    assert counts(shop) == before
    with for_shops([shop]):
        assert Parcel.objects.get(order__number="6900002").number == "YT2531106325899"


def test_scans_move_parcels_and_unknown_numbers_get_one(shop: int, write: Any) -> None:
    run_import("orders", write(lines(HEAD, GOOD)), shop, now=NOW)
    text = lines(
        "运单号,快递公司,时间,轨迹",
        "73123456789012,中通,2026-11-19 18:00:00,【杭州市】快件已由【杭州余杭】揽收",
        "73123456789012,中通,2026-11-20 02:00:00,【深圳市】快件已到达【深圳转运中心】",
        "YT2531106325899,圆通,2026-11-19 18:00:00,【杭州市】已揽收",
        ",圆通,2026-11-19 18:00:00,【杭州市】已揽收",
        "YT2531106325899,圆通,never,【杭州市】已揽收",
        "YT2531106325899,圆通,2026-11-19 18:00:00,",
    )
    path = write(text, name="scans.csv")
    for _ in range(2):
        report = run_import("scans", path, shop, now=NOW)
        assert (report.rows, report.taken) == (6, 3)
        assert problems(report) == [
            (5, "waybill", "number_missing", "row"),
            (6, "time", "date_unreadable", "row"),
            (7, "text", "missing", "row"),
        ]
    with for_shops([shop]):
        assert dict(Parcel.objects.values_list("number", "stage")) == {
            "73123456789012": "in_transit",
            "YT2531106325899": "collected",
        }
        assert Scan.objects.count() == 3


def test_json_lines_that_are_none_are_named(shop: int, write: Any) -> None:
    told = [
        json.dumps(
            {"number": "YT2531106325899", "carrier": "YTO", "time": "2026-11-19T18:00:00+08:00", "text": "已揽收"}
        ),
        '{"number": "YT25',
        "[1, 2]",
    ]
    report = run_import("scans", write(lines(*told), name="scans.jsonl"), shop, now=NOW)
    assert (report.taken, problems(report)) == (1, [(2, "", "not_json", "row"), (3, "", "message_unknown", "row")])


def message(number: str, *events: tuple[str, str, str]) -> dict[str, Any]:
    """What 快递助手 answers about one number."""
    detail = [
        {"time": at, "logisticsStatus": "", "subLogisticsStatus": code, "desc": text} for at, code, text in events
    ]
    return {"success": True, "logisticsTrace": {"cpCode": "YTO", "mailNo": number, "logisticsTraceDetailList": detail}}


@pytest.mark.parametrize("form", ["one_whole", "list", "lines"])
def test_messages_of_tracking_services_are_taken_as_they_were_kept(shop: int, write: Any, form: str) -> None:
    collected, stored = ("1774000000000", "ACCEPT", "已揽收"), ("1774100000000", "STA_INBOUND", "…")
    good, other = message("YT2531106325899", collected, stored), message("YT2531106325888", collected)
    told = {
        "one_whole": json.dumps(good, indent=2),
        "list": json.dumps([good, message("", collected), {"code": 1}, other], indent=1),
        "lines": lines(*(json.dumps(one) for one in (good, message("", collected), {"code": 1}, other))),
    }[form]
    for _ in range(2):
        report = run_import("scans", write(told, name="kept.json"), shop, now=NOW)
        if form == "one_whole":
            assert (report.rows, report.taken, problems(report)) == (1, 1, [])
        else:
            assert (report.rows, report.taken) == (4, 2)
            assert problems(report) == [(2, "waybill", "number_missing", "row"), (3, "", "message_unknown", "row")]
    with for_shops([shop]):
        stages = dict(Parcel.objects.values_list("number", "stage"))
        providers = set(Scan.objects.values_list("provider", "code"))
    assert stages["YT2531106325899"] == "ready_for_pickup"
    assert (len(stages), providers) == (1 if form == "one_whole" else 2, {("kdzs", "ACCEPT"), ("kdzs", "STA_INBOUND")})


def test_a_bad_number_in_a_push_of_many_keeps_no_good_one_out(shop: int, write: Any) -> None:
    def item(number: str) -> dict[str, Any]:
        trace = {"AcceptTime": "2026-11-19 18:00:00", "AcceptStation": "已揽收", "Action": "1"}
        undated = {"AcceptTime": "gestern", "AcceptStation": "已发出", "Action": "2"}
        return {"ShipperCode": "YTO", "LogisticCode": number, "Traces": [trace, undated]}

    push = {"EBusinessID": "1", "Count": "2", "Data": [item("YT2531106325899"), item("!"), item("")]}
    report = run_import("scans", write(json.dumps(push), name="push.json"), shop, now=NOW)
    assert (report.rows, report.taken, report.scans) == (1, 1, 1)
    assert sorted(problems(report)) == [
        (1, "events", "events_without_time", "field"),
        (1, "waybill", "number_dirty", "field"),
        (1, "waybill", "number_missing", "field"),
    ]


@needs_samples
@pytest.mark.samples
@pytest.mark.parametrize(
    ("name", "number", "stage"),
    [
        ("zto/push-traces", "73100196611386", "delivered"),
        ("sf/route-response", "6677543221", "delivered"),
        ("chinapost/internal-trace-messages", "1272448151316", "delivered"),
        ("juhe/response-sf-signed", "929695769779", "delivered"),
        ("showapi/response-best-signed", "70048306456243", "delivered"),
        ("aliyun-wuliu/response-deppon-in-transit", "DPK330146968653", "in_transit"),
        ("kdzs-apispace/query-yto-signed-from-station", "YT8988680934020", "delivered"),
        ("kuaidi100/query-response-deppon-future-eta", "8478081206", "in_transit"),
        ("17track/gettrackinfo-delivered", "RR123456789CN", None),
    ],
)
def test_captured_messages_end_in_the_right_stage(shop: int, name: str, number: str, stage: str | None) -> None:
    report = run_import("scans", SAMPLES / "payloads" / f"{name}.json", shop, now=NOW)
    with for_shops([shop]):
        found = Parcel.objects.filter(number=number).values_list("stage", flat=True).first()
    assert found == stage
    if stage is None:  # a made-up number: its check digit is wrong, and it is refused for that
        assert problems(report) == [(1, "waybill", "number_bad_check_digit", "row")]


STAGES = {
    "delivered": {Stage.DELIVERED},
    "out_for_delivery": {Stage.OUT_FOR_DELIVERY},
    "at_pickup_point": {Stage.READY_FOR_PICKUP},
    "returned": {Stage.RETURNED},
    "returning": {Stage.RETURNING, Stage.RETURNED},
    "in_transit": {Stage.IN_TRANSIT, Stage.COLLECTED, Stage.AT_DESTINATION},
}


@needs_samples
@pytest.mark.samples
def test_the_open_histories_end_in_the_right_stage(shop: int) -> None:
    path = SAMPLES / "tracking-samples-open.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    without = sum(not row["number"] for row in rows)
    report = run_import("scans", path, shop, now=NOW)
    codes = Counter(one.code for one in report.problems)
    assert codes["number_missing"] == without
    assert report.rows == len(rows)
    with for_shops([shop]):
        stages = dict(Parcel.objects.values_list("number", "stage"))
        found = Counter(Finding.objects.filter(state="open").values_list("rule", flat=True))
    wrong = [
        (row["id"], row["label"], stages[row["number"].upper()])
        for row in rows
        if row["origin"] == "captured"
        and row["label"] in STAGES
        and stages.get(row["number"].upper())
        and stages[row["number"].upper()] not in STAGES[row["label"]]
    ]
    before = (dict(stages), dict(found))
    run_import("scans", path, shop, now=NOW)
    with for_shops([shop]):
        again = dict(Parcel.objects.values_list("number", "stage"))
        refound = Counter(Finding.objects.filter(state="open").values_list("rule", flat=True))
    assert (again, dict(refound)) == before
    assert wrong == []
    # Most of these tracks are older than the rules' first day: a rule that was not in force finds nothing.
    assert found == {"returning": 1, "dispatch_abnormal": 1, "transit_timeout": 1, "lost_suspected": 1}
