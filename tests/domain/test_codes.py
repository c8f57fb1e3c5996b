"""The code tables: our own list of what each feed's codes mean, row by row of the crosswalk."""

from __future__ import annotations

import pytest

from bufa.domain.codes import Grade, lookup, tables
from bufa.domain.kinds import Kind, Reason
from bufa.domain.reading import read
from tools.crosswalk import page
from tools.docs import ROOT, stale

# ours: (kind.reason, …) -> the codes of each feed that say so, as the trade compares them
ROWS: dict[str, dict[str, str]] = {
    "note": {"17track": "NotFound_Other NotFound_InvalidCode", "aftership": "Pending_001 Pending_006", "kdniao": "0",
             "easypost": "unknown", "karrio": "unknown", "juhe": "0"},
    "label_created": {"kuaidi100": "101 102", "kdniao": "10 401", "17track": "InfoReceived", "kdzs": "WAIT_ACCEPT",
                      "aftership": "InfoReceived_001", "easypost": "pre_transit label_created", "karrio": "pending",
                      "shippo": "PRE_TRANSIT information_received", "shunfeng": "647"},
    "collected": {"kuaidi100": "1 103", "kdniao": "1", "17track": "InTransit_PickedUp", "aftership": "InTransit_002",
                  "easypost": "received_at_origin_facility", "karrio": "picked_up", "kdzs": "ACCEPT", "aliyun": "0",
                  "shunfeng": "50 54", "jtexpress": "10", "zhongtong": "GOT", "yunda": "GOT",
                  "shippo": "package_accepted", "emsevt": "EMA"},
    "in_transit": {"kuaidi100": "0 1002", "kdniao": "2 206", "kdzs": "TRANSPORT ON_THE_WAY", "aliyun": "1",
                   "17track": "InTransit_Other InTransit_Departure InTransit_Arrival",
                   "aftership": "InTransit_001 InTransit_003 InTransit_004 InTransit_007 InTransit_008",
                   "easypost": "in_transit arrived_at_facility departed_facility", "karrio": "in_transit",
                   "shippo": "TRANSIT package_arrived package_departed package_processed package_processing",
                   "shunfeng": "30 31 36 302 3036 34", "jtexpress": "20 30 31 40 50 51 80 90 91 92 93",
                   "zhongtong": "DEPARTURE ARRIVAL", "yunda": "ARRIVAL DEPARTURE OVERSEA_IN",
                   "youzhengguonei": "306 389 912", "emsevt": "EMB EMC EMD EMF EMJ EMK"},
    "arrived_hub": {"kdniao": "204", "youzhengguonei": "954", "ems": "954"},
    "arrived_destination": {"kuaidi100": "1001", "kdniao": "201 205", "emsevt": "EMG", "wangdian": "4",
                            "easypost": "received_at_destination_facility arrived_at_destination", "shopex": "6"},
    "out_for_delivery": {"kuaidi100": "5", "kdniao": "202 418 419", "17track": "OutForDelivery_Other", "aliyun": "2",
                         "aftership": "OutForDelivery_001", "easypost": "out_for_delivery", "kdzs": "DELIVERING",
                         "karrio": "out_for_delivery", "shunfeng": "44", "jtexpress": "94", "zhongtong": "DISPATCH",
                         "yuantong": "710", "yunda": "SENT", "youzhengguonei": "702", "emsevt": "EDG"},
    "ready_for_pickup": {"kuaidi100": "501", "kdniao": "211", "17track": "AvailableForPickup_Other",
                         "aftership": "AvailableForPickup_001 OutForDelivery_002", "karrio": "ready_for_pickup",
                         "easypost": "available_for_pickup arrived_at_pickup_location", "kdzs": "STA_INBOUND",
                         "shippo": "pickup_available", "shunfeng": "125 130 607 678", "jtexpress": "200 202",
                         "zhongtong": "INBOUND", "yunda": "INBOUND", "emsevt": "EDH"},
    "held.pickup_overdue": {"kuaidi100": "205", "kdniao": "412", "aftership": "Exception_008",
                            "shippo": "package_unclaimed", "ems": "112 127 129"},
    "delivered": {"kuaidi100": "3 301 302 303 304", "kdniao": "301 302 304 311", "17track": "Delivered_Other",
                  "aftership": "Delivered_001 Delivered_002 Delivered_003 Delivered_004 Delivered_005",
                  "easypost": "delivered", "karrio": "delivered", "kdzs": "SIGN AGENT_SIGN", "aliyun": "3", "juhe": "1",
                  "shippo": "DELIVERED delivered", "shunfeng": "80 935", "jtexpress": "100 300", "yuantong": "740",
                  "zhongtong": "SIGNED DEPARTURE_SIGNED HANDOVERSCAN_SIGNED", "yunda": "SIGNED", "emsevt": "EMI",
                  "youzhengguonei": "704"},
    "attempt_failed": {"kuaidi100": "204", "kdniao": "405", "17track": "DeliveryFailure_Other", "aliyun": "4",
                       "aftership": "AttemptFail_001", "easypost": "failure delivery_exception", "kdzs": "FAILED",
                       "karrio": "delivery_failed", "shippo": "delivery_attempted package_undeliverable FAILURE",
                       "shunfeng": "33 70 870 934", "yuantong": "741", "yunda": "SIGNFAIL", "youzhengguonei": "705",
                       "emsevt": "EMH"},
    "attempt_failed.contact_failed": {"kuaidi100": "206", "kdniao": "416 421", "17track": "DeliveryFailure_NoBody",
                                      "aftership": "AttemptFail_002", "karrio": "consignee_not_available",
                                      "flash": "25 29"},
    "held.contact_failed": {"17track": "Exception_NoBody"},
    "attempt_failed.recipient_absent": {"aftership": "AttemptFail_003", "ems": "103 113", "shippo": "notice_left",
                                        "karrio": "consignee_not_home consignee_business_closed"},
    "attempt_failed.rescheduled": {"ems": "105 115", "karrio": "carrier_not_enough_time", "words": "改期",
                                   "shippo": "reschedule_delivery delivery_rescheduled"},
    "attempt_failed.holiday": {"ems": "116", "words": "单位节假日"},
    "attempt_failed.weather": {"ems": "114"},
    "attempt_failed.address_problem": {"kdniao": "420", "17track": "DeliveryFailure_InvalidAddress",
                                       "ems": "101 102 118 122 123 124 126", "karrio": "consignee_incorrect_address"},
    "held.address_problem": {"aftership": "Exception_002 Exception_007", "easypost": "address_correction",
                             "shippo": "address_issue", "karrio": "retailer_incorrect_data", "flash": "23 24"},
    "held.out_of_area": {"kuaidi100": "207", "kdniao": "423", "karrio": "carrier_address_not_found",
                         "words": "地址偏远 超区转件 超区自提"},
    "held.missort": {"kdniao": "422", "easypost": "missorted", "karrio": "carrier_sorting_error", "ems": "106 107",
                     "words": "分拣差错", "flash": "3 18 30 31"},
    "refused.refused": {"kuaidi100": "203", "kdniao": "404", "ems": "104", "yunda": "REJECTION",
                        "17track": "DeliveryFailure_Rejected Exception_Rejected", "aftership": "Exception_003",
                        "easypost": "refused", "karrio": "consignee_refused", "words": "客户拒收"},
    "returning": {"kuaidi100": "6", "kdniao": "407", "17track": "Exception_Returning", "aftership": "Exception_010",
                  "easypost": "return_to_sender return", "karrio": "return_to_sender", "shippo": "return_to_sender",
                  "shunfeng": "631 660", "yuantong": "831 835", "yunda": "RETURN", "jtexpress": "170 172",
                  "words": "退件", "wangdian": "9"},
    "returned": {"kuaidi100": "4 14", "kdniao": "406", "17track": "Exception_Returned", "aftership": "Exception_011",
                 "shippo": "RETURNED", "shunfeng": "648", "words": "退件签收", "aliyun": "6", "wangdian": "10"},
    "held.other": {"kuaidi100": "201 202 208", "kdniao": "402 403 417", "17track": "Expired_Other Exception_Delayed",
                   "aftership": "Exception_001 Exception_005 Exception_016 Expired_001",
                   "easypost": "delayed held expired",
                   "karrio": "delivery_delayed on_hold carrier_vehicle_issue carrier_capacity_exceeded",
                   "shippo": "delayed package_held contact_carrier", "shunfeng": "66 72 77 611 833",
                   "jtexpress": "110 120", "yunda": "ISSUE", "words": "交通 当地配送延迟 到达当地延误"},
    "held.weather": {"aftership": "Exception_017", "easypost": "weather_delay", "words": "天气",
                     "karrio": "weather_delay natural_disaster force_majeure"},
    "held.security": {"17track": "Exception_Security", "karrio": "security_issue", "yuantong": "950 960"},
    "attempt_failed.security": {"17track": "DeliveryFailure_Security", "karrio": "consignee_verification_failed"},
    "held.regulation": {"aftership": "Exception_004 Exception_018", "karrio": "regulatory_hold customs_prohibited"},
    "damaged.damaged": {"kuaidi100": "209", "kdniao": "414", "17track": "Exception_Damage", "ems": "108",
                        "aftership": "Exception_012", "easypost": "damaged", "karrio": "carrier_damaged_parcel",
                        "shippo": "package_damaged", "words": "货物破损", "flash": "4 5 19 20"},
    "lost": {"kdniao": "426", "17track": "Exception_Lost Exception_Destroyed", "aftership": "Exception_013",
             "easypost": "lost", "karrio": "carrier_parcel_lost", "ems": "117", "words": "遗失", "flash": "7 22",
             "shippo": "package_lost package_disposed"},
    "cancelled": {"kuaidi100": "401 210", "kdniao": "415", "17track": "Exception_Cancel", "easypost": "cancelled",
                  "karrio": "cancelled retailer_cancelled", "emsevt": "EXX"},
    "intercepted": {"kdniao": "413", "jtexpress": "180", "ems": "125"},
    "forwarded": {"kuaidi100": "7 1003", "kdniao": "5", "aftership": "InTransit_009", "shunfeng": "99 626 627",
                  "easypost": "transferred_to_destination_carrier", "jtexpress": "400 402", "yunda": "TRANSFER",
                  "shippo": "package_forwarded", "words": "转同行"},
    "customs": {"kuaidi100": "8 10 11 12", "kdniao": "6 601", "aftership": "InTransit_005 InTransit_006",
                "17track": "InTransit_CustomsProcessing InTransit_CustomsReleased", "emsevt": "EXA EDB",
                "shunfeng": "15 17 18 614 619 620 621", "yunda": "CLEARANCE_START"},
    "customs.regulation": {"kuaidi100": "13", "17track": "InTransit_CustomsRequiringInformation",
                           "karrio": "customs_documentation customs_duties_unpaid", "emsevt": "EXB EME"},
    "eta": {"shippo": "delivery_scheduled"},
}  # fmt: skip
CELLS = [
    (ours, provider, code) for ours, row in ROWS.items() for provider, codes in row.items() for code in codes.split()
]


@pytest.mark.parametrize(("ours", "provider", "code"), CELLS)
def test_every_row_of_the_crosswalk(ours: str, provider: str, code: str) -> None:
    coded = lookup(provider, code)
    assert coded is not None
    assert coded.name == ours
    kind, _, reason = ours.partition(".")
    reading = read(provider=provider, code=code)
    assert (reading.kind, reading.reason) == (kind, reason or None)


def test_17track_is_whole() -> None:
    subs = [code for code in tables()["17track"] if "_" in code or code == "InfoReceived"]
    assert len(subs) == 30


def test_aftership_has_only_what_was_seen() -> None:
    assert lookup("aftership", "Exception_014") is None
    assert lookup("aftership", "Exception_015") is None


def test_karrio_knows_whose_fault_it_was() -> None:
    blamed = ("carrier_", "retailer_", "consignee_", "customs_")
    assert len([code for code in tables()["karrio"] if code.startswith(blamed)]) == 28


def test_names_and_capitals_of_providers() -> None:
    assert lookup("SF", "80") == lookup("shunfeng", "80")
    assert lookup("SeventeenTrack", "exception_lost") == lookup("17track", "Exception_Lost")
    assert lookup("Shippo", "delivered") == lookup("shippo", "delivered")
    assert lookup("yunda", "CLEARANCE_ARRIVAL") == lookup("yunda", "CLEARANCE_*")
    assert lookup("nobody", "80") is None
    assert lookup("shunfeng", "8" * 80) is None


@pytest.mark.parametrize(
    ("provider", "code", "text", "kind", "reason"),
    [
        ("jtexpress", "110", "【南昌网点】问题件扫描,问题原因【收件人电话关机】", "attempt_failed", "contact_failed"),
        ("shunfeng", "31", "快件到达 【广州白云集散中心】", "arrived_hub", None),
        ("shunfeng", "70", "快件派送不成功(因收方客户拒收快件),待进一步处理", "refused", "refused"),
        ("kdzs", "ON_THE_WAY", "顺丰速运 已收取快件", "collected", None),
        ("17track", "Exception_Other", "包裹已存放至菜鸟驿站，请凭取件码领取", "ready_for_pickup", None),
        ("17track", "Exception_Returning", "Returned to the sender", "returning", None),
        ("youzhengguonei", "705", "投递结果反馈-未妥投,备注(未联系上收件人)", "attempt_failed", "contact_failed"),
        ("juhe", "0", "北京市,退回 妥投", "returned", None),
        ("aliyun", "1", "预计1月22日16:00前送达", "eta", None),
        ("yuantong", "741", "【成都公司】失败签收录入", "attempt_failed", None),
        ("zhongtong", "ARRIVAL", "【杭州市】快件已经到达【杭州中转部】", "arrived_hub", None),
    ],
)  # fmt: skip
def test_codes_beside_their_texts(provider: str, code: str, text: str, kind: str, reason: str | None) -> None:
    reading = read(provider=provider, code=code, text=text)
    assert reading.kind == kind
    assert reading.reason in ((reason,) if reason else (None, Reason.OTHER))


def test_a_code_of_one_feed_says_nothing_in_another() -> None:
    assert read(provider="aftership", code="3").kind is Kind.UNMAPPED
    assert read(provider="file", code="Exception_Lost").kind is Kind.UNMAPPED


def test_silence_codes_never_outdo_the_text() -> None:
    for provider, table in tables().items():
        for code, coded in table.items():
            if coded.grade is Grade.SILENCE:
                assert read(provider=provider, code=code, text="快件已到达【杭州转运中心】").kind is Kind.ARRIVED_HUB


def test_the_generated_page_has_every_code() -> None:
    text = page()
    for provider, table in tables().items():
        assert f"`{provider}`" in text
        assert all(f"`{code}`" in text for code in table if provider != "words")


def test_generated_pages_are_fresh() -> None:
    assert [page for page in stale(ROOT) if page in ("docs/crosswalk.md", "docs/rules.md")] == []
