"""Puts existing ids into every second request of Schemathesis.

Random ids never get past the first look-up. The other requests stay as generated.
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

BASE = os.environ["FOOTFALL_URL"] + "/api/v1"
HEADERS = {
    "Authorization": "Bearer " + os.environ["FOOTFALL_TOKEN"],
    # A crawler's visits are not counted.
    "User-Agent": os.environ["FOOTFALL_BROWSER"],
}
with open(os.environ["FOOTFALL_SECRETS"], "rb") as file:
    SECRET = tomllib.load(file)["TRACKING_HMAC_SECRET"]


def post(path, body):
    answer = requests.post(BASE + path, json=body, headers=HEADERS, timeout=30)
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


@schemathesis.hook
def before_call(context, case, kwargs):
    if next(turn) % 2:
        return
    operation = case.operation.definition.raw["operationId"]
    path = case.path_parameters
    if path:
        if "creatorId" in path:
            path["creatorId"] = CREATOR["id"]
        if "linkId" in path:
            path["linkId"] = new_link() if operation == "delete_link" else LINK
        if "username" in path:
            path["username"] = "schemathesis"
        if "slug" in path:
            path["slug"] = "main"
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
