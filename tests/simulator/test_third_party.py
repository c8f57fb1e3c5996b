"""A client written from the platform's documents alone, as anybody might have one: only the host is another."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.parse
import urllib.request
from typing import Any

import pytest

from tests.simulator.conftest import Wire

# App key, secret, method, timestamp, param_json → MD5, HMAC-SHA256; the keys are invented.
VECTORS = [
    (
        "1234567890123456789", "contract-app-secret", "order.searchList", "1667899926",
        '{"a":[3,{"a":1,"b":2}],"nested":{"a":true,"汉":"<&"},"z":1}',
        "6a50fd3554490c8651eb774e4b12ff6d", "cfb0c61c20926f758e13f4bd3d59a0de0e22f3c6059f1045cae36e6cea2bd417",
    ),
    (
        "7012345678901234567", "0f1e2d3c-aaaa-bbbb-cccc-1234567890ab", "order.logisticsCompanyList", "1767200400", "{}",
        "4496a5e686c7a38147f71427767c3c41", "d67a86342d68ac916fa7c38af4ebc0d41d31aba0c4142fb7b8792913fd08c0d3",
    ),
    (
        "7012345678901234567", "0f1e2d3c-aaaa-bbbb-cccc-1234567890ab", "order.logisticsCompanyList",
        "2026-01-01 01:00:00", "{}",
        "040133abacf5b38c793d85e4e909bf1c", "7091168afe6df7db1e0d3821750d2a1e95998919aa4fafa473841bc0754ae232",
    ),
    (
        "7012345678901234567", "0f1e2d3c-aaaa-bbbb-cccc-1234567890ab", "afterSale.fillLogistics", "1767200400",
        '{"aftersale_id":7085126861562380588,"company_code":"yuantong","send_type":1,"tracking_no":"YT1231231231"}',
        "8b46a29e71f42bc5482bc91f42ee7c28", "6a0ec5a52dcb563e4c81889f75d4b9f4cccdf70b39a759310b26416d7cb52d35",
    ),
    (
        "7012345678901234567", "0f1e2d3c-aaaa-bbbb-cccc-1234567890ab", "order.addOrderRemark", "1767200400",
        '{"is_add_star":"true","order_id":"4781320682406083640","remark":"补发<A&B>/丢件 😀","star":"5"}',
        "2d180de4d8623711e95bec7ce640fd63", "466bd625383f9a3c8390fd3109676c3c68f2c757703d6ea18651c74ac711f2fc",
    ),
]  # fmt: skip


class Sdk:
    """The usual third-party client: sorted compact JSON in the body, everything else in the query, MD5 or HMAC."""

    def __init__(self, host: str, key: str, secret: str, how: str) -> None:
        self.host, self.key, self.secret, self.how, self.token = host, key, secret, how, ""

    def digest(self, method: str, param_json: str, timestamp: str) -> str:
        pairs = f"app_key{self.key}method{method}param_json{param_json}timestamp{timestamp}v2"
        text = (self.secret + pairs + self.secret).encode()
        if self.how == "md5":
            return hashlib.md5(text).hexdigest()  # noqa: S324 the platform's own
        return hmac.new(self.secret.encode(), text, hashlib.sha256).hexdigest()

    def request(self, path: str, **params: Any) -> Any:
        method = path.strip("/").replace("/", ".")
        param_json = json.dumps(params, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        timestamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600))
        query = {
            "app_key": self.key, "method": method, "timestamp": timestamp, "v": "2", "sign_method": self.how,
            "sign": self.digest(method, param_json, timestamp), "access_token": self.token,
        }  # fmt: skip
        url = f"{self.host}{path}?{urllib.parse.urlencode(query)}"
        headers = {"Content-Type": "application/json;charset=utf-8", "from": "sdk", "sdk-type": "python"}
        sent = urllib.request.Request(url, data=param_json.encode(), headers=headers, method="POST")  # noqa: S310 our own host
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(sent, timeout=12) as answer:
            said = json.load(answer)
        assert {"code", "msg", "sub_code", "sub_msg", "log_id", "data", "err_no", "message"} <= said.keys()
        if said["err_no"] != 0:
            raise RuntimeError(f"{said['code']} {said['sub_code']} {said['sub_msg']}")
        return said["data"]


@pytest.mark.parametrize(("key", "secret", "method", "timestamp", "param_json", "md5", "hmac_sha256"), VECTORS)
def test_the_client_signs_as_published(
    key: str, secret: str, method: str, timestamp: str, param_json: str, md5: str, hmac_sha256: str
) -> None:
    assert Sdk("", key, secret, "md5").digest(method, param_json, timestamp) == md5
    assert Sdk("", key, secret, "hmac-sha256").digest(method, param_json, timestamp) == hmac_sha256


@pytest.mark.parametrize("how", ["md5", "hmac-sha256"])
def test_a_client_that_knows_only_the_documents_sends_a_reissue(wire: Wire, how: str) -> None:
    told = wire.hello["doudian"]
    sdk = Sdk(told["base_url"], told["app_key"], told["app_secret"], how)
    tokens = sdk.request("/token/create", code="", grant_type="authorization_self", shop_id=told["shop_id"])
    sdk.token = tokens["access_token"]
    assert tokens["expires_in"] <= 604800
    made = wire.control("orders", {"carrier": "yuantong", "fate": "lost"})
    number = wire.control("waybills", {"order_id": made["order_id"], "carrier": "yuantong"})["number"]
    detail = sdk.request("/order/orderDetail", shop_order_id=made["order_id"])["shop_order_detail"]
    assert detail["order_status"] == 3
    sub = detail["sku_order_list"][0]
    companies = sdk.request("/order/logisticsCompanyList")
    assert "yuantong" in {company["code"] for company in companies}
    done = sdk.request(
        "/order/uploadextrapackage", shop_order_id=made["order_id"], tracking_no=number, company_code="yuantong",
        product_orders=[{"product_order_id": sub["order_id"], "product_count": sub["item_num"]}],
    )  # fmt: skip
    info = sdk.request("/order/queryOrderPackageInfo", order_id=made["order_id"])["order_package_info"]
    extra = [box for box in info["package_info"] if box["is_complement_deliver"]]
    assert [box["delivery_info"][0]["track_no"] for box in extra] == [number]
    assert extra[0]["delivery_info"][0]["deliver_id"] == done["deliver_id"]
    opened = sdk.request(
        "/order/batchDecrypt", cipher_infos=[{"auth_id": made["order_id"], "cipher_text": detail["encrypt_post_tel"]}]
    )
    assert opened["decrypt_infos"][0]["decrypt_text"] == wire.control(f"orders/{made['order_id']}")["phone"]
    with pytest.raises(RuntimeError, match="60033"):
        sdk.request("/order/uploadextrapackage", shop_order_id="1", tracking_no=number, company_code="yuantong")
