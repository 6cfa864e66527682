"""Ways in other than HTTP: files, environments of child processes, the embedded log and database."""

import os
import shutil
import socket
import stat
import struct
import subprocess
import urllib.parse

# Kafka's numbers of some requests, and of an error.
DELETE_TOPICS, METADATA, SASL_HANDSHAKE, SASL_AUTHENTICATE = 20, 3, 17, 36
AUTHENTICATION_FAILED = 58


def files_that_others_may_read(program, short):
    """none below the data directory"""
    names = ("", "run.json", "secrets.toml", "kafka.properties", "log", "log/records.db", "log/records.db-wal", "postgres", "postgres/cluster", "postgres/password")
    paths = [os.path.join(program.data, name) for name in names]
    modes = {path: stat.S_IMODE(os.stat(path).st_mode) for path in paths if os.path.exists(path)}
    open_to_others = [f"{path} {mode:o}" for path, mode in modes.items() if mode & 0o077]
    assert not open_to_others, ", ".join(open_to_others)
    return f"{len(modes)} checked"


def secrets_in_other_programs(program, short):
    """none in the arguments or the environment of a child process"""
    children, found = children_of(program.process.pid), []
    for pid in children:
        for what in ("environ", "cmdline"):
            try:
                with open(f"/proc/{pid}/{what}", "rb") as text:
                    if program.secret.encode() in text.read():
                        found.append((pid, what))
            except OSError:
                continue
    assert not found, f"{found}"
    assert children, "there is no child process to look at"
    with open(program.log_path, encoding="utf-8", errors="replace") as log:
        assert program.secret not in log.read(), "the log has it"
    return f"{len(children)} processes, no secret"


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as text:
        direct = [int(word) for word in text.read().split()]
    # Other threads start children too.
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as text:
                direct += [int(word) for word in text.read().split()]
        except OSError:
            continue
    children = sorted(set(direct))
    return children + [grandchild for child in children for grandchild in children_of(child)]


def the_host_through_the_database(program, short):
    """refused: files, programs, roles"""
    if not shutil.which("psql"):
        return "SKIPPED: psql is not installed"
    statements = [
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "CREATE ROLE intruder SUPERUSER",
        "SELECT lo_import('/etc/passwd')",
    ]
    for url in (program.run["databaseUrl"], program.run["analyticsDatabaseUrl"]):
        for statement in statements:
            asked = subprocess.run(
                ["psql", "-X", "-q", "-c", statement],
                env=os.environ | connection_of(url),
                capture_output=True,
                text=True,
                timeout=30,
            )
            assert asked.returncode != 0, f"allowed: {statement}"
            assert "permission denied" in asked.stderr or "must be" in asked.stderr, asked.stderr.strip()[-200:]
    return f"{2 * len(statements)} statements refused"


def connection_of(url):
    """The URL as libpq's variables: it holds a password, and other users can see arguments."""
    parts = urllib.parse.urlsplit(url)
    return {
        "PGHOST": parts.hostname,
        "PGPORT": str(parts.port),
        "PGUSER": parts.username,
        "PGPASSWORD": urllib.parse.unquote(parts.password or ""),
        "PGDATABASE": parts.path.lstrip("/"),
        "PGCONNECT_TIMEOUT": "5",
        # A session of the reading role may lift this itself, so its rights alone must hold.
        "PGOPTIONS": "-c default_transaction_read_only=off",
    }


def the_embedded_log_without_its_password(program, short):
    """refuses requests without a password, or with a wrong one"""
    properties = kafka_properties(program)
    address = address_of(properties)
    with socket.create_connection(address, timeout=10) as connection:
        try:
            send(connection, METADATA, 0, struct.pack(">i", 0))
            answered = connection.recv(1)
        except ConnectionError:
            answered = b""
        assert answered == b"", "Metadata was answered without a password"
    for username, password in [("footfall", ""), ("footfall", "footfall"), ("", properties["sasl.password"])]:
        with socket.create_connection(address, timeout=10) as connection:
            assert log_in(connection, username, password) == AUTHENTICATION_FAILED, f"{username!r} was let in"
            try:
                send(connection, METADATA, 0, struct.pack(">i", 0))
                answered = connection.recv(1)
            except ConnectionError:
                answered = b""
            assert answered == b"", "Metadata was answered after a wrong password"
    return "4 connections refused"


def topics_of_the_embedded_log(program, short):
    """no request deletes one"""
    properties = kafka_properties(program)
    with socket.create_connection(address_of(properties), timeout=10) as connection:
        error = log_in(connection, properties["sasl.username"], properties["sasl.password"])
        assert error == 0, f"the password of kafka.properties is refused: error {error}"
        before = topics(connection)
        ours = {name for name in before if name.startswith("footfall.")}
        assert len(ours) == 3, f"{sorted(before)}"
        for name in sorted(ours):
            # DeleteTopics version 1: names, then the broker's deadline.
            names = struct.pack(">i", 1) + text(name)
            answer = ask_broker(connection, DELETE_TOPICS, 1, names + struct.pack(">i", 5000))
            # Throttle time, one topic with its name, then its error.
            (length,) = struct.unpack(">h", answer[8:10])
            (error,) = struct.unpack(">h", answer[10 + length : 12 + length])
            assert error != 0, f"DeleteTopics of {name} gave no error"
        after = topics(connection, unknown="a.typo")
    assert before == after, f"{sorted(before ^ after)} differ"
    return f"error {error} for each of {len(ours)}, {len(after)} topics as before"


def kafka_properties(program):
    with open(program.run["kafkaConfig"]) as file:
        return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line and not line.startswith("#"))


def address_of(properties):
    host, port = properties["bootstrap.servers"].split(",")[0].rsplit(":", 1)
    return (host, int(port))


def log_in(connection, username, password):
    """The error code of SaslAuthenticate for a name and password."""
    answer = ask_broker(connection, SASL_HANDSHAKE, 1, text("PLAIN"))
    assert struct.unpack(">h", answer[:2]) == (0,), "the mechanism PLAIN is refused"
    token = f"\0{username}\0{password}".encode()
    answer = ask_broker(connection, SASL_AUTHENTICATE, 0, struct.pack(">i", len(token)) + token)
    return struct.unpack(">h", answer[:2])[0]


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def send(connection, key, version, body):
    message = struct.pack(">hhi", key, version, 7) + text("attack") + body
    connection.sendall(struct.pack(">i", len(message)) + message)


def ask_broker(connection, key, version, body):
    """The body of the broker's response to one request, without its correlation id."""
    send(connection, key, version, body)
    (length,) = struct.unpack(">i", exactly(connection, 4))
    return exactly(connection, length)[4:]


def exactly(connection, length):
    read = b""
    while len(read) < length:
        more = connection.recv(length - len(read))
        assert more, "the broker closed the connection"
        read += more
    return read


def topics(connection, unknown=None):
    """Names of all topics, after a request for a topic that does not exist, which must not create it."""
    if unknown:
        ask_broker(connection, METADATA, 4, struct.pack(">i", 1) + text(unknown) + b"\x01")
    answer = ask_broker(connection, METADATA, 0, struct.pack(">i", 0))
    at, names = 4, set()
    (brokers,) = struct.unpack(">i", answer[:4])
    for _ in range(brokers):
        (length,) = struct.unpack(">h", answer[at + 4 : at + 6])
        at += 4 + 2 + length + 4
    (count,) = struct.unpack(">i", answer[at : at + 4])
    at += 4
    for _ in range(count):
        (length,) = struct.unpack(">h", answer[at + 2 : at + 4])
        names.add(answer[at + 4 : at + 4 + length].decode())
        at += 4 + length
        (partitions,) = struct.unpack(">i", answer[at : at + 4])
        at += 4
        for _ in range(partitions):
            at += 10
            for _ in range(2):
                (members,) = struct.unpack(">i", answer[at : at + 4])
                at += 4 + 4 * members
    return names


ATTACKS = [
    files_that_others_may_read,
    secrets_in_other_programs,
    the_host_through_the_database,
    the_embedded_log_without_its_password,
    topics_of_the_embedded_log,
]
