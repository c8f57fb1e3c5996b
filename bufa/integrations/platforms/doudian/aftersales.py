"""Doudian's after-sale tickets → facts (doudian-openapi §9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bufa.integrations.platforms.doudian.orders import recipient_fact
from bufa.integrations.ports import AfterSaleFact, InterceptFact, Page, ProviderError, RejectReason
from bufa.integrations.wire import child, instant, number, rows, text, truth

RESEND = 7
AGREE_RESEND = 501
REFUSE_RESEND = 502


def after_sale_page(data: Any, page: int, size: int) -> Page[AfterSaleFact]:
    """The answer of afterSale.List. `has_more` is believed when sent, else reckoned from `total`."""
    tickets = tuple(listed(row) for row in rows(child(data).get("items")))
    total = number(child(data).get("total"))
    more = child(data).get("has_more")
    return Page(tickets, total, bool(tickets) and (truth(more) if more is not None else (page + 1) * size < total))


def listed(row: Mapping[str, Any]) -> AfterSaleFact:
    """One item of the list: no recipient, no resend waybill."""
    info = child(row.get("aftersale_info"))
    return AfterSaleFact(
        number=text(info.get("aftersale_id")),
        order_number=text(child(row.get("order_info")).get("shop_order_id")),
        type=number(info.get("aftersale_type"), -1),
        status=number(info.get("aftersale_status")),
        deadline=instant(info.get("status_deadline")),
        applied_at=instant(info.get("apply_time")),
        updated_at=instant(info.get("update_time")),
        update_time=number(info.get("update_time")),
        reason=text(child(row.get("text_part")).get("reason_text")),
        refund_fen=number(info.get("refund_amount")),
    )


def detailed(data: Any) -> AfterSaleFact:
    """The answer of afterSale.Detail: also who receives the resend, and the waybill that was filled in."""
    info = child(data, "process_info", "after_sale_info")
    if not text(info.get("after_sale_id")):
        raise ProviderError("not_found", text="the answer holds no ticket")
    resend = child(data, "process_info", "logistics_info", "resend")
    kind = number(info.get("after_sale_type"), -1)
    return AfterSaleFact(
        number=text(info.get("after_sale_id")),
        order_number=text(child(data, "order_info").get("shop_order_id")),
        type=kind,
        status=number(info.get("after_sale_status")),
        deadline=instant(info.get("status_deadline")),
        applied_at=instant(info.get("apply_time")),
        updated_at=instant(info.get("update_time")),
        update_time=number(info.get("update_time")),
        reason=text(info.get("reason")),
        refund_fen=number(info.get("refund_amount")),
        resend_carrier=text(resend.get("company_code")),
        resend_number=text(resend.get("tracking_no")),
        recipient=recipient_fact(info, "post_address", "post_tel_sec") if info.get("post_address") else None,
    )


def resend_number_of(ticket: AfterSaleFact) -> str:
    """The waybill the platform holds for the resend, "" while none is filled in. Settles `fill_resend`."""
    return ticket.resend_number


def operate_params(kind: int, number_: str, update_time: int, **refusal: Any) -> dict[str, Any]:
    """One ticket a call: among several, one failure fails them all."""
    return {"type": kind, "items": [{"aftersale_id": number_, "update_time": update_time, **refusal}]}


def check_operated(data: Any, *, log_id: str, raw: bytes) -> None:
    """The second level of success: the gateway said yes, each item has its own answer."""
    for item in rows(child(data).get("items")):
        code = number(item.get("status_code"))
        if code != 0:
            said = text(item.get("status_msg"))
            raise ProviderError("business", sub_code=str(code), log_id=log_id, text=said, raw=raw)


def reject_reasons(data: Any) -> tuple[RejectReason, ...]:
    return tuple(
        RejectReason(
            number(row.get("reject_reason_code")), text(row.get("reason")), text(row.get("evidence_need")) == "Y"
        )
        for row in rows(child(data).get("items"))
    )


def intercepts(data: Any) -> tuple[InterceptFact, ...]:
    """The answer of afterSale.applyLogisticsIntercept, parcel by parcel."""
    return tuple(
        InterceptFact(
            carrier=text(row.get("company_code")),
            number=text(row.get("tracking_no")),
            can=truth(row.get("can_intercept")),
            accepted=truth(row.get("is_success")),
            cost_fen=number(row.get("intercept_cost")),
            code=text(row.get("unavailable_reason_code")) if number(row.get("unavailable_reason_code")) else "",
            why=text(row.get("unavailable_reason")),
        )
        for row in rows(child(data).get("intercept_results"))
    )
