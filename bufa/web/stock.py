"""The shelf: what lies there, what is promised to which reissue, and putting a count right."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from bufa.apps.reissues import queries as reissues
from bufa.apps.shops import stock
from bufa.apps.shops.stock import Goods, StockRow
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission
from bufa.domain.stock import MOST, clean_barcode, goods_key
from bufa.web.desk import Seat, back_to, by, desk, tell, tell_refusal

SHOWN = 200


class CountForm(forms.Form):
    """The count of goods on the list, and why it is another one now."""

    on_hand = forms.IntegerField(label=_("实数"), min_value=0, max_value=MOST)
    shelf = forms.CharField(label=_("货位"), max_length=40, required=False)
    barcode = forms.CharField(label=_("条码"), max_length=40, required=False)
    reason = forms.CharField(label=_("为什么改"), max_length=200)


class GoodsForm(forms.Form):
    """Goods that are not on the list yet."""

    sku = forms.CharField(
        label=_("商品规格ID"),
        max_length=40,
        required=False,
        help_text=_("抖店的编号；没有就按名称和规格对上订单"),
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off"}),
    )
    title = forms.CharField(label=_("商品名称"), max_length=200)
    spec = forms.CharField(label=_("规格"), max_length=120, required=False)
    on_hand = forms.IntegerField(label=_("数量"), min_value=0, max_value=MOST)
    shelf = forms.CharField(label=_("货位"), max_length=40, required=False, help_text=_("拣货单按它排，例如 A-03-2"))
    barcode = forms.CharField(
        label=_("条码"),
        max_length=40,
        required=False,
        help_text=_("商品上印的，装箱时扫它点数"),
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off"}),
    )


def page(request: HttpRequest) -> HttpResponse:
    here = desk(request)
    shop = here.one
    counting = CountForm()
    adding = GoodsForm()
    at = 0
    if request.method == "POST":
        item = request.POST.get("item", "")
        try:
            here.check(Permission.IMPORT_DATA, shop.shop_id)
            if item.isdigit() and "remove" in request.POST:
                stock.remove(shop_id=shop.shop_id, item_id=int(item), by=by(request))
                tell(request, _now("已撤销，这种商品不在库存里了"))
                return back_to(_address(request))
            if item.isdigit():
                at, counting = int(item), CountForm(request.POST)
                if counting.is_valid():
                    _recount(request, shop, at, counting)
                    return back_to(_address(request))
            else:
                adding = GoodsForm(request.POST)
                if adding.is_valid():
                    _add(request, shop, adding)
                    return back_to(_address(request))
        except Refused as refused:
            tell_refusal(request, refused)
            return back_to(_address(request))
        except LookupError:
            return back_to(_address(request))
    text = request.GET.get("text", "").strip()[:60]
    rows = stock.rows([shop.shop_id])
    found = [row for row in rows if _fits(row, text)]
    holders = stock.holders(shop.shop_id)
    codes = reissues.codes_of(shop.shop_id, {subject for held in holders.values() for subject, _count in held})
    said = {
        "shop": shop,
        "text": text,
        "rows": [
            (row, [(codes.get(subject), count) for subject, count in holders.get(row.item_id, [])])
            for row in found[:SHOWN]
        ],
        "more": max(len(found) - SHOWN, 0),
        "kinds": len(rows),
        "reserved": sum(row.reserved for row in rows),
        "out": sum(row.free <= 0 for row in rows),
        "counting": counting,
        "counting_at": at,
        "adding": adding,
    }
    return render(request, "web/stock/page.html", said, status=422 if counting.errors or adding.errors else 200)


def _recount(request: HttpRequest, shop: Seat, item_id: int, form: CountForm) -> None:
    before = next((each for each in stock.rows([shop.shop_id]) if each.item_id == item_id), None)
    row = stock.recount(
        shop_id=shop.shop_id,
        item_id=item_id,
        on_hand=form.cleaned_data["on_hand"],
        by=by(request),
        reason=form.cleaned_data["reason"],
        shelf=form.cleaned_data["shelf"] if "shelf" in form.data else None,
        barcode=form.cleaned_data["barcode"] if "barcode" in form.data else None,
    )
    said = _now("%(title)s：现在有 %(n)d 件") % {"title": f"{row.title} {row.spec}".strip(), "n": row.on_hand}
    tell(request, said, undo=reverse("stock"), undo_with=_back_to_count(before) if before else None)


def _add(request: HttpRequest, shop: Seat, form: GoodsForm) -> None:
    said = form.cleaned_data
    goods = Goods(said["sku"].strip(), said["title"].strip(), said["spec"].strip())
    there = {each.item_id: each for each in stock.rows([shop.shop_id])}
    row = stock.count(
        shop_id=shop.shop_id,
        goods=goods,
        on_hand=said["on_hand"],
        by=by(request),
        shelf=said["shelf"],
        barcode=said["barcode"] or None,
    )
    before = there.get(row.item_id)
    again = _back_to_count(before) if before else {"item": str(row.item_id), "remove": "1"}
    told = _now("%(title)s：现在有 %(n)d 件") % {"title": goods.label, "n": row.on_hand}
    tell(request, told, undo=reverse("stock"), undo_with=again)


def _back_to_count(before: StockRow) -> dict[str, str]:
    """The fields that put a count back to what it was."""
    return {
        "item": str(before.item_id),
        "on_hand": str(before.on_hand),
        "shelf": before.shelf,
        "barcode": before.barcode,
        "reason": _now("刚才改错了，撤销"),
    }


def _fits(row: StockRow, text: str) -> bool:
    return (
        not text
        or text in row.sku
        or clean_barcode(text) == row.barcode
        or goods_key(text).rstrip("|") in goods_key(row.title, row.spec)
    )


def _address(request: HttpRequest) -> str:
    query = request.GET.urlencode()
    return reverse("stock") + (f"?{query}" if query else "")
