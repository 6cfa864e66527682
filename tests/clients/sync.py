"""Follows the events API until its standard input ends, and prints every event that it keeps.

    python3 sync.py URL SEED < pipe

The key is in FOOTFALL_KEY. Pages have random sizes. Now and then the client loses a page before it
has kept it, as in a crash, and asks again from its last position. Each kept event is one line: id and
time. After the end of its input it reads on until there is nothing more.
"""

import json
import os
import random
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

url, seed = sys.argv[1], sys.argv[2]
choice = random.Random(seed)
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()


def fetch(parameters):
    request = urllib.request.Request(url + "?" + urllib.parse.urlencode(parameters))
    request.add_header("X-API-KEY", os.environ["FOOTFALL_KEY"])
    for _ in range(100):
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503):
                sys.exit(f"{error.code}: {error.read().decode()}")
            time.sleep(int(error.headers["Retry-After"]))
    sys.exit("the server does not answer")


position = {"since": "2000-01-01"}
requests = lost = 0
while True:
    last = ended.is_set()
    page = fetch({**position, "limit": choice.choice([1, 7, 100, 900, 5000])})
    requests += 1
    if choice.random() < 0.1:
        lost += 1
        continue
    position = {"since": page["nextSince"]}
    if page.get("afterEventId"):
        position["afterEventId"] = page["afterEventId"]
    for event in page["data"]:
        print(event["eventId"], event["createdAt"])
    if not page["hasMore"]:
        if last:
            break
        ended.wait(0.02)
print(f"{requests} requests, {lost} lost pages", file=sys.stderr)
