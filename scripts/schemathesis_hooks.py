"""Puts existing ids and valid keys into every second request of Schemathesis.

Random ones never get past the first look-up. The other requests stay as generated.
"""

import hashlib
import hmac
import itertools
import os
import time
import tomllib
import uuid

import requests
import schemathesis

URL = os.environ["FOOTFALL_URL"]
BASE = URL + "/api/v1"
HEADERS = {
    "Authorization": "Bearer " + os.environ["FOOTFALL_TOKEN"],
    # A crawler's visits are not counted.
    "User-Agent": os.environ["FOOTFALL_BROWSER"],
}
with open(os.environ["FOOTFALL_SECRETS"], "rb") as file:
    SECRET = tomllib.load(file)["TRACKING_HMAC_SECRET"]


def post(path, body, base=BASE):
    answer = requests.post(base + path, json=body, headers=HEADERS, timeout=30)
    answer.raise_for_status()
    return answer.json()["data"]


CREATOR = post("/creators", {"username": "schemathesis"})
PAGE = CREATOR["bioPageId"]
LINKS = f"/creators/{CREATOR['id']}/links"


def new_link():
    return post(LINKS, {"title": "A link", "url": "https://example.com"})["id"]


def tracking_token():
    bucket = int(time.time() * 1000) // 300_000
    key = SECRET.split(",")[0].encode()
    return hmac.new(key, f"{PAGE}:{bucket}".encode(), hashlib.sha256).hexdigest()[:32]


def new_session_body():
    return {
        "visitorId": str(uuid.uuid4()),
        "consentAnalytics": "granted",
        "bioPageId": PAGE,
        "trackingToken": tracking_token(),
    }


LINK = new_link()
SESSION = post("/analytics/session", new_session_body())["id"]
VIEW = post("/analytics/pageview", {"sessionId": SESSION})["id"]
turn = itertools.count()


def of_workspace(path, body, member="id"):
    return post(path, body, base=URL + "/api")[member]


def new_short_link():
    return of_workspace("/links", {"destinationUrl": "https://shop.example/"})


def new_rule():
    body = {"linkId": SHORT_LINK, "name": "A", "destinationUrl": "https://shop.example/", "conditions": []}
    return of_workspace("/rules", body)


SCOPES = ["analytics:read", "links:read", "links:write"]
SHORT_LINK = new_short_link()
# How to make an object of each kind of a workspace, by the name of its id in paths.
MAKERS = {
    "linkId": new_short_link,
    "ruleId": new_rule,
    "qrId": lambda: of_workspace(f"/qr/links/{new_short_link()}", {}),
    "campaignId": lambda: of_workspace("/campaigns", {"name": "Spring"}),
    "folderId": lambda: of_workspace("/folders", {"name": "Mail"}),
    "tagId": lambda: of_workspace("/tags", {"name": str(uuid.uuid4())}),
    "keyId": lambda: of_workspace("/keys", {"name": "A key", "scopes": SCOPES}),
    "domainId": lambda: of_workspace("/domains", {"host": f"{uuid.uuid4()}.example"}),
    "mobileAppId": lambda: of_workspace("/mobile-apps", {"platform": "ios", "packageId": f"com.a{uuid.uuid4()}"}),
    "memberId": lambda: of_workspace("/members", {"userId": str(uuid.uuid4()), "role": "viewer"}),
    "customerId": lambda: of_workspace("/customers", {"name": "Ada"}),
}
KNOWN = {name: make() for name, make in MAKERS.items()}
KEY = of_workspace("/keys", {"name": "A key", "scopes": SCOPES}, "key")
# Operations after which an object is not there, or not as it was.
ENDING = ("delete_", "remove_", "revoke_", "rotate_")


def use_workspace(case, operation):
    """Completes a request of the surface of workspaces or of the events API."""
    headers = case.headers
    for name in [name for name in headers or {} if name.lower() in ("x-api-key", "x-workspace-id")]:
        del headers[name]
    external = case.operation.path.startswith("/link/external/")
    if external and headers is not None:
        headers["X-API-Key"] = KEY
    path = case.path_parameters or {}
    for name, make in MAKERS.items():
        if name in path:
            path[name] = make() if operation.startswith(ENDING) else KNOWN[name]
    if external and "id" in path:
        path["id"] = f"url_{SHORT_LINK}"
    body = case.body
    if isinstance(body, dict):
        for name in ("linkId", "campaignId", "folderId"):
            if isinstance(body.get(name), str):
                body[name] = KNOWN[name]
        if operation == "create_rule":
            body.pop("campaignId", None)
            body["linkId"] = SHORT_LINK


@schemathesis.hook
def before_call(context, case, kwargs):
    if next(turn) % 2:
        return
    operation = case.operation.definition.raw["operationId"]
    path = case.path_parameters
    if path:
        if "username" in path:
            path["username"] = "schemathesis"
        if "slug" in path:
            path["slug"] = "main"
    if not case.operation.path.startswith("/api/v1/"):
        use_workspace(case, operation)
        return
    if path:
        if "creatorId" in path:
            path["creatorId"] = CREATOR["id"]
        if "linkId" in path:
            path["linkId"] = new_link() if operation == "delete_link" else LINK
        if "id" in path:
            path["id"] = VIEW if "pageview" in operation else SESSION
    body = case.body
    if isinstance(body, dict):
        if operation == "create_session":
            body.update(new_session_body())
        if operation == "record_pageview":
            body["sessionId"] = SESSION
        if operation == "reorder_links":
            body["linkIds"] = [LINK]
        if "bioPageId" in body:
            body["bioPageId"] = PAGE
