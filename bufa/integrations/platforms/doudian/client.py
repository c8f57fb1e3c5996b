"""Doudian's open platform, as the abilities of bufa.integrations.ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import httpx

from bufa.integrations import wire
from bufa.integrations.ciphers import Look, Opened
from bufa.integrations.ebills import LabelOrder, PrintData, Range
from bufa.integrations.platforms.doudian import aftersales, ebills, opening, orders, paging, shipping, sms, tokens
from bufa.integrations.platforms.doudian.errors import number_of
from bufa.integrations.platforms.doudian.gateway import Answer, Gateway
from bufa.integrations.platforms.doudian.settings import Settings
from bufa.integrations.ports import (
    AfterSaleFact,
    CarrierFact,
    InterceptFact,
    OrderFact,
    PackageFact,
    Page,
    PickupAddressFact,
    ProviderError,
    RecipientFact,
    RejectReason,
    Sent,
    SmsReceipt,
    TokenKeeper,
    Tokens,
    TrackReport,
    Walk,
)
from bufa.lib.clock import real_now

_MOST_PAGES = 50


class Client:
    """One shop's connection. Every method raises ports.ProviderError; those that change something may say `unknown`."""

    def __init__(
        self,
        settings: Settings,
        keeper: TokenKeeper,
        http: httpx.Client | None = None,
        wall: Callable[[], datetime] = real_now,
    ) -> None:
        self._settings = settings
        self._keeper = keeper
        self._gateway = Gateway(settings, keeper, http or wire.shared_http(), wall)

    # ── connecting ──────────────────────────────────────────────────────────────────────────────────────────────────

    def authorize_url(self, state: str) -> str:
        return tokens.authorize_url(self._settings, state)

    def connect(self, code: str = "") -> Tokens:
        return self._gateway.tokens.by_code(code) if code else self._gateway.tokens.good()

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def list_orders(self, since: datetime, until: datetime, page: int = 0) -> Page[OrderFact]:
        start, end = paging.window_seconds(since, until)
        answer = self._gateway.call(
            "order.searchList",
            {
                "update_time_start": start,
                "update_time_end": end,
                "order_by": "update_time",
                "order_asc": True,
                "page": page,
                "size": paging.SIZE,
            },
        )
        return orders.order_page(answer.data, page, paging.SIZE)

    def walk_orders(self, since: datetime, until: datetime) -> Iterator[Walk[OrderFact]]:
        return paging.walk(self.list_orders, since, until)

    def order(self, number: str) -> OrderFact:
        try:
            answer = self._gateway.call("order.orderDetail", {"shop_order_id": number})
        except ProviderError as error:
            raise _not_found(error, {"20014", "20015", "20001"}) from None
        detail = wire.child(answer.data, "shop_order_detail")
        if not wire.text(detail.get("order_id")):
            raise ProviderError("not_found", log_id=answer.log_id, raw=answer.raw)
        return orders.order_fact(detail)

    def packages(self, order_number: str) -> tuple[PackageFact, ...]:
        answer = self._gateway.call("order.queryOrderPackageInfo", {"order_id": order_number})
        return shipping.packages(answer.data)

    def query(self, carrier: str, number: str, phone_tail: str = "") -> TrackReport:
        """The track of a Douyin e-waybill that was shipped with; other waybills are refused (50002:10015)."""
        asked = {"logistics_code": carrier, "track_no": number}
        try:
            answer = self._gateway.call("logistics.trackNoRouteDetail", asked)
        except ProviderError as error:
            if number_of(error.sub_code) == shipping.NO_TRACK_YET:
                return TrackReport("doudian", carrier, number, ())
            raise
        return shipping.route(answer.data, carrier, number)

    # ── after-sales ─────────────────────────────────────────────────────────────────────────────────────────────────

    def list_after_sales(self, since: datetime, until: datetime, page: int = 0) -> Page[AfterSaleFact]:
        start, end = paging.window_seconds(since, until)
        answer = self._gateway.call(
            "afterSale.List",
            {
                "update_start_time": start,
                "update_end_time": end,
                "order_by": ["update_time asc"],
                "page": page,
                "size": paging.SIZE,
            },
        )
        return aftersales.after_sale_page(answer.data, page, paging.SIZE)

    def walk_after_sales(self, since: datetime, until: datetime) -> Iterator[Walk[AfterSaleFact]]:
        return paging.walk(self.list_after_sales, since, until)

    def after_sale(self, number: str) -> AfterSaleFact:
        answer = self._gateway.call("afterSale.Detail", {"after_sale_id": number, "need_operation_record": False})
        return aftersales.detailed(answer.data)

    def reject_reasons(self, number: str) -> tuple[RejectReason, ...]:
        answer = self._gateway.call("afterSale.rejectReasonCodeList", {"aftersale_id": _id(number)})
        return aftersales.reject_reasons(answer.data)

    def agree_resend(self, number: str, update_time: int) -> Sent:
        return self._operate(aftersales.operate_params(aftersales.AGREE_RESEND, number, update_time))

    def refuse_resend(self, number: str, update_time: int, reason: str, reason_code: int) -> Sent:
        refusal = {"reason": reason, "remark": reason, "reject_reason_code": reason_code}
        return self._operate(aftersales.operate_params(aftersales.REFUSE_RESEND, number, update_time, **refusal))

    def agree_refund(self, number: str, kind: int, update_time: int) -> Sent:
        return self._operate(aftersales.operate_params(kind, number, update_time))

    def _operate(self, params: Mapping[str, object]) -> Sent:
        answer = self._gateway.call("afterSale.operate", params, changes=True)
        aftersales.check_operated(answer.data, log_id=answer.log_id, raw=answer.raw)
        return _sent(answer)

    def fill_resend(self, after_sale_number: str, carrier: str, number: str) -> Sent:
        params = {
            "aftersale_id": _id(after_sale_number),
            "send_type": 1,
            "company_code": carrier,
            "tracking_no": number,
        }
        return _sent(self._gateway.call("afterSale.fillLogistics", params, changes=True))

    def intercept(self, after_sale_number: str, carrier: str, number: str) -> InterceptFact:
        target = {"company_code": carrier, "tracking_no": number}
        params = {"after_sale_id": after_sale_number, "op_from": 1, "intercept_targets": [target]}
        answer = self._gateway.call("afterSale.applyLogisticsIntercept", params, changes=True)
        found = aftersales.intercepts(answer.data)
        if not found:
            raise wire.broken("malformed", changes=True, log_id=answer.log_id, raw=answer.raw)
        return found[0]

    # ── shipping ────────────────────────────────────────────────────────────────────────────────────────────────────

    def add_extra_package(
        self,
        order_number: str,
        lines: tuple[tuple[str, int], ...],
        carrier: str,
        number: str,
        send_address_id: str = "",
    ) -> Sent:
        params = shipping.extra_package_params(order_number, lines, carrier, number, send_address_id)
        answer = self._gateway.call("order.uploadextrapackage", params, changes=True)
        return _sent(answer, wire.text(wire.child(answer.data).get("deliver_id")))

    def add_first_package(
        self,
        order_number: str,
        lines: tuple[tuple[str, int], ...],
        carrier: str,
        number: str,
        request_id: str,
        send_address_id: str = "",
    ) -> Sent:
        params = shipping.first_package_params(order_number, lines, carrier, number, request_id, send_address_id)
        answer = self._gateway.call("order.logisticsAddMultiPack", params, changes=True)
        boxes = wire.rows(wire.child(answer.data).get("pack_list"))
        return _sent(answer, wire.text(boxes[0].get("pack_id")) if boxes else "")

    def add_joint_package(
        self,
        order_numbers: tuple[str, ...],
        lines: tuple[tuple[str, int], ...],
        carrier: str,
        number: str,
        request_id: str,
        send_address_id: str = "",
    ) -> Sent:
        params = shipping.joint_package_params(order_numbers, lines, carrier, number, request_id, send_address_id)
        answer = self._gateway.call("order.logisticsAddSinglePack", params, changes=True)
        return _sent(answer, wire.text(wire.child(answer.data).get("pack_id")))

    def edit_whole(self, order_number: str, carrier: str, number: str) -> Sent:
        params = {"order_id": order_number, "company_code": carrier, "logistics_code": number}
        return _sent(self._gateway.call("order.logisticsEdit", params, changes=True))

    def edit_package(self, order_number: str, package_id: str, carrier: str, number: str) -> Sent:
        params = {
            "order_id": order_number,
            "pack_id": package_id,
            "company_code": carrier,
            "logistics_code": number,
        }
        return _sent(self._gateway.call("order.logisticsEditByPack", params, changes=True))

    def book_label(self, label: LabelOrder) -> Sent:
        answer = self._gateway.call("logistics.newCreateOrder", ebills.create_params(label), changes=True)
        made = ebills.booked(answer.data, label.pack_id, log_id=answer.log_id, raw=answer.raw)
        return Sent(answer.log_id, made["track_no"], answer.raw, made)

    def cancel_label(self, carrier: str, number: str) -> Sent:
        try:
            answer = self._gateway.call(
                "logistics.cancelOrder", {"logistics_code": carrier, "track_no": number}, changes=True
            )
        except ProviderError as error:
            if error.sub_code.rpartition(":")[2] == ebills.ALREADY_CANCELLED:
                return Sent(error.log_id, "", error.raw)
            raise
        if not wire.truth(wire.child(answer.data, "cancel_result").get("success")):
            raise ProviderError("business", log_id=answer.log_id, text="cancel_result", raw=answer.raw)
        return _sent(answer)

    def out_of_range(self, carrier: str, sender: PickupAddressFact, receiver: RecipientFact) -> Range:
        answer = self._gateway.call("logistics.getOutRange", ebills.range_params(carrier, sender, receiver))
        return ebills.ranged(answer.data, log_id=answer.log_id, raw=answer.raw)

    def print_data(self, carrier: str, number: str) -> PrintData:
        wanted = {"waybill_applies": [{"logistics_code": carrier, "track_no": number}]}
        answer = self._gateway.call("logistics.waybillApply", wanted)
        return ebills.print_data(answer.data, number, log_id=answer.log_id, raw=answer.raw)

    def addresses(self) -> tuple[PickupAddressFact, ...]:
        found: list[PickupAddressFact] = []
        for page in range(1, _MOST_PAGES + 1):
            params = {"page_no": page, "page_size": paging.SIZE, "order_by": "asc", "order_field": "create_time"}
            answer = self._gateway.call("address.list", params)
            got = shipping.addresses(answer.data)
            found.extend(got)
            if not got or len(found) >= wire.number(wire.child(answer.data).get("total")):
                break
        return tuple(found)

    def carriers(self) -> tuple[CarrierFact, ...]:
        return shipping.carriers(self._gateway.call("order.logisticsCompanyList", {}).data)

    # ── buyers' ciphers ─────────────────────────────────────────────────────────────────────────────────────────────

    def decrypt(self, order_number: str, ciphers: Mapping[str, str], account: str = "") -> Opened:
        there = {name: cipher for name, cipher in ciphers.items() if cipher}
        if not there:
            return Opened({})
        try:
            answer = self._gateway.call("order.batchDecrypt", opening.decrypt_params(order_number, there, account))
        except ProviderError as error:
            if number_of(error.sub_code) != opening.ALL_FAILED:
                raise
            return opening.none_opened(error, there)
        return opening.opened(answer.data, there)

    def report_view(self, look: Look) -> Sent:
        params = opening.view_params(look, self._settings.shop_id)
        return _sent(self._gateway.call("security.batchReportOrderSecurityEvent", params, changes=True))

    # ── SMS ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def send_sms(self, phone_cipher: str, template_id: str, params: Mapping[str, str], tag: str = "") -> Sent:
        answer = self._gateway.call(
            "sms.send", sms.send_params(self._settings, phone_cipher, template_id, params, tag), changes=True
        )
        return _sent(answer, sms.accepted_id(answer.data, log_id=answer.log_id, raw=answer.raw))

    def sms_receipts(self, since: datetime, until: datetime, page: int = 0) -> Page[SmsReceipt]:
        start, end = paging.window_seconds(since, until)
        params = {
            "from_time": start,
            "to_time": end,
            "sms_account": self._settings.sms_account,
            "page": page,
            "size": paging.SIZE,
        }
        return sms.receipts(self._gateway.call("sms.sendResult", params).data, page, paging.SIZE)


def _sent(answer: Answer, message_id: str = "") -> Sent:
    return Sent(answer.log_id, message_id, answer.raw)


def _id(number: str) -> int:
    """Some methods take the ticket's id as an integer. Raises ProviderError before anything is sent."""
    if not (number.isascii() and number.isdigit()):
        raise ProviderError("input", text="the ticket number is not a number")
    return int(number)


def _not_found(error: ProviderError, numbers: set[str]) -> ProviderError:
    known = error.why in {"business", "input"} and error.sub_code.rpartition(":")[2] in numbers
    if not known:
        return error
    return ProviderError(
        "not_found", code=error.code, sub_code=error.sub_code, log_id=error.log_id, text=error.text, raw=error.raw
    )
