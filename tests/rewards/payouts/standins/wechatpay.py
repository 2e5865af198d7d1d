"""A pretend WeChat Pay: checks how we sign, signs what it says, and lets people confirm transfers or let them lapse."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from rewards.payouts.wechatpay import WeChatPaySettings
from tests.rewards.payouts.standins.server import Call, Reply, StandIn

MCHID, APPID, APIV3_KEY, SERIAL = "1900000001", "wxd678efh567hg6787", "0123456789abcdef0123456789abcdef", "5157F09E"
KEY_ID = "PUB_KEY_ID_0119000000012026"
BILLS = "/v3/fund-app/mch-transfer/transfer-bills"
_AUTH = re.compile(r'(\w+)="([^"]*)"')


@cache
def key(name: str) -> RSAPrivateKey:
    """The key of this name, made once per test run."""
    return generate_private_key(65537, 2048)


def private_pem(name: str) -> str:
    return key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(name: str) -> str:
    return key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@cache
def certificate(name: str) -> x509.Certificate:
    """A certificate of this key, valid now."""
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key(name).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key(name), SHA256())
    )


class WeChatPayStandIn(StandIn):
    """`bills` by our reference. `paid`: (openid, fen) each time somebody really got money."""

    def __init__(self, *, by_key: bool = True, confirms: bool = False) -> None:
        super().__init__()
        self.by_key = by_key
        self.confirms = confirms
        """People confirm at once: a transfer that was made has arrived when it is next asked about."""
        self.bills: dict[str, dict[str, Any]] = {}
        self.paid: list[tuple[str, int]] = []
        self.names: dict[str, str] = {}
        self.signs_with = "platform"

    def settings(self, **changes: Any) -> WeChatPaySettings:
        """What an operator would set to use this."""
        platform = {"public_key": public_pem("platform"), "public_key_id": KEY_ID} if self.by_key else {}
        given: dict[str, Any] = {
            "mchid": MCHID,
            "appid": APPID,
            "cert_serial_no": SERIAL,
            "private_key": private_pem("merchant"),
            "apiv3_key": APIV3_KEY,
            "notify_url": "https://invite.example.com/hooks/wechatpay",
            "api_url": self.url,
            "settle": 0.0,
            "scene_infos": (("活动名称", "老带新"), ("奖励说明", "推荐奖励")),
        }
        return WeChatPaySettings(**(given | platform | changes))

    @property
    def serial(self) -> str:
        return KEY_ID if self.by_key else f"{certificate('platform').serial_number:X}"

    # What people do

    def confirm(self, reference: str) -> None:
        """The payee presses the button in WeChat."""
        bill = self.bills[reference]
        if bill["state"] == "WAIT_USER_CONFIRM":
            bill["state"] = "SUCCESS"
            self.paid.append((bill["openid"], bill["transfer_amount"]))

    def lapse(self, reference: str) -> None:
        """24 hours pass without a confirmation."""
        self.bills[reference] |= {"state": "FAIL", "fail_reason": "OVERDUE_CLOSE"}

    # Notices

    def notice(self, reference: str, *, age: int = 0, signer: str = "platform", **changes: Any) -> tuple[Any, bytes]:
        """(headers, body) of the notice of a transfer's end. `changes` are put into what it says."""
        bill = self.bills.get(reference, {"out_bill_no": reference, "state": "SUCCESS", "transfer_amount": 100})
        said = {**bill, "mch_id": MCHID, **changes}
        nonce = secrets.token_hex(6)
        sealed = AESGCM(APIV3_KEY.encode()).encrypt(nonce.encode(), json.dumps(said).encode(), b"mch_payment")
        body = json.dumps(
            {
                "id": f"EV-{reference}-{said['state']}",
                "create_time": "2026-11-22T13:29:35+08:00",
                "resource_type": "encrypt-resource",
                "event_type": "MCHTRANSFER.BILL.FINISHED",
                "summary": "商家转账单据终态通知",
                "resource": {
                    "original_type": "mch_payment",
                    "algorithm": "AEAD_AES_256_GCM",
                    "ciphertext": base64.b64encode(sealed).decode(),
                    "associated_data": "mch_payment",
                    "nonce": nonce,
                },
            },
            ensure_ascii=False,
        ).encode()
        return self._signed(body, signer, int(time.time()) - age), body

    # The wire

    def answer(self, call: Call) -> Reply:
        refused = self._check_signature(call)
        if refused:
            self.violations.append(f"{call.method} {call.path}: {refused}")
            return self._say(401, {"code": "SIGN_ERROR", "message": refused})
        if call.path == "/v3/certificates":
            return self._say(200, {"data": [self._sealed_certificate()]})
        if call.path == BILLS:
            return self._make(call)
        reference, _, action = call.path.removeprefix(f"{BILLS}/out-bill-no/").partition("/")
        bill = self.bills.get(reference)
        if bill is None:
            return self._say(404, {"code": "NOT_FOUND", "message": "记录不存在"})
        return self._cancel(bill) if action == "cancel" else self._tell(bill)

    def _make(self, call: Call) -> Reply:
        asked = call.json
        reference = asked["out_bill_no"]
        if not re.fullmatch(r"[0-9A-Za-z]{5,32}", reference) or not isinstance(asked["transfer_amount"], int):
            self.violations.append(f"a transfer that cannot be: {asked}")
            return self._say(400, {"code": "PARAM_ERROR", "message": "参数错误"})
        known = self.bills.get(reference)
        if known is not None:
            if any(known[name] != asked[name] for name in ("openid", "transfer_amount", "transfer_scene_id")):
                return self._say(400, {"code": "INVALID_REQUEST", "message": "请求重入时参数与首次不一致"})
            return self._tell(known)
        if "user_name" in asked:
            name = key("platform").decrypt(base64.b64decode(asked["user_name"]), OAEP(MGF1(SHA1()), SHA1(), None))
            self.names[reference] = name.decode()
        elif asked["transfer_amount"] >= 200_000:
            self.violations.append("no name with 2,000 yuan")
        self.bills[reference] = {
            "out_bill_no": reference,
            "transfer_bill_no": f"1330000071100999991182020050700{len(self.bills):06}",
            "openid": asked["openid"],
            "transfer_amount": asked["transfer_amount"],
            "transfer_scene_id": asked["transfer_scene_id"],
            "state": "WAIT_USER_CONFIRM",
            "package_info": f"affffddafdfafddffda=={reference[:6]}",
        }
        bill = self.bills[reference]
        said = {name: bill[name] for name in ("out_bill_no", "transfer_bill_no", "state", "package_info")}
        return self._say(200, said | {"create_time": "2026-11-22T13:29:35+08:00"})

    def _tell(self, bill: dict[str, Any]) -> Reply:
        if self.confirms:
            self.confirm(bill["out_bill_no"])
        return self._say(200, {"mch_id": MCHID, "appid": APPID} | bill)

    def _cancel(self, bill: dict[str, Any]) -> Reply:
        if bill["state"] != "WAIT_USER_CONFIRM":
            return self._say(400, {"code": "INVALID_REQUEST", "message": "当前状态不支持撤销"})
        bill["state"] = "CANCELLED"  # at once for who asks later; the answer says that it was heard
        said = {"out_bill_no": bill["out_bill_no"], "transfer_bill_no": bill["transfer_bill_no"], "state": "CANCELING"}
        return self._say(200, said)

    def _check_signature(self, call: Call) -> str | None:
        scheme, _, rest = call.headers.get("authorization", "").partition(" ")
        given = dict(_AUTH.findall(rest))
        if scheme != "WECHATPAY2-SHA256-RSA2048" or (given.get("mchid"), given.get("serial_no")) != (MCHID, SERIAL):
            return "签名信息不对"
        if abs(time.time() - int(given["timestamp"])) > 300:
            return "时间戳过期"
        signed = "".join(
            f"{part}\n" for part in (call.method, call.path, given["timestamp"], given["nonce_str"], call.body.decode())
        )
        try:
            key("merchant").public_key().verify(
                base64.b64decode(given["signature"]), signed.encode(), PKCS1v15(), SHA256()
            )
        except InvalidSignature:
            return "签名错误"
        return None

    def _say(self, status: int, body: Any) -> Reply:
        text = json.dumps(body, ensure_ascii=False).encode()
        return Reply(status, text, {"content-type": "application/json; charset=utf-8"} | self._signed(text))

    def _signed(self, body: bytes, signer: str | None = None, stamp: int | None = None) -> dict[str, str]:
        stamp, nonce = stamp or int(time.time()), secrets.token_hex(8)
        text = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
        signature = key(signer or self.signs_with).sign(text, PKCS1v15(), SHA256())
        return {
            "Wechatpay-Timestamp": str(stamp),
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": base64.b64encode(signature).decode(),
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
            "Wechatpay-Serial": self.serial,
        }

    def _sealed_certificate(self) -> dict[str, Any]:
        shown = certificate("platform")
        text, nonce = shown.public_bytes(Encoding.PEM), secrets.token_hex(6)
        sealed = AESGCM(APIV3_KEY.encode()).encrypt(nonce.encode(), text, b"certificate")
        return {
            "serial_no": f"{shown.serial_number:X}",
            "effective_time": shown.not_valid_before_utc.isoformat(),
            "expire_time": shown.not_valid_after_utc.isoformat(),
            "encrypt_certificate": {
                "algorithm": "AEAD_AES_256_GCM",
                "nonce": nonce,
                "associated_data": "certificate",
                "ciphertext": base64.b64encode(sealed).decode(),
            },
        }
