"""A pretend PayPal: tokens end, one batch for a `sender_batch_id`, items people claim or leave, signed webhooks."""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from rewards.payouts.paypal import PayPalSettings
from tests.rewards.payouts.standins.server import Call, Reply, StandIn
from tests.rewards.payouts.standins.wechatpay import certificate, key

CLIENT, SECRET, WEBHOOK = "AeA1QIZXiflr1_-client", "EGnHDxD_qRPdaLdZz8iCr8N7_MzF-secret", "1JE4291016473214C"
PAYOUTS = "/v1/payments/payouts"
WHOLE = ("HUF", "JPY", "TWD")


class PayPalStandIn(StandIn):
    """`batches` by our reference. `paid`: (receiver, currency, value) each time somebody really got money."""

    def __init__(self, *, claims: bool = False) -> None:
        super().__init__()
        self.claims = claims
        """Everybody has an account: a batch that was made has arrived when it is next asked about."""
        self.batches: dict[str, dict[str, Any]] = {}
        self.paid: list[tuple[str, str, str]] = []
        self.tokens: dict[str, float] = {}
        self.links = True
        """Whether a refused repeat says which batch it repeats."""

    def settings(self, **changes: Any) -> PayPalSettings:
        """What an operator would set to use this."""
        given: dict[str, Any] = {"client_id": CLIENT, "client_secret": SECRET, "webhook_id": WEBHOOK}
        return PayPalSettings(**(given | {"api_url": self.url} | changes))

    # What people do

    def claim(self, reference: str) -> None:
        """PayPal sends it, and the payee has an account."""
        item = self.item(reference)
        if item["transaction_status"] in ("PENDING", "UNCLAIMED"):
            self.stands(reference, "SUCCESS")
            amount = item["payout_item"]["amount"]
            self.paid.append((item["payout_item"]["receiver"], amount["currency"], amount["value"]))

    def stands(self, reference: str, status: str, error: str = "") -> None:
        """PayPal makes up its mind."""
        item = self.item(reference)
        item["transaction_status"] = status
        if error:
            item["errors"] = {"name": error, "message": "it is so"}
        self.batches[reference]["batch_header"]["batch_status"] = "SUCCESS"

    def deny(self, reference: str) -> None:
        """The whole batch is refused after it was taken."""
        batch = self.batches[reference]
        batch["batch_header"]["batch_status"] = "DENIED"
        batch["items"] = []

    def item(self, reference: str) -> dict[str, Any]:
        found: dict[str, Any] = self.batches[reference]["items"][0]
        return found

    # Notices

    def notice(
        self,
        reference: str,
        *,
        age: timedelta = timedelta(),
        signer: str = "paypal",
        webhook: str = WEBHOOK,
        cert: str = "",
        **changes: Any,
    ) -> tuple[dict[str, str], bytes]:
        """(headers, body) of the webhook about an item. `changes` are put into the item."""
        item = self.item(reference) | changes
        body = json.dumps(
            {
                "id": f"WH-{reference}-{item['transaction_status']}",
                "create_time": datetime.now(UTC).isoformat(),
                "resource_type": "payouts_item",
                "event_type": f"PAYMENT.PAYOUTS-ITEM.{item['transaction_status']}",
                "summary": "news of a payout",
                "resource": item,
            },
            separators=(",", ":"),
        ).encode()
        sent = (datetime.now(UTC) - age).isoformat(timespec="seconds").replace("+00:00", "Z")
        number = secrets.token_hex(16)
        signed = f"{number}|{sent}|{webhook}|{binascii.crc32(body)}".encode()
        return {
            "Paypal-Transmission-Id": number,
            "Paypal-Transmission-Time": sent,
            "Paypal-Transmission-Sig": base64.b64encode(key(signer).sign(signed, PKCS1v15(), SHA256())).decode(),
            "Paypal-Cert-Url": cert or f"{self.url}/v1/notifications/certs/CERT-360caa42-paypal",
            "Paypal-Auth-Algo": "SHA256withRSA",
        }, body

    # The wire

    def answer(self, call: Call) -> Reply:
        if call.path == "/v1/oauth2/token":
            return self._token(call)
        if call.path.startswith("/v1/notifications/certs/"):
            return Reply(200, certificate(call.path.rpartition("-")[2]).public_bytes(Encoding.PEM))
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) < time.monotonic():
            return self._say(
                401, {"error": "invalid_token", "error_description": "Token signature verification failed"}
            )
        if call.path == PAYOUTS:
            return self._make(call)
        if call.path.endswith("/cancel"):
            return self._cancel(call.path.split("/")[-2])
        number = call.path.removeprefix(f"{PAYOUTS}/")
        batch = next((one for one in self.batches.values() if one["batch_header"]["payout_batch_id"] == number), None)
        if batch is None:
            return self._refuse(404, "RESOURCE_NOT_FOUND")
        if self.claims and batch["items"]:
            self.claim(batch["batch_header"]["sender_batch_header"]["sender_batch_id"])
        return self._say(200, batch)

    def _token(self, call: Call) -> Reply:
        login = base64.b64decode(call.headers.get("authorization", "").removeprefix("Basic ")).decode()
        if login != f"{CLIENT}:{SECRET}" or call.body != b"grant_type=client_credentials":
            self.violations.append("a stranger asked for a token")
            return self._say(401, {"error": "invalid_client"})
        token = secrets.token_urlsafe(40)
        self.tokens[token] = time.monotonic() + 32_400
        return self._say(200, {"access_token": token, "token_type": "Bearer", "expires_in": 32_400})

    def _make(self, call: Call) -> Reply:
        asked = call.json
        header, (item,) = asked["sender_batch_header"], asked["items"]
        reference, amount = header["sender_batch_id"], item["amount"]
        if reference in self.batches:
            return self._repeat(self.batches[reference])
        pattern = r"\d+" if amount["currency"] in WHOLE else r"\d+\.\d\d"
        if not isinstance(amount["value"], str) or not re.fullmatch(pattern, amount["value"]):
            self.violations.append(f"an amount PayPal does not take: {amount}")
        if item["recipient_type"] == "EMAIL" and "@" not in item["receiver"]:
            return self._refuse(400, "VALIDATION_ERROR", "items[0].receiver", "Receiver is invalid")
        number = secrets.token_hex(7).upper()
        batch_header = {"payout_batch_id": number, "batch_status": "PENDING", "sender_batch_header": header}
        self.batches[reference] = {
            "batch_header": batch_header,
            "items": [
                {
                    "payout_item_id": secrets.token_hex(7).upper(),
                    "transaction_id": secrets.token_hex(8).upper(),
                    "transaction_status": "PENDING",
                    "payout_batch_id": number,
                    "sender_batch_id": reference,
                    "payout_item": item,
                }
            ],
        }
        return self._say(201, {"batch_header": batch_header})

    def _repeat(self, batch: dict[str, Any]) -> Reply:
        link = {
            "href": f"https://api-m.sandbox.paypal.com{PAYOUTS}/{batch['batch_header']['payout_batch_id']}",
            "rel": "self",
            "method": "GET",
        }
        detail: dict[str, Any] = {"field": "SENDER_BATCH_ID", "location": "body"}
        detail["issue"] = "Batch with given sender_batch_id already exists"
        if self.links:
            detail["link"] = [link]
        body = {"name": "USER_BUSINESS_ERROR", "message": "User business error.", "debug_id": "4854e55f0e1b3"}
        docs = "https://developer.paypal.com/docs/api/payments.payouts-batch/#errors"
        return self._say(400, body | {"information_link": docs, "details": [detail]})

    def _cancel(self, number: str) -> Reply:
        found = next((one for one in self.batches.values() if one["items"][0]["payout_item_id"] == number), None)
        if found is None or found["items"][0]["transaction_status"] != "UNCLAIMED":
            return self._refuse(400, "ITEM_ALREADY_COMPLETED" if found else "RESOURCE_NOT_FOUND")
        found["items"][0]["transaction_status"] = "RETURNED"
        return self._say(200, found["items"][0])

    def _refuse(self, status: int, name: str, field: str = "", issue: str = "") -> Reply:
        detail = [{"field": field, "issue": issue}] if field else []
        return self._say(
            status, {"name": name, "message": name.lower(), "debug_id": "53d95c3d17ae5", "details": detail}
        )

    def _say(self, status: int, body: Any) -> Reply:
        return Reply(status, json.dumps(body).encode(), {"content-type": "application/json"})
