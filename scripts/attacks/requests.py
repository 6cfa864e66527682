"""Requests with a bad head, query, token or body."""

import base64
import gzip
import json

REPORT = "/api/v1/creators/analytics/overview"
SESSION = "/api/v1/analytics/session"
# More than any error needs, and far less than the input.
SMALL_ANSWER_BYTES = 16 * 1024


def many_unknown_parameters(program, short):
    """4xx below 16 KB, memory as before"""
    before = program.memory_mb()
    largest = 0
    for _ in range(20 if short else 100):
        answer = program.ada.get(REPORT + "?" + "a&" * 30_000)
        assert 400 <= answer.status < 500, f"status {answer.status}"
        largest = max(largest, len(answer.body))
    # The length is allowed, but there are many.
    answer = program.ada.get(REPORT + "?" + "&".join(f"p{number}" for number in range(900)))
    assert answer.status == 400, f"status {answer.status} for 900 parameters"
    largest = max(largest, len(answer.body))
    grown = program.memory_mb() - before
    assert largest < SMALL_ANSWER_BYTES, f"{largest} bytes"
    assert grown < 64, f"memory grew by {grown} MB"
    return f"at most {largest} bytes, memory +{grown} MB"


def many_broken_members(program, short):
    """400 with at most ten problems"""
    ids = ["x" * 100] * 600
    answer = program.ada.post(f"/api/v1/creators/{program.ada.id}/links/reorder", {"linkIds": ids})
    assert answer.status == 400, f"status {answer.status}"
    assert len(answer.body) < SMALL_ANSWER_BYTES, f"{len(answer.body)} bytes"
    details = answer.json()["error"].get("details", [])
    # One more may count the omitted ones.
    assert len(details) <= 11, f"{len(details)} problems"
    return f"{len(details)} problems, {len(answer.body)} bytes"


def tokens_of_others(program, short):
    """401 for each"""
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = part({"sub": "ada", "exp": 4_000_000_000})
    head, body, signature = program.ada.token.split(".")
    tokens = {
        "no algorithm": f"{part({'alg': 'none'})}.{claims}.",
        "another claim": f"{head}.{claims}.{signature}",
        "no signature": f"{head}.{body}.",
        "another algorithm": f"{part({'alg': 'EdDSA'})}.{claims}.{'A' * 86}",
        "no token": "x",
    }
    for name, token in tokens.items():
        answer = program.ask("GET", REPORT, token=token, source="127.0.0.9")
        assert answer.status == 401, f"{answer.status} for {name}"
    return f"401 for {len(tokens)} kinds"


def a_flood_of_bad_tokens(program, short):
    """429 soon; a valid token from there still works"""
    source, statuses = "127.0.0.10", []
    before = program.cpu_seconds()
    count = 300 if short else 1000
    for _ in range(count):
        answer = program.ask("GET", REPORT, token=program.ada.token[:-4] + "AAAA", source=source)
        statuses.append(answer.status)
    spent = (program.cpu_seconds() - before) / count * 1000
    assert set(statuses) <= {401, 429}, f"{set(statuses)}"
    assert 429 in statuses, f"{count} times 401"
    assert program.ada.get(REPORT, source=source).status == 200, "a valid token from this address is refused"
    return f"401 {statuses.count(401)} times, 429 {statuses.count(429)} times, {spent:.2f} ms of CPU each"


def bodies_that_are_too_large(program, short):
    """413, also after decompression"""
    plain = program.ask("POST", SESSION, body=b" " * (2 << 20), source="127.0.0.11")
    assert plain.status == 413, f"{plain.status} for 2 MiB"
    bomb = gzip.compress(b" " * (64 << 20))
    before = program.memory_mb()
    answer = program.ask("POST", SESSION, body=bomb, headers={"Content-Encoding": "gzip"}, source="127.0.0.11")
    assert answer.status == 413, f"{answer.status} for 64 MiB in {len(bomb)} bytes"
    grown = program.memory_mb() - before
    assert grown < 64, f"memory grew by {grown} MB"
    return f"413, memory +{grown} MB"


def bodies_that_are_not_beacons(program, short):
    """4xx, never 5xx"""
    bodies = {
        "nesting": b"[" * 60_000,
        "half a pair alone": b'"\\ud83d"',
        "a large number": b'{"visitorId": 1e999}',
        "an end": b'{"visitorId": "',
        "nothing": b"",
        "null": b"null",
    }
    for path in (SESSION, "/api/v1/analytics/pageview", "/api/v1/analytics/events"):
        for name, body in bodies.items():
            answer = program.ask("POST", path, body=body, source="127.0.0.12")
            assert 400 <= answer.status < 500, f"{answer.status} for {name} at {path}"
    return f"{3 * len(bodies)} times 4xx"


def one_bad_member_of_a_batch(program, short):
    """the other members keep their verdicts"""
    # Half a surrogate pair, as JavaScript cuts it. Written by hand, because Python's own writer gives both halves.
    events = [program.ada.session("batch-1"), program.ada.session("batch-2"), {"type": "session"}]
    body = json.dumps({"events": events}).replace('"batch-1"', '"batch-1", "language": "\\ud83d"')
    answer = program.ask("POST", "/api/v1/analytics/events", body=body.encode(), source="127.0.0.13")
    assert answer.status == 200, f"status {answer.status}"
    verdicts = [result["status"] for result in answer.json()["data"]["results"]]
    assert verdicts == ["ok", "ok", "invalid"], f"{verdicts}"
    return ", ".join(verdicts)


def answers_that_a_cache_could_keep(program, short):
    """private, no-store with a Bearer token"""
    for path in (REPORT, "/api/v1/creators/me", "/api/v1/creators/analytics/export?type=links", REPORT + "?a"):
        answer = program.ada.get(path)
        kept = answer.headers.get("cache-control", "nothing")
        assert kept == "private, no-store", f"{kept} at {path}"
    return "private, no-store"


def the_first_page(program, short):
    """a page for a browser"""
    answer = program.ask("GET", "/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status == 200, f"status {answer.status}"
    kind = answer.headers.get("content-type", "")
    assert kind.startswith("text/html"), kind
    return f"200 {kind}"


ATTACKS = [
    many_unknown_parameters,
    many_broken_members,
    tokens_of_others,
    a_flood_of_bad_tokens,
    bodies_that_are_too_large,
    bodies_that_are_not_beacons,
    one_bad_member_of_a_batch,
    answers_that_a_cache_could_keep,
    the_first_page,
]
