"""Requests of one tenant against another, and traffic that only causes cost."""

import concurrent.futures
import time
import uuid

EVENTS = "/api/v1/analytics/events"
# The published limit of new sessions of one page from one address.
SESSIONS_A_MINUTE = 120
NIL = "00000000-0000-0000-0000-000000000000"


def foreign_ids(program, short):
    """403 or 404 for each"""
    ada, bob = program.ada, program.bob
    v1 = "/api/v1/creators"
    requests = [
        ("POST", f"{v1}/{bob.id}/links", {"title": "x", "url": "https://example.com"}, 403),
        ("POST", f"{v1}/{bob.id}/links/reorder", {"linkIds": [bob.link]}, 403),
        ("POST", f"{v1}/{bob.id}/bio", {"slug": "x"}, 403),
        ("PATCH", f"{v1}/{bob.id}/bio", {"bio": "x"}, 403),
        ("PATCH", f"{v1}/links/{bob.link}", {"title": "x"}, 403),
        ("DELETE", f"{v1}/links/{bob.link}", None, 403),
        ("GET", f"{v1}/{bob.id}/bio", None, 403),
        ("GET", f"{v1}/{ada.id}/bio?bioPageId={bob.page}", None, 404),
    ]
    reports = ("overview", "traffic", "geo", "devices", "trend", "sessions", "links", "refusals")
    requests += [("GET", f"{v1}/analytics/{name}?bioPageId={bob.page}", None, 404) for name in reports]
    for method, path, body, status in requests:
        answer = program.ask(method, path, body=body, token=ada.token)
        assert answer.status == status, f"{answer.status} instead of {status} for {method} {path}"
    return f"{len(requests)} refused"


def names_that_deceive(program, short):
    """400 for each"""
    names = ["official", "security", "admin", "xn--bcher-kva", "ada.", "a..b", "-ada", "ada\u202e", "\u0430da"]
    for name in names:
        made = program.ask(
            "POST", "/api/v1/creators", {"username": name, "displayName": "x"}, token=program.token(f"n-{name!a}")
        )
        assert made.status == 400, f"{made.status} for {name!a}"
    for shown in ("\u200b", "\u2060", "\u3164", "\u2800", " \ufeff "):
        made = program.ask(
            "POST", "/api/v1/creators", {"username": "blank", "displayName": shown}, token=program.token("blank")
        )
        assert made.status == 400, f"{made.status} for the display name {shown!a}"
    return f"{len(names) + 5} refused"


def pages_without_end(program, short):
    """400 after at most 200"""
    for number in range(200):
        made = program.bob.post(f"/api/v1/creators/{program.bob.id}/bio", {"slug": f"page-{number}"})
        if made.status != 201:
            assert made.status == 400, f"status {made.status}"
            return f"{made.key} after {number} pages"
    raise AssertionError("200 pages")


def a_flood_of_sessions(program, short):
    """at most 120 a minute count, the rest are refused as flood"""
    page, sent = program.bob, 400
    for start in range(0, sent, 200):
        events = [page.session(f"flood-{number}") for number in range(start, start + 200)]
        answer = program.ask("POST", EVENTS, body={"events": events}, source="127.0.0.20")
        assert answer.status == 200, f"status {answer.status}"
    counted = until(lambda: page.report("overview").json()["data"]["uniqueVisitors"])
    # The limit refills while the batches are sent.
    assert 0 < counted <= SESSIONS_A_MINUTE + 20, f"{counted} of {sent} count"
    return f"{counted} of {sent} count"


def batch_members_without_a_token(program, short):
    """dropped, token"""
    member = {"type": "pageview", "bioPageId": program.ada.page, "sessionEventId": str(uuid.uuid4())}
    answer = program.ask("POST", EVENTS, body={"events": [member] * 20}, source="127.0.0.21")
    results = answer.json()["data"]["results"]
    verdicts = {(result["status"], result.get("reason")) for result in results}
    assert verdicts == {("dropped", "token")}, f"{verdicts}"
    return "20 of 20 dropped"


def clicks_on_unknown_links(program, short):
    """one row in the report"""
    ada, clicks = program.ada, 0
    for number in range(2 if short else 20):
        source = f"127.0.4.{1 + number}"
        events = []
        for visit in range(10):
            session = ada.session(f"clicks-{number}-{visit}")
            events.append(session)
            for _ in range(20):
                click = {
                    "type": "pageview",
                    "bioPageId": ada.page,
                    "sessionEventId": session["eventId"],
                    "trackingToken": session["trackingToken"],
                    "linkClicked": str(uuid.uuid4()),
                    "eventId": str(uuid.uuid4()),
                }
                events.append(click)
        answer = program.ask("POST", EVENTS, body={"events": events}, source=source)
        results = answer.json()["data"]["results"]
        clicks += sum(event["type"] == "pageview" and result["status"] == "ok" for event, result in zip(events, results))
    report = until(lambda: whole(ada, clicks))
    rows = report["links"]
    assert [row["id"] for row in rows] == [NIL], f"{len(rows)} rows"
    return f"{clicks} clicks in {len(rows)} row"


def whole(creator, clicks):
    report = creator.report("links").json()["data"]
    return report if sum(row["clicks"] for row in report["links"]) >= clicks else None


def until(look, seconds=30):
    """The first response that is not empty; the tables are some milliseconds behind the log."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(0.1)
    raise AssertionError(f"nothing after {seconds} s")


def reports_of_one_tenant_at_once(program, short):
    """another tenant gets responses meanwhile"""
    def busy(number):
        return program.ada.report("links", days=365, bioPageId=program.ada.page).status

    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        asked = [pool.submit(busy, number) for number in range(60 if short else 600)]
        slowest = 0.0
        for _ in range(10):
            started = time.monotonic()
            assert program.bob.report("overview").status == 200, "another tenant is refused"
            slowest = max(slowest, time.monotonic() - started)
        statuses = {one.result() for one in asked}
    assert statuses <= {200, 429, 503}, f"{statuses}"
    assert slowest < 5, f"another tenant waited {slowest:.1f} s"
    return f"another tenant waits at most {slowest * 1000:.0f} ms; the first one sees {sorted(statuses)}"


ATTACKS = [
    foreign_ids,
    names_that_deceive,
    pages_without_end,
    a_flood_of_sessions,
    batch_members_without_a_token,
    clicks_on_unknown_links,
    reports_of_one_tenant_at_once,
]
