#!/usr/bin/env python3
"""Copies new events into a table, every event once. Run it on a schedule.

    FOOTFALL_URL=https://links.example.com FOOTFALL_KEY=... python3 nightly_sync.py warehouse.db

The table is in SQLite here; any database with transactions does. Events and position are written in
one transaction, so a crash at any moment neither loses an event nor stores one twice.
"""

import json
import os
import sqlite3
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ["FOOTFALL_URL"] + "/link/external/v1/analytics/events"
KEY = os.environ["FOOTFALL_KEY"]
FIRST_DAY = os.environ.get("FOOTFALL_SINCE", "2000-01-01T00:00:00Z")
LIMIT = os.environ.get("FOOTFALL_LIMIT", "5000")


def fetch(parameters):
    """Returns one page. Waits as long as the server asks for, and retries when it is unavailable."""
    request = urllib.request.Request(URL + "?" + urllib.parse.urlencode(parameters))
    request.add_header("X-API-KEY", KEY)
    for attempt in range(8):
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if error.code != 429 and error.code < 500:
                sys.exit(f"{error.code}: {error.read().decode()}")
            wait = int(error.headers.get("Retry-After", 2**attempt))
        except (urllib.error.URLError, OSError):
            wait = 2**attempt
        time.sleep(wait)
    sys.exit("the server does not answer")


def main():
    warehouse = sqlite3.connect(sys.argv[1])
    warehouse.execute("CREATE TABLE IF NOT EXISTS events (event_id TEXT PRIMARY KEY, created_at TEXT, event TEXT)")
    warehouse.execute("CREATE TABLE IF NOT EXISTS position (since TEXT, after_event_id TEXT)")
    since, after = warehouse.execute("SELECT * FROM position").fetchone() or (FIRST_DAY, None)
    stored, has_more = 0, True
    while has_more:
        parameters = {"since": since, "limit": LIMIT}
        if after:
            parameters["afterEventId"] = after
        page = fetch(parameters)
        has_more, since, after = page["hasMore"], page["nextSince"], page.get("afterEventId")
        with warehouse:
            # A plain INSERT: it would fail if an event came twice.
            warehouse.executemany(
                "INSERT INTO events VALUES (?, ?, ?)",
                [(event["eventId"], event["createdAt"], json.dumps(event)) for event in page["data"]],
            )
            warehouse.execute("DELETE FROM position")
            warehouse.execute("INSERT INTO position VALUES (?, ?)", (since, after))
        stored += len(page["data"])
    print(f"{stored} new events")


main()
