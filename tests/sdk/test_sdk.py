"""Drives the vendor simulator with the vendor's own unmodified SDK and compares every row with the truth.

    python -m venv .venv && .venv/bin/pip install -r tests/sdk/requirements.txt
    cargo build --package vendor-sim
    .venv/bin/python tests/sdk/test_sdk.py target/debug/vendor-sim
    .venv/bin/python tests/sdk/test_sdk.py http://127.0.0.1:PORT truth.json     # one that runs already

Prints `N passed, 0 failed`; exits 1 when something failed.
"""

import json
import os
import subprocess
import sys
import tempfile
from decimal import Decimal

import requests
from huaweicloudsdkbss.v2 import (
    BssClient,
    ListCustomerOrdersRequest,
    ListPayPerUseCustomerResourcesRequest,
    ListResourceTypesRequest,
    ListServiceTypesRequest,
    ListSubCustomersRequest,
    QueryResourcesReq,
    QuerySubCustomerListReq,
    ShowCustomerOrderDetailsRequest,
    ShowRefundOrderDetailsRequest,
)
from huaweicloudsdkcore.auth.credentials import GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

OWNER = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
PARTNER = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"
CUSTOMER_KEY = ("SIMCUSTOMERKEY000001", "SimCustomerSecret0000000000000000000001", OWNER)
PARTNER_KEY = ("SIMPARTNERKEY0000001", "SimPartnerSecret00000000000000000000001", PARTNER)
TEMPORARY_KEY = ("SIMTEMPORARYKEY00001", "SimTemporarySecret000000000000000000001", OWNER)
SECURITY_TOKEN = "SimSecurityTokenMadeUpForTests/+=="
POWERLESS_KEY = ("SIMPOWERLESSKEY00001", "SimPowerlessSecret000000000000000000001", OWNER)
USER = {"name": "sim_sync_user", "password": "SimCustomerPassword!1", "domain": "sim_customer"}

passed, failures = 0, []


def check(condition, what):
    """Counts one comparison."""
    global passed
    if condition:
        passed += 1
    else:
        failures.append(what)


def client(url, key, security_token=None):
    access, secret, domain = key
    credentials = GlobalCredentials(access, secret, domain)
    if security_token:
        credentials = credentials.with_security_token(security_token)
    return BssClient.new_builder().with_credentials(credentials).with_endpoint(url).build()


def same(model, truth, path):
    """Compares an SDK value with the truth's JSON, field by field; numbers as exact as the SDK keeps them."""
    if isinstance(truth, list):
        check(isinstance(model, list) and len(model) == len(truth), f"{path}: {len(truth)} elements")
        for position, (left, right) in enumerate(zip(model or [], truth)):
            same(left, right, f"{path}[{position}]")
    elif isinstance(truth, dict):
        known = {name: attribute for attribute, name in model.attribute_map.items()}
        for name in truth:
            check(name in known, f"{path}.{name}: the SDK does not know the field")
        for name, attribute in known.items():
            kind = model.openapi_types[attribute]
            value, expected = getattr(model, attribute), truth.get(name)
            if isinstance(expected, (dict, list)):
                same(value, expected, f"{path}.{name}")
            elif expected is None:
                check(value is None, f"{path}.{name}: {value!r} instead of nothing")
            elif kind == "float":
                check(value == float(expected), f"{path}.{name}: {value!r} != {expected}")
            elif kind == "decimal.Decimal":
                check(Decimal(value) == Decimal(expected), f"{path}.{name}: {value!r} != {expected}")
            else:
                check(value == expected, f"{path}.{name}: {value!r} != {expected!r}")
    else:
        check(model == truth, f"{path}: {model!r} != {truth!r}")


def refused(status, code, call, what):
    """The call must fail with a status and a code."""
    try:
        call()
    except ClientRequestException as error:
        got = (error.status_code, error.error_code)
        check(got == (status, code), f"{what}: {got} instead of {(status, code)}")
        check(bool(error.request_id), f"{what}: the answer has no request id")
    else:
        check(False, f"{what}: was not refused")


def paged(ask, limit):
    """All rows of a paged call; `ask(limit, offset)` gives (rows, total)."""
    rows = []
    while True:
        page, total = ask(limit, len(rows))
        rows.extend(page)
        if not page or len(rows) >= total:
            check(len(rows) == total, f"{len(rows)} rows of {total}")
            return rows


def orders(bss, **filters):
    def ask(limit, offset):
        request = ListCustomerOrdersRequest(
            limit=limit, offset=offset, order_by="createTime", **filters
        )
        answer = bss.list_customer_orders(request)
        return answer.order_infos, answer.total_count

    return paged(ask, 100)


def resources(bss, **filters):
    def ask(limit, offset):
        body = QueryResourcesReq(limit=limit, offset=offset, **filters)
        answer = bss.list_pay_per_use_customer_resources(
            ListPayPerUseCustomerResourcesRequest(body=body)
        )
        return answer.data, answer.total_count

    return paged(ask, 100)


def check_orders(customer, partner, truth):
    rows = orders(customer)
    check(len(rows) > 100, "the list has more than one page")
    same(rows, truth["orders_own"], "orders")
    same(orders(partner), truth["orders_partner"], "partner orders")
    second = truth["customers"][1]
    wanted = [row for row in truth["orders_partner"] if row["customer_id"] == second]
    same(orders(partner, customer_id=second), wanted, "orders of one customer")
    window = ("2025-10-31T16:00:00Z", "2026-10-31T16:00:00Z")
    wanted = [
        row for row in truth["orders_own"] if window[0] <= (row.get("payment_time") or "") <= window[1]
    ]
    rows = orders(customer, payment_time_begin=window[0], payment_time_end=window[1])
    same(rows, wanted, "paid orders")
    wanted = [row for row in truth["orders_own"] if row["status"] == 5 and row["order_type"] == 2]
    same(orders(customer, status=5, order_type="2"), wanted, "renewals")
    one = truth["orders_own"][3]
    same(orders(customer, order_id=one["order_id"].lower()), [one], "one order")


def check_details(customer, truth):
    own = {row["order_id"] for row in truth["orders_own"]}
    longest = 0
    for order_id, expected in truth["details"].items():
        if order_id not in own:
            continue

        def ask(limit, offset, order_id=order_id, expected=expected):
            answer = customer.show_customer_order_details(
                ShowCustomerOrderDetailsRequest(order_id=order_id, limit=limit, offset=offset)
            )
            if offset == 0:
                same(answer.order_info, expected["order_info"], f"details {order_id}")
            return answer.order_line_items, answer.total_count

        lines = paged(ask, 100)
        longest = max(longest, len(lines))
        same(lines, expected["order_line_items"], f"lines {order_id}")
    check(longest > 100, "one order has more lines than a page holds")


def check_refunds(customer, partner, truth):
    seen = 0
    for row in truth["orders_own"]:
        order_id, expected = row["order_id"], truth["refunds"][row["order_id"]]
        request = ShowRefundOrderDetailsRequest(order_id=order_id)
        if expected is None:
            if seen < 20:
                refused(
                    400,
                    "CBC.99005026",
                    lambda request=request: customer.show_refund_order_details(request),
                    f"refunds of {order_id}",
                )
            continue
        seen += 1
        answer = customer.show_refund_order_details(request)
        check(answer.total_count == len(expected), f"refunds {order_id}: total")
        same(answer.refund_infos, expected, f"refunds {order_id}")
        request = ShowRefundOrderDetailsRequest(order_id=order_id, customer_id=OWNER)
        same(partner.show_refund_order_details(request).refund_infos, expected, f"partner {order_id}")
    check(seen > 5, "there are refunds")
    refund = next(key for key, rows in truth["refunds"].items() if rows)
    request = ShowRefundOrderDetailsRequest(order_id=refund)
    refused(400, "CBC.0100", lambda: partner.show_refund_order_details(request), "without customer")


def check_resources(customer, partner, truth):
    everything = truth["resources_by_customer"]
    same(resources(customer), everything[OWNER], "resources")
    check(resources(partner) == [], "a partner without customer_id sees nothing")
    for customer_id, expected in everything.items():
        same(resources(partner, customer_id=customer_id), expected, f"resources of {customer_id}")
    by_id = {row["resource_id"]: row for row in everything[OWNER]}
    for row in truth["orders_own"][:40]:
        order_id = row["order_id"]
        found = {row.resource_id: row for row in resources(customer, order_id=order_id)}
        check(set(found) == set(truth["links"][order_id]), f"resources of {order_id}")
        for resource_id, model in found.items():
            same(model, by_id[resource_id], f"resource {resource_id}")


def check_catalogues(customer, partner, truth):
    def services(limit, offset):
        answer = customer.list_service_types(ListServiceTypesRequest(limit=limit, offset=offset))
        return answer.service_types, answer.total_count

    def types(limit, offset):
        answer = customer.list_resource_types(ListResourceTypesRequest(limit=limit, offset=offset))
        return answer.resource_types, answer.total_count

    def customers(limit, offset):
        body = QuerySubCustomerListReq(limit=limit, offset=offset)
        answer = partner.list_sub_customers(ListSubCustomersRequest(body=body))
        return answer.customer_infos, answer.count

    same(paged(services, 15), truth["service_types"], "service types")
    same(paged(types, 25), truth["resource_types"], "resource types")
    same(paged(customers, 2), truth["sub_customers"], "sub-customers")
    english = customer.list_service_types(
        ListServiceTypesRequest(x_language="en_US", limit=1, offset=0)
    )
    check(english.service_types[0].service_type_name == "Elastic Cloud Server", "English names")
    body = QuerySubCustomerListReq(limit=10, offset=0)
    request = ListSubCustomersRequest(body=body)
    refused(403, "CBC.0151", lambda: customer.list_sub_customers(request), "customers of a customer")


def check_credentials(url, truth):
    request = ListCustomerOrdersRequest(limit=1, offset=0, order_by="createTime")
    wrong = client(url, (CUSTOMER_KEY[0], "WrongSecret", OWNER))
    refused(401, "APIGW.0301", lambda: wrong.list_customer_orders(request), "wrong secret")
    unknown = client(url, ("NOBODYSKEY0000000001", CUSTOMER_KEY[1], OWNER))
    refused(401, "APIGW.0301", lambda: unknown.list_customer_orders(request), "unknown key")
    powerless = client(url, POWERLESS_KEY)
    refused(403, "CBC.0151", lambda: powerless.list_customer_orders(request), "no permission")
    temporary = client(url, TEMPORARY_KEY, SECURITY_TOKEN)
    answer = temporary.list_customer_orders(request)
    same(answer.order_infos, truth["orders_own"][:1], "temporary key")
    tokenless = client(url, TEMPORARY_KEY)
    refused(401, "APIGW.0301", lambda: tokenless.list_customer_orders(request), "no security token")
    too_much = ListCustomerOrdersRequest(limit=101, offset=0)
    refused(400, "CBC.0100", lambda: client(url, CUSTOMER_KEY).list_customer_orders(too_much), "limit")


def check_tokens(url, truth):
    """The SDK has no call for a token by password, so this part is plain HTTP."""
    user = {
        "name": USER["name"],
        "password": USER["password"],
        "domain": {"name": USER["domain"]},
    }
    identity = {"methods": ["password"], "password": {"user": user}}
    body = {"auth": {"identity": identity, "scope": {"domain": {"name": USER["domain"]}}}}
    answer = requests.post(f"{url}/v3/auth/tokens", params={"nocatalog": "true"}, json=body, timeout=60)
    check(answer.status_code == 201, f"token: {answer.status_code}")
    check(answer.json()["token"]["domain"]["id"] == OWNER, "the token names its account")
    headers = {"X-Auth-Token": answer.headers.get("X-Subject-Token", "")}
    target = f"{url}/v2/orders/customer-orders"
    listed = requests.get(
        target, params={"order_by": "createTime", "limit": 1}, headers=headers, timeout=60
    )
    rows = json.loads(listed.text, parse_float=Decimal).get("order_infos")
    check(rows == truth["orders_own"][:1], "orders by token")
    user["password"] = "wrong"
    answer = requests.post(f"{url}/v3/auth/tokens", json=body, timeout=60)
    check(answer.status_code == 401 and answer.json()["error"]["code"] == 401, "wrong password")
    answer = requests.get(target, headers={"X-Auth-Token": "made-up"}, timeout=60)
    check(answer.json()["error_code"] == "CBC.0154", "made-up token")


def run(url, truth_file):
    with open(truth_file, encoding="utf-8") as file:
        truth = json.load(file, parse_float=Decimal)
    customer, partner = client(url, CUSTOMER_KEY), client(url, PARTNER_KEY)
    check_orders(customer, partner, truth)
    check_details(customer, truth)
    check_refunds(customer, partner, truth)
    check_resources(customer, partner, truth)
    check_catalogues(customer, partner, truth)
    check_credentials(url, truth)
    check_tokens(url, truth)


def run_program(program):
    """Starts the simulator, which tells its address in its first line."""
    with tempfile.TemporaryDirectory() as folder:
        truth = os.path.join(folder, "truth.json")
        arguments = ["--orders", "900", "--customers", "4", "--seed", "20261031", "--truth", truth]
        with subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, text=True) as process:
            try:
                first = process.stdout.readline()
                run(first.split()[-1], truth)
            finally:
                process.terminate()


def main():
    if len(sys.argv) == 3:
        run(sys.argv[1], sys.argv[2])
    elif len(sys.argv) == 2:
        run_program(sys.argv[1])
    else:
        sys.exit(__doc__)
    for failure in failures[:40]:
        print("FAILED", failure)
    print(f"{passed} passed, {len(failures)} failed")
    sys.exit(1 if failures or not passed else 0)


if __name__ == "__main__":
    main()
