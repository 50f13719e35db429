"""Stripe and PayPal on this machine, as far as payouts need them, in the shapes that both document.

It keeps what it did, so that what matters can be asked of it: how much money left, how often. `faults` are used up by
requests that move money, one each: "lost" does it and hangs up, "never" hangs up first, "late 500" does it and says
500, "500" and "429" do nothing, "garbled" does it and answers half a sentence.
"""

import base64
import hashlib
import hmac
import itertools
import json
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

STRIPE_KEY, STRIPE_SECRET = "sk_test_invented", "whsec_invented"
PAYPAL_ID, PAYPAL_SECRET, PAYPAL_WEBHOOK = "client-invented", "secret-invented", "8PT597110X687430L"
MOVES_MONEY = ("/v1/transfers", "/v1/payments/payouts")


class HangUp(Exception):
    pass


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(status)
        self.status, self.body = status, body


class FakeProvider(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.lock = threading.RLock()
        self.numbers = itertools.count(1)
        self.faults, self.asked = [], []
        self.events = []  # (headers, body), in the order they happened
        self.stripe_funds = self.paypal_funds = 10**9
        self.transfers, self.accounts, self.remembered = {}, {}, {}
        self.batches, self.lines, self.report = {}, {}, []
        self.tokens, self.transmissions = set(), {}
        self.links_to_duplicates = True

    def number(self):
        return next(self.numbers)

    def do(self, method, path, query, headers, body):
        """What a request answers: a status and an object."""
        with self.lock:
            self.asked.append((method, path))
            fault = self.faults.pop(0) if self.faults and method == "POST" and path in MOVES_MONEY else ""
            if fault == "never":
                raise HangUp
            if fault == "429":
                return 429, {"error": {"type": "rate_limit_error"}, "name": "RATE_LIMIT_REACHED"}
            try:
                if path.startswith(("/v1/transfers", "/v1/accounts", "/v1/account_links")):
                    done = self.stripe(method, path, query, headers, body, fails=fault == "500")
                elif fault == "500":
                    raise Refused(500, {"name": "INTERNAL_SERVICE_ERROR"})
                else:
                    done = self.paypal(method, path, query, headers, body)
            except Refused as refused:
                done = refused.status, refused.body
            if fault == "lost":
                raise HangUp
            return {"late 500": (502, {}), "garbled": (200, None)}.get(fault, done)

    # Stripe

    def stripe(self, method, path, query, headers, body, *, fails):
        if headers.get("Authorization") != f"Bearer {STRIPE_KEY}":
            raise Refused(401, stripe_error("invalid_request_error"))
        typed, key = dict(parse_qsl(body.decode())), headers.get("Idempotency-Key")
        if method == "GET":
            return 200, self.stripe_read(path, query)
        if key in self.remembered:
            before, status, answer = self.remembered[key]
            if before != (path, typed):
                raise Refused(400, stripe_error("idempotency_error"))
            return status, answer
        try:
            if fails:
                raise Refused(500, stripe_error("api_error"))
            status, answer = 200, self.stripe_write(path, typed)
        except Refused as refused:
            status, answer = refused.status, refused.body
        if key:
            self.remembered[key] = (path, typed), status, answer
        return status, answer

    def stripe_write(self, path, typed):
        if path == "/v1/accounts":
            account = {"id": f"acct_{self.number()}", "capabilities": {"transfers": "inactive"}}
            return self.accounts.setdefault(account["id"], {**account, "payouts_enabled": False})
        if path == "/v1/account_links":
            return {"url": f"https://connect.stripe.test/setup/{typed['account']}", "expires_at": 0}
        account = self.accounts.get(typed["destination"])
        if account is None:
            raise Refused(400, stripe_error("invalid_request_error", "resource_missing"))
        if account["capabilities"]["transfers"] != "active":
            raise Refused(
                400, stripe_error("invalid_request_error", "insufficient_capabilities_for_transfer")
            )
        cents = int(typed["amount"])
        if cents > self.stripe_funds:
            raise Refused(400, stripe_error("invalid_request_error", "balance_insufficient"))
        self.stripe_funds -= cents
        return self.add_transfer(cents, typed["transfer_group"], destination=account["id"])

    def add_transfer(self, cents, group, **fields):
        """Also for what somebody did by hand at the provider."""
        transfer = {
            "id": f"tr_{self.number():06}",
            "object": "transfer",
            "amount": cents,
            "amount_reversed": 0,
            "currency": "usd",
            "created": int(time.time()),
            "reversed": False,
            "transfer_group": group,
            **fields,
        }
        self.transfers[transfer["id"]] = transfer
        self.tell_of_transfer("transfer.created", transfer)
        return dict(transfer)

    def stripe_read(self, path, query):
        kind, _, name = path.removeprefix("/v1/").partition("/")
        if name:
            found = getattr(self, kind).get(name)
            if found is None:
                raise Refused(404, stripe_error("invalid_request_error", "resource_missing"))
            return dict(found)
        rows = sorted(self.transfers.values(), key=lambda row: row["id"], reverse=True)
        if group := query.get("transfer_group"):
            rows = [row for row in rows if row["transfer_group"] == group]
        rows = [row for row in rows if row["created"] >= int(query.get("created[gte]", 0))]
        if after := query.get("starting_after"):
            rows = [row for row in rows if row["id"] < after]
        limit = int(query.get("limit", 10))
        return {"object": "list", "data": [dict(row) for row in rows[:limit]], "has_more": len(rows) > limit}

    def add_account(self, *, is_ready=True):
        state = "active" if is_ready else "inactive"
        account = {"id": f"acct_{self.number()}", "capabilities": {"transfers": state}}
        self.accounts[account["id"]] = {**account, "payouts_enabled": is_ready}
        return account["id"]

    def give_back(self, transfer, cents=None):
        """A reversal, of all of it or a part."""
        row = self.transfers[transfer["id"]]
        row["amount_reversed"] += cents or row["amount"]
        row["reversed"] = row["amount_reversed"] == row["amount"]
        self.stripe_funds += cents or row["amount"]
        self.tell_of_transfer("transfer.reversed", row)

    def tell_of_transfer(self, kind, transfer):
        event = {"id": f"evt_{self.number()}", "object": "event", "type": kind, "data": {"object": transfer}}
        body = json.dumps(event).encode()
        self.events.append(({"Stripe-Signature": stripe_signature(body)}, body))

    # PayPal

    def paypal(self, method, path, query, headers, body):
        if path == "/v1/oauth2/token":
            return 200, self.paypal_token(headers)
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise Refused(401, {"error": "invalid_token"})
        if path == "/v1/notifications/verify-webhook-signature":
            return 200, self.paypal_verify(json.loads(body))
        if path == "/v1/reporting/transactions":
            return 200, self.paypal_report(query)
        if method == "POST":
            return 201, self.paypal_pay(json.loads(body))
        number = path.rpartition("/")[2]
        found = [
            batch for batch in self.batches.values() if batch["batch_header"]["payout_batch_id"] == number
        ]
        if not found:
            raise Refused(404, {"name": "INVALID_RESOURCE_ID"})
        return 200, found[0]

    def paypal_token(self, headers):
        pair = base64.b64encode(f"{PAYPAL_ID}:{PAYPAL_SECRET}".encode()).decode()
        if headers.get("Authorization") != f"Basic {pair}":
            raise Refused(401, {"error": "invalid_client"})
        token = f"A21-{self.number()}"
        self.tokens.add(token)
        return {"access_token": token, "token_type": "Bearer", "expires_in": 32_400}

    def paypal_pay(self, asked):
        name, [item] = asked["sender_batch_header"]["sender_batch_id"], asked["items"]
        if name in self.batches:
            number = self.batches[name]["batch_header"]["payout_batch_id"]
            link = {"href": f"https://elsewhere.test/v1/payments/payouts/{number}", "rel": "self"}
            issue = {"field": "SENDER_BATCH_ID", "issue": "Duplicate batch request"}
            links = [link] if self.links_to_duplicates else []
            raise Refused(400, {"name": "USER_BUSINESS_ERROR", "details": [issue], "links": links})
        if not item["receiver"].endswith(".test"):
            issue = {"field": "items[0].receiver", "issue": "Receiver is invalid or does not match with type"}
            raise Refused(400, {"name": "VALIDATION_ERROR", "details": [issue]})
        cents = paypal_cents(item["amount"])
        if cents > self.paypal_funds:
            raise Refused(422, {"name": "INSUFFICIENT_FUNDS"})
        self.paypal_funds -= cents
        header = {
            "payout_batch_id": f"BATCH{self.number():08}",
            "batch_status": "PENDING",
            "sender_batch_header": asked["sender_batch_header"],
        }
        self.batches[name] = {"batch_header": header, "items": []}
        self.lines[name] = {"payout_item_id": f"ITEM{self.number():08}", "payout_item": item}
        return {"batch_header": header}

    def process(self, key, state="SUCCESS"):
        """An item comes into a state, and its batch, once, to success."""
        batch, line = self.batches[str(key)], self.lines[str(key)]
        line["transaction_status"] = state
        line.setdefault("transaction_id", f"TX{self.number():010}")
        if not batch["items"]:
            batch["items"], batch["batch_header"]["batch_status"] = [line], "SUCCESS"
        if state == "SUCCESS":
            self.add_line(line["transaction_id"], paypal_cents(line["payout_item"]["amount"]))
        if state in ("RETURNED", "REFUNDED", "REVERSED", "FAILED", "BLOCKED"):
            self.paypal_funds += paypal_cents(line["payout_item"]["amount"])
        self.tell_of_item(f"PAYMENT.PAYOUTS-ITEM.{state}", {**line, "sender_batch_id": str(key)})

    def add_line(self, transaction, cents):
        """One line of the report, also of what somebody did by hand."""
        self.report.append(
            {
                "transaction_id": transaction,
                "transaction_event_code": "T0001",
                "transaction_initiation_date": datetime.now(UTC),
                "transaction_amount": {"currency_code": "USD", "value": f"-{cents // 100}.{cents % 100:02}"},
                "transaction_status": "S",
            }
        )

    def paypal_report(self, query):
        start, end = (datetime.fromisoformat(query[name]) for name in ("start_date", "end_date"))
        if end - start > timedelta(days=31):
            raise Refused(400, {"name": "INVALID_REQUEST"})
        rows = [
            {
                "transaction_info": {
                    **line,
                    "transaction_initiation_date": line["transaction_initiation_date"].isoformat(),
                }
            }
            for line in self.report
            if start <= line["transaction_initiation_date"] <= end + timedelta(seconds=1)
            and line["transaction_event_code"] == query["transaction_type"]
        ]
        page, size = int(query["page"]), min(int(query["page_size"]), 2)  # two, so that there are pages
        pages = -(-len(rows) // size)
        return {
            "transaction_details": rows[(page - 1) * size : page * size],
            "total_pages": pages,
            "page": page,
        }

    def tell_of_item(self, kind, resource):
        event = {"id": f"WH-{self.number()}", "event_type": kind, "resource": resource}
        body = json.dumps(event, indent=1).encode()
        headers = {
            "PayPal-Auth-Algo": "SHA256withRSA",
            "PayPal-Cert-Url": "https://api.paypal.test/certs/CERT-1",
            "PayPal-Transmission-Id": f"tm-{self.number()}",
            "PayPal-Transmission-Sig": hashlib.sha256(body).hexdigest(),
            "PayPal-Transmission-Time": "2026-11-23T00:00:00Z",
        }
        self.transmissions[headers["PayPal-Transmission-Id"]] = headers, event
        self.events.append((headers, body))

    def paypal_verify(self, asked):
        headers, event = self.transmissions.get(asked["transmission_id"], ({}, None))
        is_right = (
            asked["webhook_id"] == PAYPAL_WEBHOOK
            and asked["webhook_event"] == event
            and asked["transmission_sig"] == headers["PayPal-Transmission-Sig"]
        )
        return {"verification_status": "SUCCESS" if is_right else "FAILURE"}

    # What is asked of it by tests

    def out_by_stripe(self):
        return sum(row["amount"] - row["amount_reversed"] for row in self.transfers.values())


class Handler(BaseHTTPRequestHandler):
    def answer(self):
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, found = self.server.do(
                self.command, parts.path, dict(parse_qsl(parts.query)), self.headers, body
            )
        except HangUp:
            self.close_connection = True
            return
        sent = b'{"id": "tr_' if found is None else json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = answer

    def log_message(self, *arguments):
        return


def stripe_error(kind, code=None):
    return {"error": {"type": kind, "code": code, "message": "Invented."}}


def stripe_signature(body, *, secret=STRIPE_SECRET, at=None):
    at = int(time.time()) if at is None else at
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed},v0=ignored"


def paypal_cents(amount):
    whole, _, part = amount["value"].partition(".")
    return int(whole) * 100 + int(part)


@contextmanager
def fake_provider():
    server = FakeProvider()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
