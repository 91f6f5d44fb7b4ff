#!/usr/bin/env python3
"""A small client of the settlement interface: Python 3, standard library only.

It shows what a hospital's system has to do: one message id for each request, kept from the first try to the last; after a
time-out ask what became of it, and send again only what was not received; at the end of the day reconcile.

    python3 settlement_client.py http://127.0.0.1:8080 KEY pre-settle bill.json
    python3 settlement_client.py http://127.0.0.1:8080 KEY settle bill.json
    python3 settlement_client.py http://127.0.0.1:8080 KEY cancel ZY1 "charged twice"
    python3 settlement_client.py http://127.0.0.1:8080 KEY reconcile 2026-03-05 day.json

bill.json is one bill as docs/howto/settlement-interface.md shows it; day.json is a list of the day's bills, each as line_of
keeps it of the answer to settle:

    [{ "number": "ZY1", "status": "settled", "total": "30000.00", "own_share": "7312.00",
       "funds": [{ "fund": "basic", "amount": "22688.00" }] }]
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

TIMEOUT_SECONDS = 10
# Asking goes on so long: a request that is not done within a minute was broken off, and may be sent again.
PATIENCE_SECONDS = 90
PAUSE_SECONDS = 2


class Refused(Exception):
    """The interface says no: status, code, message, what to do next."""

    def __init__(self, status, body):
        self.status, self.body = status, body
        self.code = body.get("code")
        super().__init__(f"{status} {self.code}: {body.get('message')} {body.get('mend')}")


class Unknown(Exception):
    """Nobody knows what became of the request: no answer came, or a fault."""


class Client:
    """One client, with its key."""

    def __init__(self, base, key, timeout=TIMEOUT_SECONDS):
        self.base, self.key, self.timeout = base.rstrip("/"), key, timeout

    def _call(self, method, path, body=None, message_id=None):
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        if message_id is not None:
            headers["Idempotency-Key"] = message_id
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.base}/api/v1/settlement/{path}", data=data, headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code >= 500:
                raise Unknown(error.code) from error
            try:
                said = json.loads(error.read() or b"{}")
            except json.JSONDecodeError:
                # Not ours: something on the way answered, so nobody knows whether the request came in.
                raise Unknown(error.code) from error
            said["retry_after"] = error.headers.get("Retry-After")
            raise Refused(error.code, said) from error
        except (urllib.error.URLError, TimeoutError, ConnectionError, json.JSONDecodeError) as error:
            raise Unknown(str(error)) from error

    def pre_settle(self, bill):
        """Every layer; nothing is written, so it may be sent as often as one likes."""
        return self._call("POST", "pre-settle", bill)

    def what_became_of(self, message_id):
        """answered (with the answer), in_progress, or not_received."""
        return self._call("GET", "requests/" + urllib.parse.quote(message_id, safe=""))

    def receipt(self, bill_id):
        """A bill as it stands; if it was settled again, the latest."""
        return self._call("GET", f"receipts/{bill_id}")

    def once(self, operation, body, message_id):
        """Does a request exactly once, however often the line breaks. Keep the message id with the request."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._call("POST", operation, body, message_id)
            except Unknown:
                answer = self._ask_until(message_id, until)
            except Refused as refused:
                if refused.status in (408, 429) and time.monotonic() < until:
                    time.sleep(float(refused.body["retry_after"] or PAUSE_SECONDS))
                    continue
                if refused.code != "in_progress":
                    raise
                time.sleep(float(refused.body["retry_after"] or PAUSE_SECONDS))
                answer = self._ask_until(message_id, until)
            if answer is not None:
                return answer
            # It did not come in: the same again, with the same message id.

    def _ask_until(self, message_id, until):
        """The answer, or None once it is sure that the request was not done."""
        while time.monotonic() < until:
            try:
                said = self.what_became_of(message_id)
            except Unknown:
                said = {"state": "unreachable"}
            if said["state"] == "answered":
                return said["answer"]
            if said["state"] == "not_received":
                return None
            time.sleep(PAUSE_SECONDS)
        raise Unknown(f"{message_id}: ask again later; do not settle under another message id")

    def settle(self, bill, message_id=None):
        """Settles a bill once."""
        return self.once("settle", bill, message_id or new_message_id())

    def correct(self, bill, reason, message_id=None):
        """Replaces the bill of that number by this one."""
        return self.once("correct", {**bill, "reason": reason}, message_id or new_message_id())

    def cancel(self, number, reason, message_id=None):
        """Cancels the bill of that number."""
        return self.once("cancel", {"number": number, "reason": reason}, message_id or new_message_id())

    def reconcile(self, day, bills, message_id=None):
        """Sends the totals of a day; where they differ, the bills one by one. Answers what differs."""
        settled = [bill for bill in bills if bill["status"] == "settled"]
        totals = {
            "bills": len(settled),
            "total": sum_of(bill["total"] for bill in settled),
            "own_share": sum_of(bill["own_share"] for bill in settled),
        }
        said = self.once("reconcile", {"day": day, "totals": totals}, message_id or new_message_id())
        if not said["needs_bills"]:
            return said
        return self.once("reconcile", {"day": day, "bills": bills}, new_message_id())


def new_message_id():
    """Unique in the hospital. A real system takes it from its own message log, so that it survives a restart."""
    return "HIS-" + uuid.uuid4().hex


def line_of(answer):
    """What a hospital keeps of an answer for the end of the day."""
    return {
        "number": answer["number"],
        "receipt": answer["receipt"],
        "status": "settled",
        "total": answer["total"],
        "own_share": answer["own_share"],
        "funds": [{"fund": fund["fund"], "amount": fund["amount"]} for fund in answer["funds"]],
    }


def sum_of(amounts):
    """Adds amounts as fen: never as floats."""
    fen = sum(fen_of(amount) for amount in amounts)
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def fen_of(amount):
    sign = -1 if amount.startswith("-") else 1
    yuan, fen = amount.lstrip("-").split(".")
    return sign * (int(yuan) * 100 + int(fen))


def main(arguments):
    if len(arguments) < 4:
        print(__doc__)
        return 2
    base, key, command, *rest = arguments
    client = Client(base, key)

    def read(path, shape):
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        if not isinstance(content, shape):
            raise ValueError(f"{path}: a {shape.__name__} is wanted, see above")
        return content

    try:
        if command == "pre-settle":
            said = client.pre_settle(read(rest[0], dict))
        elif command == "settle":
            said = client.settle(read(rest[0], dict), *rest[1:2])
        elif command == "cancel":
            said = client.cancel(rest[0], rest[1])
        elif command == "reconcile":
            said = client.reconcile(rest[0], read(rest[1], list))
        else:
            print(__doc__)
            return 2
    except (IndexError, OSError, ValueError) as wrong:
        print(f"{__doc__}\n{wrong}", file=sys.stderr)
        return 2
    except Refused as refused:
        print(json.dumps(refused.body, ensure_ascii=False, indent=2), file=sys.stderr)
        return 1
    print(json.dumps(said, ensure_ascii=False, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
