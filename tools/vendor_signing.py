"""Our signatures beside those of the vendors' own packages, on random requests.

Their packages weigh 60 MB, so they live in a virtual environment of their own (artefacts/vendors) and nothing of Bufa
depends on them. `compare` signs the same requests here and there; a few of them, with the vendors' signatures, are kept
in tests/integrations/vendor_signatures.json (`--keep`), where the suite checks them without the packages.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import venv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "artefacts" / "vendors"
KEPT = ROOT / "tests" / "integrations" / "vendor_signatures.json"
PACKAGES = ("alibabacloud-tea-openapi==0.4.6", "tencentcloud-sdk-python-common==3.1.195")
_LETTERS = "abcXYZ019-_.~ *+/&=%?#'()!@:,;{}\"\\您的订单已补发，单号：【】😀\n\t"


def requests(count: int, seed: int) -> list[dict[str, Any]]:
    """Random calls of both vendors, half each: what is signed, as plain values."""
    rng = random.Random(seed)  # noqa: S311 no secret comes of it

    def text(most: int) -> str:
        return "".join(rng.choice(_LETTERS) for _ in range(rng.randint(1, most)))

    made: list[dict[str, Any]] = []
    for at in range(count):
        secret, seconds = f"{rng.getrandbits(160):040x}", rng.randint(1_500_000_000, 1_900_000_000)
        # Names are letters, as all of their APIs' are: Alibaba's package does not escape them.
        fields = {"".join(rng.choices("ABCDxyz.19", k=rng.randint(1, 8))): text(40) for _ in range(rng.randint(0, 8))}
        if at % 2:
            body = json.dumps(fields, ensure_ascii=bool(rng.getrandbits(1)))
            made.append({"how": "tc3", "secret": secret, "seconds": seconds, "service": "sms", "body": body})
        else:
            made.append(
                {"how": "acs3", "secret": secret, "seconds": seconds, "nonce": f"{rng.getrandbits(128):032x}",
                 "action": "SendSms", "params": fields, "host": "dysmsapi.aliyuncs.com"}
            )  # fmt: skip
    return made


def ours(one: dict[str, Any]) -> str:
    """Our signature of a request."""
    from bufa.integrations import acs3, tc3

    if one["how"] == "tc3":
        signed = {"content-type": "application/json", "host": "sms.tencentcloudapi.com"}
        return tc3.sign(
            one["secret"], service=one["service"], seconds=one["seconds"], body=one["body"].encode(), signed=signed
        )
    told = acs3.headers(
        key_id="id",
        secret=one["secret"],
        host=one["host"],
        action=one["action"],
        version="2017-05-25",
        params=one["params"],
        moment=datetime.fromtimestamp(one["seconds"], UTC),
        nonce=one["nonce"],
    )
    return told["authorization"].rpartition("Signature=")[2]


def theirs(one: dict[str, Any]) -> str:
    """The vendor's signature of the same request; runs in their environment."""
    moment = datetime.fromtimestamp(one["seconds"], UTC)
    if one["how"] == "tc3":
        from tencentcloud.common.abstract_client import AbstractClient
        from tencentcloud.common.credential import Credential
        from tencentcloud.common.http.request import RequestInternal

        client = AbstractClient(Credential("id", one["secret"]), "ap-guangzhou")
        asked = RequestInternal("sms.tencentcloudapi.com", "POST", "/", {}, one["body"])
        asked.header |= {"Content-Type": "application/json", "Host": "sms.tencentcloudapi.com"}
        asked.header["X-TC-Timestamp"] = str(one["seconds"])
        return str(client._get_tc3_signature({}, asked, f"{moment:%Y-%m-%d}", one["service"], one["secret"]))
    from alibabacloud_tea_openapi.utils import Utils
    from darabonba.request import DaraRequest

    empty = hashlib.sha256(b"").hexdigest()
    asked = DaraRequest()
    asked.method, asked.pathname, asked.query = "POST", "/", one["params"]
    asked.headers = {
        "host": one["host"],
        "x-acs-action": one["action"],
        "x-acs-version": "2017-05-25",
        "x-acs-date": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": one["nonce"],
        "x-acs-content-sha256": empty,
    }
    said: str = Utils.get_authorization(asked, "ACS3-HMAC-SHA256", empty, "id", one["secret"])
    return said.rpartition("Signature=")[2]


def compare(count: int, seed: int, keep: bool) -> int:
    """How many differ (the exit code is 1 when one does)."""
    python = HOME / "bin" / "python"
    if not python.exists():
        venv.create(HOME, with_pip=True, clear=True)
        subprocess.run([str(HOME / "bin" / "pip"), "install", "--quiet", *PACKAGES], check=True)
    made = requests(count, seed)
    answer = subprocess.run(
        [str(python), str(Path(__file__)), "theirs"], input=json.dumps(made), capture_output=True, text=True, check=True
    )
    said: list[str] = json.loads(answer.stdout)
    sys.path.insert(0, str(ROOT))
    wrong = [one for one, signature in zip(made, said, strict=True) if ours(one) != signature]
    print(f"{count} requests, {len(wrong)} signed otherwise than by {' and '.join(PACKAGES)}")
    if wrong:
        print(json.dumps(wrong[0], ensure_ascii=False, indent=1))
    if keep and not wrong:
        rows = [one | {"signature": signature} for one, signature in zip(made[:24], said[:24], strict=True)]
        lines = ",\n".join(json.dumps(row, ensure_ascii=True, sort_keys=True) for row in rows)
        KEPT.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    return len(wrong)


def main(argv: list[str]) -> int:
    if argv == ["theirs"]:
        print(json.dumps([theirs(one) for one in json.load(sys.stdin)]))
        return 0
    parser = argparse.ArgumentParser(prog="tools/vendor_signing.py", description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep 24 of them for the suite")
    said = parser.parse_args(argv)
    return int(compare(said.count, said.seed, said.keep) > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
