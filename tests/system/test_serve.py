# SPDX-License-Identifier: MIT
"""The whole service at its doors: more clients than slots, clients that leave, more
requests than a client may send, and what a request may ask for at most."""

import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import unittest

from service import BOUND_S, Service, descendants, wait_until


def post(service, fields):
    """A connection on which a request was sent, and whose answer is not read."""
    body = json.dumps(fields).encode()
    connection = socket.create_connection(("127.0.0.1", service.port), BOUND_S)
    connection.sendall(b"POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"
                       b"Content-Type: application/json\r\n\r\n" % len(body) + body)
    return connection


def answer_of(connection):
    with connection:
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, dict(answer.getheaders()), json.loads(answer.read())


def load(service):
    health = service.request("GET", "/health")[1]
    return health["running"], health["queued"]


LONG = {"language": "bash", "code": "sleep 300; echo", "limits": {"timeout_ms": 300000}}
SHORT = {"language": "bash", "code": "echo hello"}


class Overload(unittest.TestCase):
    def test_who_never_ends_a_head_makes_room(self):
        with Service("--max-connections=16") as service:
            for begun in (b"", b"GET /health HTTP/1.1\r\nX: "):
                held = [socket.create_connection(("127.0.0.1", service.port), BOUND_S)
                        for _ in range(16)]
                for connection in held:
                    connection.sendall(begun)
                # They may have 30 s where nobody waits for their place.
                self.assertEqual(service.request("GET", "/health", timeout=BOUND_S)[0], 200, begun)
                told = [connection.recv(1000) for connection in held[:1]]
                self.assertEqual(told[0].split(b"\r\n")[0],
                                 b"HTTP/1.1 408 Request Timeout" if begun else b"")
                for connection in held:
                    connection.close()

    def test_what_waits_is_answered_and_what_is_too_much_is_told_at_once(self):
        with Service("--concurrency=1", "--queue-length=2") as service:
            long = post(service, LONG)
            wait_until("the first runs", lambda: load(service) == (1, 0))
            waiting = [post(service, SHORT) for _ in range(2)]
            wait_until("two wait", lambda: load(service) == (1, 2))
            status, headers, answer = answer_of(post(service, SHORT))
            self.assertEqual((status, answer["code"]), (503, "queue_full"))
            self.assertGreater(int(headers["Retry-After"]), 0)
            long.close()
            for connection in waiting:
                status, _, answer = answer_of(connection)
                self.assertEqual((status, answer["output"]), (200, "hello\n"))

    def test_a_hundred_at_once_are_all_answered(self):
        with Service("--queue-length=140") as service:  # one client may fill three quarters of it
            asked = [post(service, {"language": "bash", "code": f"echo {number}"})
                     for number in range(100)]
            for number, connection in enumerate(asked):
                status, _, answer = answer_of(connection)
                self.assertEqual((status, answer["output"]), (200, f"{number}\n"))

    def test_a_run_that_waits_longer_than_it_may_is_told(self):
        with Service("--concurrency=1") as service:
            with post(service, LONG):
                wait_until("the first runs", lambda: load(service) == (1, 0))
                answer = service.run(**SHORT, limits={"queue_timeout_ms": 200})
                self.assertEqual(answer["verdict"], "queue_timeout")


class Clients(unittest.TestCase):
    def test_the_box_of_a_client_that_leaves_is_killed(self):
        with Service() as service:
            before = set(descendants(service.spawner()))
            connection = post(service, LONG)
            wait_until("it runs", lambda: len(set(descendants(service.spawner())) - before) >= 2)
            connection.close()
            wait_until("its processes are gone",
                       lambda: not set(descendants(service.spawner())) - before)
            self.assertEqual(load(service), (0, 0))
            self.assertTrue(service.runs())

    def test_one_that_waits_and_leaves_is_never_run(self):
        with Service("--concurrency=1") as service:
            long = post(service, LONG)
            wait_until("the first runs", lambda: load(service) == (1, 0))
            post(service, SHORT).close()
            wait_until("nobody waits", lambda: load(service) == (1, 0))
            long.close()
            wait_until("nothing runs", lambda: load(service) == (0, 0))
            ended = [json.loads(line) for line in service.log().splitlines()
                     if '"run_finished"' in line]
            self.assertEqual([line["verdict"] for line in ended], ["cancelled", "cancelled"])

    def test_each_client_behind_a_trusted_proxy_has_its_own_rate(self):
        with Service("--execute-rate=2", "--trusted-proxies=127.0.0.1") as service:
            def status(client):
                return service.request_raw("POST", "/execute", SHORT, {"X-Forwarded-For": client})
            for client in ("192.0.2.1", "192.0.2.2"):
                self.assertEqual([status(client)[0] for _ in range(3)], [200, 200, 429])
            headers, body = status("192.0.2.1")[1:]
            self.assertIn("Retry-After", headers)
            self.assertEqual(body, b"Too many requests from this IP, please try again later")
            self.assertEqual([status("127.0.0.1")[0] for _ in range(3)], [200, 200, 200])

    def test_a_page_of_another_origin_is_refused_unless_configured(self):
        with Service("--cors-origins=https://learn.example.com") as service:
            for origin, expected in (("https://learn.example.com", 200),
                                     ("https://evil.example.com", 403)):
                self.assertEqual(service.request_raw("POST", "/execute", SHORT,
                                                     {"Origin": origin})[0], expected)
            self.assertEqual(service.request_raw("GET", "/health", None,
                                                 {"Host": "evil.example.com"})[0], 403)


class Ceilings(unittest.TestCase):
    HUGE = {"timeout_ms": 86400000, "memory_mb": 1048576, "processes": 32768, "workspace_mb": 65536}

    def limits(self, service):
        return service.run(**SHORT, limits=self.HUGE)["limits"]

    def test_a_service_has_some_by_itself(self):
        with Service() as service:
            limits = self.limits(service)
            self.assertEqual({name: limits[name] for name in self.HUGE},
                             {"timeout_ms": 600000, "memory_mb": 2048, "processes": 512,
                              "workspace_mb": 1024})

    def test_they_can_be_set_and_lifted(self):
        with Service("--max-memory=128M", "--max-timeout=none") as service:
            limits = self.limits(service)
            self.assertEqual((limits["memory_mb"], limits["timeout_ms"]), (128, 86400000))


    def test_a_body_may_be_bounded_below_what_its_route_takes(self):
        with Service("--max-body=1K") as service:
            large = {"language": "bash", "code": "#" * 1024}
            self.assertEqual(service.request_raw("POST", "/execute", large)[0], 413)
            self.assertTrue(service.runs())


class Unread(Service):
    """Its log goes into a pipe that nobody empties."""

    def start(self):
        self.reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=self._log,
                                        stderr=writer, cwd="/", env=self._environment)
        self.other_writer = os.open(f"/proc/self/fd/{writer}", os.O_WRONLY | os.O_NONBLOCK)
        os.close(writer)

    def fill(self):
        """To the last byte."""
        with contextlib.suppress(BlockingIOError):
            while os.write(self.other_writer, b"\n"):
                pass
        os.close(self.other_writer)

    def read(self):
        os.set_blocking(self.reader, False)
        with open(self.reader, "rb", closefd=False, buffering=0) as log:
            return [json.loads(line) for line in (log.readall() or b"").splitlines()]


class Log(unittest.TestCase):
    def test_who_does_not_read_it_holds_nothing_up(self):
        with Unread() as service:
            self.addCleanup(os.close, service.reader)
            for _ in range(100):
                self.assertEqual(service.request("GET", "/languages", timeout=BOUND_S)[0], 200)
            self.assertNotEqual(service.read(), [])
            told = []
            for _ in range(3):
                self.assertEqual(service.request("GET", "/languages")[0], 200)
                told += service.read()
            lost = [line["lines"] for line in told if line["event"] == "log_lines_lost"]
            self.assertGreater(lost[0], 50)

    def test_a_front_is_replaced_all_the_same(self):
        with Unread() as service:
            self.addCleanup(os.close, service.reader)
            service.fill()
            os.kill(service.front(), signal.SIGKILL)
            wait_until("it serves again", service.runs)


class AtHome(Service):
    """Of an ordinary user, who said nothing of where it keeps things."""

    def start(self):
        self._environment = {**self._environment, "HOME": self.storage()}
        for name in ("RUNNEL_STORAGE_DIR", "XDG_STATE_HOME"):
            self._environment.pop(name, None)
        super().start()


class Home(unittest.TestCase):
    def test_an_ordinary_user_has_the_store_at_home(self):
        user = None if os.geteuid() else "nobody"
        with AtHome("--allow-missing=cgroup", user=user) as service:
            self.assertEqual(service.run("bash", "echo here")["output"], "here\n")
            store = pathlib.Path(service.storage(), ".local/state/runnel/runnel.db")
            self.assertTrue(store.is_file())


class Listeners(unittest.TestCase):
    def test_each_speaks_its_dialect_and_the_default_speaks_all(self):
        with Service("--listen=[::1]:0=execute") as service:
            six = int(service.log().split("http://[::1]:")[1].split()[0])
            connection = http.client.HTTPConnection("::1", six, timeout=BOUND_S)
            connection.request("POST", "/execute", json.dumps(SHORT),
                               {"content-type": "application/json"})
            self.assertEqual(json.loads(connection.getresponse().read())["output"], "hello\n")
            connection.request("GET", "/health")
            self.assertEqual(json.loads(connection.getresponse().read()), {"status": "UP"})
            connection.close()
            self.assertIn("isolation", service.request("GET", "/health")[1])

    def test_many_clients_on_kept_connections_do_not_meet_each_other(self):
        wrong = []

        def ask(service, number):
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=BOUND_S)
            for turn in range(5):
                connection.request("POST", "/execute",
                                   json.dumps({"language": "bash", "code": f"echo {number} {turn}"}),
                                   {"content-type": "application/json"})
                output = json.loads(connection.getresponse().read())["output"]
                if output != f"{number} {turn}\n":
                    wrong.append(output)
            connection.close()

        with Service() as service:
            threads = [threading.Thread(target=ask, args=(service, number)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(BOUND_S * 2)
            self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
