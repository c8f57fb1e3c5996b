"""Signatures against what the vendors publish, and against what their own packages sign (`tools/vendor_signing.py`)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bufa.integrations import acs3, tc3
from tools.vendor_signing import ours

KEPT: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vendor_signatures.json").read_text("utf-8"))
IMAGE = {"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"}


@pytest.mark.parametrize(
    ("moment", "nonce", "signature"),
    [
        (
            datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
            "3156853299f313e23d1673dc12e1703d",
            "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
        ),
        (
            datetime(2023, 10, 26, 9, 1, 1, tzinfo=UTC),
            "d410180a5abf7fe235dd9b74aca91fc0",
            "e521358f7776c97df52e6b2891a8bc73026794a071b50c3323388c4e0df64804",
        ),
    ],
)
def test_alibaba_publishes_this(moment: datetime, nonce: str, signature: str) -> None:
    told = acs3.headers(
        key_id="YourAccessKeyId",
        secret="YourAccessKeySecret",
        host="ecs.cn-shanghai.aliyuncs.com",
        action="RunInstances",
        version="2014-05-26",
        params=IMAGE,
        moment=moment,
        nonce=nonce,
    )
    names = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
    assert told["authorization"] == (
        f"ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders={names},Signature={signature}"
    )


@pytest.mark.parametrize(
    ("secret", "signed", "signature"),
    [
        (
            "*" * 32,
            {"x-tc-action": "describeinstances"},
            "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f",
        ),
        (
            "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
            {},
            "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168",
        ),
    ],
)
def test_tencent_publishes_this(secret: str, signed: dict[str, str], signature: str) -> None:
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    headers = {"content-type": tc3.JSON, "host": "cvm.tencentcloudapi.com"} | signed
    assert tc3.sign(secret, service="cvm", seconds=1551113065, body=body, signed=headers) == signature


@pytest.mark.parametrize("one", KEPT, ids=lambda one: f"{one['how']}-{one['seconds']}")
def test_the_vendors_own_packages_sign_the_same(one: dict[str, Any]) -> None:
    assert ours(one) == one["signature"]


def test_what_is_signed_is_what_is_sent() -> None:
    params = {"B": "您 a+b&c=d~*", "A": "%"}
    assert acs3.query_string(params) == "A=%25&B=%E6%82%A8%20a%2Bb%26c%3Dd~%2A"
