"""Connections that a proxy or a hostile client could open: split packets, idling, slow heads, slow readers."""

import http.client
import socket
import time

# Longer than any response takes, shorter than the deadline of a body.
ANSWER_SECONDS = 8
HEAD_SECONDS = 10
# The program's deadline for a client that reads nothing.
PROGRESS_SECONDS = 30


def connect(program, source="127.0.0.1", timeout=ANSWER_SECONDS):
    return socket.create_connection(program.address, timeout=timeout, source_address=(source, 0))


def head(method, path, *lines):
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode()


def read_answer(connection):
    """Status and headers of one response, after reading its body; None when the connection ended."""
    answer = http.client.HTTPResponse(connection)
    try:
        answer.begin()
    except (http.client.HTTPException, ConnectionError):
        return None
    answer.read()
    return answer


def refused_before_the_body(program, short):
    """a response to the next request, or `close` in the first"""
    body = b'{"a": 1}'
    ours = f"/api/v1/creators/{program.ada.id}/links"
    length, bearer = f"Content-Length: {len(body)}", f"Authorization: Bearer {program.ada.token}"
    json_type = "Content-Type: application/json"
    requests = {
        401: head("POST", ours, "Host: a", length, json_type),
        404: head("POST", "/api/v1/nothing", "Host: a", length, json_type),
        405: head("PUT", "/api/v1/creators/me", "Host: a", length, json_type, bearer),
        415: head("POST", ours, "Host: a", length, "Content-Type: image/png", bearer),
    }
    kept = 0
    for status, request in requests.items():
        with connect(program) as connection:
            connection.sendall(request)
            # The body comes later, as from a proxy that forwards bytes at once.
            time.sleep(0.05)
            connection.sendall(body)
            first = read_answer(connection)
            assert first is not None and first.status == status, f"no {status}"
            if (first.getheader("connection") or "").lower() == "close":
                continue
            kept += 1
            connection.sendall(head("GET", "/health", "Host: a"))
            second = read_answer(connection)
            assert second is not None and second.status == 200, f"after a {status} the connection was closed"
    return f"{kept} of {len(requests)} connections were kept"


def doubled_and_missing_hosts(program, short):
    """400"""
    for lines in ([], ["Host: a", "Host: b"], ["Host: a b"]):
        with connect(program) as connection:
            connection.sendall(head("GET", "/health", *lines))
            answer = read_answer(connection)
            assert answer is not None and answer.status == 400, f"{answer and answer.status} for {lines}"
    return "400, 3 times"


def an_idle_connection(program, short):
    """still open after more than 10 s"""
    idle = 12 if short else 70
    with connect(program) as connection:
        for pause in (0, idle):
            time.sleep(pause)
            connection.sendall(head("GET", "/health", "Host: a"))
            answer = read_answer(connection)
            assert answer is not None and answer.status == 200, f"closed after {pause} s"
    return f"open after {idle} s"


def a_slow_head(program, short):
    """closed after 10 s, although bytes keep arriving"""
    started = time.monotonic()
    with connect(program, timeout=1) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        while time.monotonic() - started < HEAD_SECONDS + 10:
            try:
                connection.sendall(b"a")
                if not connection.recv(4096):
                    break
                # A response that ends the connection, such as 408, counts too.
                break
            except socket.timeout:
                continue
            except ConnectionError:
                break
    took = time.monotonic() - started
    assert took < HEAD_SECONDS + 5, f"open after {took:.0f} s"
    return f"closed after {took:.1f} s"


def reader(program, number):
    """A client that sends many requests and reads nothing, from one of a few addresses."""
    connection = connect(program, source=f"127.0.1.{1 + number % 16}")
    connection.settimeout(0.5)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        connection.sendall(head("GET", "/docs", "Host: a") * 50)
    except OSError:
        # Its requests fill the connection's buffers.
        pass
    return connection


def clients_that_do_not_read(program, short):
    """other clients get responses meanwhile; dropped after 30 s"""
    readers = []
    try:
        for number in range(300 if short else 960):
            readers.append(reader(program, number))
        slowest = 0.0
        for _ in range(10):
            started = time.monotonic()
            answer = program.ask("GET", "/health", source="127.0.2.1", timeout=5)
            assert answer.status == 200, f"status {answer.status}"
            slowest = max(slowest, time.monotonic() - started)
        if short:
            return f"{len(readers)} readers; others wait at most {slowest * 1000:.0f} ms"
        time.sleep(PROGRESS_SECONDS + 5)
        gone = sum(1 for connection in readers if is_closed(connection))
        assert gone == len(readers), f"{len(readers) - gone} of {len(readers)} are still served"
        return f"{gone} dropped; others wait at most {slowest * 1000:.0f} ms"
    except OSError as error:
        raise AssertionError(f"other clients get no response: {error}") from error
    finally:
        for connection in readers:
            connection.close()


def is_closed(connection):
    """True when the other side has closed; reads the data that it sent before."""
    connection.settimeout(1)
    try:
        while connection.recv(1 << 20):
            pass
        return True
    except socket.timeout:
        return False
    except OSError:
        return True


def a_stop_with_clients_that_do_not_read(program, short):
    """stopped within 25 s, exit code 0"""
    readers = [reader(program, number) for number in range(100)]
    started = time.monotonic()
    code = program.stop()
    took = time.monotonic() - started
    for connection in readers:
        connection.close()
    assert code == 0, f"exit code {code}"
    assert took < 25, f"{took:.0f} s"
    return f"stopped after {took:.1f} s"


ATTACKS = [
    refused_before_the_body,
    doubled_and_missing_hosts,
    an_idle_connection,
    a_slow_head,
    clients_that_do_not_read,
    a_stop_with_clients_that_do_not_read,
]
