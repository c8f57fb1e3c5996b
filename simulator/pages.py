"""Small pages to look at the world with: orders and fates, mailboxes, text messages, the label desk."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from simulator import carriers
from simulator.clock import iso, stamp
from simulator.goods import SHOP_NAME
from simulator.sim import Sim

_STYLE = (
    "body{font:16px/1.6 system-ui,sans-serif;margin:1rem auto;max-width:60rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.35rem;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}.w{overflow-x:auto}pre{white-space:pre-wrap}"
    "input,select,button{font:inherit;padding:.3rem}"
)
_FATES = {
    "delivered": "正常送达",
    "never_collected": "一直未揽收",
    "collected_late": "揽收晚",
    "no_hub": "揽收后久无分拨",
    "stalled_moves": "停滞后恢复",
    "lost": "丢失",
    "damaged": "破损",
    "refused": "拒收退回",
    "failed_then_delivered": "派送失败后送达",
    "signed_not_received": "签收未收到",
    "short": "少件",
    "station_long": "驿站久放",
    "wrong_dates": "日期错误",
    "duplicates": "重复轨迹",
    "late_scans": "轨迹迟到",
    "revived": "停滞很久又动",
}


def page(title: str, body: str) -> str:
    """A whole page: phone-wide, plain."""
    pages = {"/world": "订单", "/mail": "邮箱", "/world/sms": "短信", "/world/labels": "面单台"}
    links = "<nav>" + " · ".join(f'<a href="{path}">{name}</a>' for path, name in pages.items()) + "</nav>"
    return (
        f'<!doctype html><html lang="zh-Hans"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style>{links}<h1>{escape(title)}</h1>{body}</html>"
    )


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A table; cells are plain text and are escaped here."""
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f'<div class="w"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def authorize(sim: Sim, action: str) -> str:
    """The platform's page on which a merchant lets an app in."""
    body = (
        f"<p>店铺：{escape(SHOP_NAME)}（{sim.world.shop_id}）</p>"
        f"<p>应用 {escape(sim.keys.app_key)} 申请读取订单、售后与物流。</p>"
        f'<form method="post" action="{escape(action)}"><button>同意授权</button></form>'
    )
    return page("店铺授权", body)


def _world(sim: Sim) -> str:
    rows = []
    for order in list(sim.world.orders.values())[::-1][:300]:
        parcels = [p for p in sim.world.parcels.values() if p.order_id == order.order_id]
        text = "；".join(f"{p.carrier} {p.number} {p.role} → {_FATES[p.life.fate]}" for p in parcels)
        sales = "；".join(f"{sim.world.aftersales[i].type}/{sim.world.aftersales[i].status}" for i in order.aftersales)
        rows.append(
            [
                order.order_id,
                stamp(order.created_at),
                str(order.status),
                order.buyer.mask_name,
                order.buyer.place.city,
                _FATES[order.fate],
                text,
                sales,
            ]
        )
    feed = [[stamp(f.at), f.order_id, f.text] for f in sim.world.feed[::-1][:40]]
    head = f"<p>现在 {stamp(sim.clock.now())}，订单 {len(sim.world.orders)}，包裹 {len(sim.world.parcels)}</p>"
    return (
        head
        + "<h2>客户说</h2>"
        + table(["时间", "订单", "内容"], feed)
        + "<h2>订单与命运（最近 300）</h2>"
        + table(["订单", "下单", "状态", "收件人", "城市", "命运", "包裹", "售后"], rows)
    )


def _mail(sim: Sim, box: str) -> str:
    boxes: dict[str, int] = {}
    for mail in sim.world.mails:
        boxes[mail.box] = boxes.get(mail.box, 0) + 1
    links = " ".join(f'<a href="/mail?box={escape(b)}">{escape(b)}（{n}）</a>' for b, n in sorted(boxes.items()))
    shown = [m for m in sim.world.mails if not box or m.box == box][::-1][:100]
    parts = [
        f"<article><h2>{escape(mail.subject)}</h2><p>{stamp(mail.at)} {escape(mail.sender)} → "
        f"{escape('、'.join(mail.to))}（邮箱 {escape(mail.box)}）</p><pre>{escape(mail.text)}</pre></article>"
        for mail in shown
    ]
    return f"<p>{links or '还没有邮件'}</p>" + "".join(parts)


def _labels(sim: Sim, message: str) -> str:
    options = "".join(f'<option value="{c.code}">{escape(c.name)}</option>' for c in carriers.CARRIERS.values())
    return (
        (f"<p role=status>{escape(message)}</p>" if message else "")
        + '<form method="post"><p><label>订单号 <input name="order_id" required></label> '
        + f'<label>快递 <select name="carrier">{options}</select></label> <button>取新单号</button></p></form>'
    )


def routes(sim: Sim) -> list[Route]:
    """``/world`` with its pages, ``/mail``, and the JSON beside them."""

    async def world(request: Request) -> Response:
        return HTMLResponse(page("模拟世界", _world(sim)))

    async def mail(request: Request) -> Response:
        return HTMLResponse(page("邮箱", _mail(sim, request.query_params.get("box", ""))))

    async def mail_json(request: Request) -> Response:
        box = request.query_params.get("box", "").lower()
        since = int(request.query_params.get("since", 0))
        rows = [m for m in sim.world.mails if not box or m.box == box][since:]
        return JSONResponse([{**vars(m), "at": iso(m.at)} for m in rows])

    async def sms_json(request: Request) -> Response:
        phone = request.query_params.get("phone", "")
        rows = [
            {**vars(s), "at": iso(s.at), "receipt_at": iso(s.receipt_at)}
            for s in sim.world.sms
            if not phone or s.phone == phone
        ]
        return JSONResponse(rows)

    async def sms(request: Request) -> Response:
        newest = sim.world.sms[::-1][:200]
        rows = [[stamp(s.at), s.mask, s.order_id, s.content, "" if s.ok else "未送达"] for s in newest]
        return HTMLResponse(page("短信", table(["时间", "手机", "订单", "内容", ""], rows)))

    async def labels(request: Request) -> Response:
        message = request.query_params.get("m", "")
        if request.method == "POST":
            form = await request.form()
            order = sim.world.orders.get(str(form.get("order_id", "")).strip())
            carrier = str(form.get("carrier", ""))
            if order is None or carrier not in carriers.CARRIERS:
                return HTMLResponse(page("面单台", _labels(sim, "没有这个订单或快递")), status_code=400)
            parcel = sim.world.hand_out(order, carrier)
            return RedirectResponse(f"/world/labels?m={parcel.number}", 303)
        return HTMLResponse(page("面单台", _labels(sim, message)))

    return [
        Route("/world", world),
        Route("/world/sms", sms),
        Route("/world/labels", labels, methods=["GET", "POST"]),
        Route("/mail", mail),
        Route("/mail.json", mail_json),
        Route("/sms.json", sms_json),
    ]
