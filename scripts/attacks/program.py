"""The program under attack: started in a new folder, with two creators, and stopped at the end."""

import http.client
import json
import os
import resource
import signal
import subprocess
import tempfile
import time
import uuid

READY_SECONDS = 120
# Two phases of at most 20 s each.
STOP_SECONDS = 45
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"
# The usual limit of a shell, which must be enough for the program.
OPEN_FILES = 1024
# The variables that a program needs from its environment; any other could change its settings.
KEPT_VARIABLES = ("PATH", "HOME", "TMPDIR", "LANG")


def build():
    """Builds the program in debug mode and returns its path."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    target = os.path.abspath(os.environ.get("CARGO_TARGET_DIR", os.path.join(root, "target")))
    # The whole workspace, with the same features as the tests. With a part of it, cargo would build crates again.
    subprocess.run(["cargo", "build", "--workspace", "--locked"], cwd=root, check=True)
    return os.path.join(target, "debug", "footfall")


class Answer:
    """A status, headers by lower-case name, and a body."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    @property
    def key(self):
        """The error's own name, if it is one of our errors."""
        return self.json().get("error", {}).get("i18nKey", "")


class Creator:
    """A creator with a page: token, ids, and functions that send as this creator."""

    def __init__(self, program, name):
        self.program = program
        self.name = name
        self.token = program.token(name)
        made = self.post("/api/v1/creators", {"username": name, "displayName": name})
        assert made.status == 201, f"no creator: {made.status} {made.body[:200]}"
        data = made.json()["data"]
        self.id, self.page = data["id"], data["bioPageId"]
        added = self.post(f"/api/v1/creators/{self.id}/links", {"title": "Mine", "url": "https://example.com"})
        self.link = added.json()["data"]["id"]

    def get(self, path, **more):
        return self.program.ask("GET", path, token=self.token, **more)

    def post(self, path, body, **more):
        return self.program.ask("POST", path, body=body, token=self.token, **more)

    def report(self, name, **parameters):
        query = "&".join(f"{key}={value}" for key, value in parameters.items())
        return self.get(f"/api/v1/creators/analytics/{name}?{query}")

    def session(self, visitor, source="127.0.0.1"):
        """The body of a session beacon, with a fresh tracking token and event id."""
        return {
            "type": "session",
            "visitorId": visitor,
            "consentAnalytics": "granted",
            "bioPageId": self.page,
            "trackingToken": self.program.tracking_token(self.page),
            "eventId": str(uuid.uuid4()),
        }


class Program:
    """A running `footfall up`. Use it in a `with` statement."""

    def __init__(self, path):
        self.path = os.path.abspath(path)
        self.process = None
        self._tracking = {}

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="footfall-attack-")
        # A folder that other users may enter, like one made before the first start.
        self.data = os.path.join(self.folder.name, "data")
        os.mkdir(self.data, 0o755)
        self.log_path = os.path.join(self.folder.name, "log")
        self.secret = f"canary-{uuid.uuid4()}-{uuid.uuid4()}"
        environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        environment.update(
            FOOTFALL_DATA_DIR=self.data,
            FOOTFALL_LISTEN="127.0.0.1:0",
            JWT_SECRET=self.secret,
            # So that the cap on pages decides, and not the rate limit of the route.
            RATE_LIMIT_CREATORS_BIO_ADD="1000/60",
            RUST_LOG="warn",
        )
        self.environment = environment
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [self.path, "up"],
                env=environment,
                stderr=log,
                stdout=log,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, hard)),
            )
        run_path = os.path.join(self.data, "run.json")
        deadline = time.monotonic() + READY_SECONDS
        while not os.path.exists(run_path):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the program is not ready; its log:\n{self.log_tail()}")
            time.sleep(0.1)
        with open(run_path, encoding="utf-8") as run:
            self.run = json.load(run)
        host, port = self.run["listen"].rsplit(":", 1)
        self.address = (host, int(port))
        self.ada = Creator(self, "ada")
        self.bob = Creator(self, "bob")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def stop(self):
        """Stops the program and returns its exit code; kills it if that takes too long."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return f"no code within {STOP_SECONDS} s"

    def log_tail(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-40:])

    def _command(self, *words):
        done = subprocess.run(
            [self.path, *words], env=self.environment, capture_output=True, check=True, text=True
        )
        return done.stdout.strip()

    def token(self, subject):
        """A token of a user."""
        return self._command("token", "--sub", subject, "--ttl", "1h")

    def tracking_token(self, page):
        """A valid tracking token of a page; one is enough for a run."""
        made, token = self._tracking.get(page, (0, ""))
        if time.monotonic() - made > 120 or not token:
            token = self._command("tracking-token", page)
            self._tracking[page] = (time.monotonic(), token)
        return token

    def ask(self, method, path, body=None, token=None, headers=None, source="127.0.0.1", timeout=30):
        """One request on a new connection, from a loopback address."""
        connection = http.client.HTTPConnection(*self.address, timeout=timeout, source_address=(source, 0))
        given = {"User-Agent": BROWSER, **(headers or {})}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            given.setdefault("Content-Type", "application/json")
        if token:
            given["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, body=body, headers=given)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, answer.read())
        finally:
            connection.close()

    def cpu_seconds(self):
        """CPU time of the program itself, without its database."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self):
        """Resident memory of the program itself."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) // 1024
        return 0
