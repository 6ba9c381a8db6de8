# SPDX-License-Identifier: MIT
"""Attacks on what is kept: runs, files, links and keys, their end and the service's."""

import base64
import concurrent.futures
import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

from service import BOUND_S, RUNNEL, Service, wait_until
from websocket import TEXT, Closed, Refused, WebSocket

ALICE, BOB = "alice-token", "bob-token"
KEYS = f"{ALICE}:alice:1000:1000,{BOB}:bob:1000:1000"
ARTIFACT = "echo '<svg/>' > outputs/plot.svg"


def bearer(token, **more):
    return {"authorization": f"Bearer {token}",
            **{name.replace("_", "-"): value for name, value in more.items()}}


def call(service, method, path, body=None, token=ALICE, timeout=60, **headers):
    """(status, parsed JSON or None)"""
    status, _, answer = service.request_raw(method, path, body, bearer(token, **headers), timeout)
    return status, json.loads(answer) if answer else None


def start(service, code, token=ALICE, wait=False, **more):
    path = "/v1/runs" if wait else "/v1/runs?wait=false"
    return call(service, "POST", path, {"language": "bash", "code": code, **more}, token)


def is_finished(service, run, token=ALICE):
    return call(service, "GET", f"/v1/runs/{run}", token=token)[1]["verdict"]


def upload(service, token=ALICE, content=b"hello"):
    body = (b"--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n"
            + content + b"\r\n--b--\r\n")
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=BOUND_S)
    connection.request("POST", "/v1/files", body,
                       bearer(token, content_type="multipart/form-data; boundary=b"))
    with connection.getresponse() as answer:
        file = json.loads(answer.read())["id"]
    connection.close()
    return file


def make_key(folder, *options):
    command = [RUNNEL, "key", "create", "--storage-dir", folder, *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Kept(unittest.TestCase):
    """A service whose folder outlives it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="runnel-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def serve(self, *flags, **env):
        service = Service(*flags, env={"RUNNEL_STORAGE_DIR": self.folder, **env})
        self.addCleanup(service.close)
        return service

    def files(self):
        return set(os.listdir(pathlib.Path(self.folder, "files")))

    def database(self):
        path = next(path for path in pathlib.Path(self.folder).iterdir() if path.suffix == ".db")
        return sqlite3.connect(path, isolation_level=None, timeout=BOUND_S)


class Endings(Kept):
    def test_runs_that_leave_the_queue_are_ended_and_the_service_goes_on(self):
        service = self.serve("--concurrency=1", API_KEYS=KEYS)
        long = start(service, "sleep 60; echo")[1]["id"]
        waiting = [start(service, "echo")[1]["id"] for _ in range(5)]
        late = start(service, "echo", limits={"queue_timeout_ms": 50})[1]["id"]
        for run in waiting:
            self.assertEqual(call(service, "DELETE", f"/v1/runs/{run}", timeout=5)[0], 202)
        for run in waiting:
            wait_until("it is cancelled", lambda r=run: is_finished(service, r) == "cancelled")
        wait_until("its time is over", lambda: is_finished(service, late) == "queue_timeout")
        call(service, "DELETE", f"/v1/runs/{long}")
        self.assertEqual(start(service, "echo on", wait=True)[1]["stdout"], "on\n")

    def test_what_a_forgotten_run_left_goes_with_it(self):
        service = self.serve(API_KEYS=KEYS)
        run = start(service, f"{ARTIFACT}; read x", wait=False)[1]["id"]
        wait_until("it runs", lambda: call(service, "GET", f"/v1/runs/{run}")[1]["status"]
                   in ("running", "waiting"))
        database = self.database()
        database.execute("BEGIN IMMEDIATE")  # the store cannot write its end
        socket_ = WebSocket(service.port, f"/v1/runs/{run}/stream",
                            Authorization=f"Bearer {ALICE}")
        socket_.send_json({"type": "eof"})
        wait_until("its end failed", lambda: "run_not_stored" in service.log())
        self.assertEqual(len(self.files()), 1)
        database.execute("ROLLBACK")
        self.assertEqual(call(service, "DELETE", f"/v1/runs/{run}")[0], 204)
        wait_until("its artifact is gone", lambda: not self.files())

    def test_an_end_that_the_store_could_not_take_is_stored_before_we_end(self):
        service = self.serve(API_KEYS=KEYS)
        run = start(service, "read x", wait=False)[1]["id"]
        wait_until("it runs", lambda: call(service, "GET", f"/v1/runs/{run}")[1]["status"]
                   in ("running", "waiting"))
        database = self.database()
        database.execute("BEGIN IMMEDIATE")
        WebSocket(service.port, f"/v1/runs/{run}/stream",
                  Authorization=f"Bearer {ALICE}").send_json({"type": "eof"})
        wait_until("its end failed", lambda: "run_not_stored" in service.log())
        database.execute("ROLLBACK")
        record = call(service, "GET", f"/v1/runs/{run}")[1]
        self.assertEqual((record["verdict"], "request" in record), ("failed", False))
        self.assertIn("request", call(service, "GET", f"/v1/runs/{run}?request=true")[1])
        service.close()
        self.assertEqual(is_finished(self.serve(API_KEYS=KEYS), run), "failed")


class Waiting(Kept):
    # A sanitizer keeps what is freed for a while, which is not to be measured.
    ENV = {"API_KEYS": KEYS,
           "ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}

    def peak_mib(self, service):
        status = pathlib.Path(f"/proc/{service.front()}/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) >> 10

    def test_a_body_that_waits_for_the_store_takes_what_was_sent(self):
        """As trees these twenty would take 300 MB; one after the other is read, which takes 15."""
        service = self.serve(**self.ENV)
        file = upload(service)
        start(service, "true", wait=True)
        before = self.peak_mib(service)
        database = self.database()
        database.execute("BEGIN IMMEDIATE")
        bodies = [{"language": "bash", "code": "cat inputs/a", "columns": 80, "rows": 25,
                   "files": [{"id": file, "path": "a"}] * (number % 2), "more": [{}] * 65000}
                  for number in range(20)]
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = [pool.submit(call, service, "POST", "/v1/runs", body,
                                   **({} if body["files"] else {"idempotency_key": f"key-{number}"}))
                       for number, body in enumerate(bodies)]
            time.sleep(1)  # the first that is to be written holds up the store, and so the others
            database.execute("ROLLBACK")
            for body, answer in zip(bodies, answers):
                status, record = answer.result()
                self.assertEqual((status, record["stdout"]), (200, "hello" * len(body["files"])))
        self.assertLess(self.peak_mib(service) - before, 100)


class Storm:
    """Clients that do a bit of everything, and leave in the middle of it."""

    def __init__(self, service, count=6):
        self.service, self.stopping = service, threading.Event()
        self.ends = {}  # what was told: run, verdict
        self.failures = []
        self.threads = [threading.Thread(target=self._go, args=(i,)) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(BOUND_S)

    def _go(self, number):
        turn = number
        while not self.stopping.is_set():
            turn += 1
            try:
                self._turn(turn)
            except (OSError, http.client.HTTPException, Refused, ValueError, KeyError):
                time.sleep(0.01)

    def _turn(self, turn):
        service = self.service
        if turn % 7 == 0:
            self._leave(turn)
        elif turn % 7 == 1:
            upload(service, content=b"x" * 100000)
        elif turn % 7 == 2:
            status, run = start(service, "echo")
            if status == 201:
                call(service, "DELETE", f"/v1/runs/{run['id']}")
        elif turn % 7 == 3:
            call(service, "GET", "/v1/runs?limit=100")
            call(service, "GET", "/v1/files")
        elif turn % 7 == 4:
            file = upload(service)
            start(service, "cat inputs/a", wait=True, files=[{"id": file, "path": "a"}])
        else:
            status, run = start(service, ARTIFACT, wait=True)
            if status == 200:
                self.ends[run["id"]] = run
            elif status >= 500 and status != 503:
                self.failures.append((status, run))

    def _leave(self, turn):
        body = json.dumps({"language": "bash", "code": ARTIFACT}).encode()
        idempotent = b"Idempotency-Key: %d\r\n" % turn if turn % 2 else b""
        with socket.create_connection(("127.0.0.1", self.service.port), BOUND_S) as connection:
            connection.sendall(
                b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Authorization: Bearer %s\r\n%sContent-Length: %d\r\n\r\n"
                % (ALICE.encode(), idempotent, len(body)) + body)
            time.sleep((turn % 5) * 0.004)


class Shutdowns(Kept):
    def tell(self, service, storm):
        """What was told is true, and what is kept is whole."""
        self.assertEqual(storm.failures, [])
        for run, told in storm.ends.items():
            status, kept = call(service, "GET", f"/v1/runs/{run}")
            self.assertEqual((status, kept["verdict"]), (200, told["verdict"]), run)
            self.assertEqual(len(kept["artifacts"]), len(told["artifacts"]), (told, kept))
            if told["verdict"] == "succeeded":
                url = kept["artifacts"][0]["url"]
                status, _, content = service.request_raw("GET", url[url.index("/v1"):])
                self.assertEqual((status, content), (200, b"<svg/>\n"))

    def test_sigterm_in_the_middle_of_everything(self):
        for turn in range(6):
            service = self.serve("--concurrency=2", "--shutdown-grace=1s", API_KEYS=KEYS)
            storm = Storm(service)
            time.sleep(0.3 + turn * 0.11)
            service.process.send_signal(signal.SIGTERM)
            if turn % 2:
                time.sleep(0.05)
                service.process.send_signal(signal.SIGTERM)
            self.assertEqual(service.process.wait(BOUND_S), 0, service.log()[-3000:])
            storm.stop()
            self.assertNotIn("Sanitizer", service.log())
            service = self.serve(API_KEYS=KEYS)
            self.tell(service, storm)
            service.close()

    def test_kill_9_in_the_middle_of_everything(self):
        for turn in range(6):
            service = self.serve("--concurrency=2", API_KEYS=KEYS)
            storm = Storm(service)
            time.sleep(0.3 + turn * 0.13)
            os.kill(service.front() if turn % 2 else service.process.pid, signal.SIGKILL)
            if turn % 2:
                time.sleep(0.1)
            storm.stop()
            service.close()
            service = wait_until("the folder is free", self.serve_again)
            self.tell(service, storm)
            pending = call(service, "GET", "/v1/runs?verdict=none")[1]["runs"]
            self.assertEqual(pending, [])
            service.close()

    def serve_again(self):
        try:
            return self.serve(API_KEYS=KEYS)
        except AssertionError:
            return None


class Idempotency(Kept):
    def test_a_repeated_request_is_not_refused_by_what_it_uses_itself(self):
        token = make_key(self.folder, "--label=one", "--concurrency=1", "--rate=none")
        service = self.serve()
        file = upload(service, token)
        body = {"language": "bash", "code": "sleep 1; cat inputs/a",
                "files": [{"id": file, "path": "a"}]}

        def again():
            return call(service, "POST", "/v1/runs", body, token, idempotency_key="k")
        answers = []
        first = threading.Thread(target=lambda: answers.append(again()))
        first.start()
        wait_until("it is there", lambda: call(service, "GET", "/v1/runs", None, token)[1]["runs"])
        answers.append(again())
        first.join()
        call(service, "DELETE", f"/v1/files/{file}", None, token)
        answers.append(again())
        self.assertEqual([status for status, _ in answers], [200] * 3, answers)
        self.assertEqual(len({run["id"] for _, run in answers}), 1)
        self.assertEqual({run["stdout"] for _, run in answers}, {"hello"})

    def test_a_key_s_idempotency_keys_are_its_own(self):
        service = self.serve(API_KEYS=KEYS)
        runs = [call(service, "POST", "/v1/runs", {"language": "bash", "code": f"echo {token}"},
                     token, idempotency_key="same") for token in (ALICE, BOB)]
        self.assertEqual([run["stdout"] for _, run in runs], [f"{ALICE}\n", f"{BOB}\n"])


class Keys(Kept):
    def test_a_key_s_rate_holds_in_every_dialect(self):
        token = make_key(self.folder, "--label=slow", "--rate=0.001", "--burst=2")
        service = self.serve()
        body = {"language": "bash", "code": "echo"}
        self.assertEqual(call(service, "POST", "/execute", body, token)[0], 200)
        self.assertEqual(call(service, "POST", "/v1/runs", body, token)[0], 200)
        for path in ("/execute", "/session", "/v1/runs"):
            self.assertEqual(call(service, "POST", path, {**body, "language": "python"}, token)[0],
                             429, path)

    def test_nobody_sees_what_is_another_s(self):
        service = self.serve(API_KEYS=KEYS)
        run = start(service, ARTIFACT, wait=True, metadata={"who": "alice"})[1]
        live = start(service, "read x", on_disconnect="continue")[1]["id"]
        file = upload(service)
        session = call(service, "POST", "/session", {"language": "python", "code": "input()"})[1]
        for path in (f"/v1/runs/{run['id']}", f"/v1/runs/{run['id']}?request=true",
                     f"/v1/runs/{run['id']}/events", f"/v1/runs/{live}",
                     f"/v1/runs/{live}/events", f"/v1/runs?before={run['id']}",
                     f"/v1/files/{file}", f"/v1/files/{run['artifacts'][0]['id']}",
                     f"/v1/files?before={file}"):
            self.assertEqual(call(service, "GET", path, token=BOB)[0], 404, path)
        for path in (f"/v1/runs/{run['id']}", f"/v1/runs/{live}", f"/v1/files/{file}",
                     f"/v1/files/{run['artifacts'][0]['id']}"):
            self.assertEqual(call(service, "DELETE", path, token=BOB)[0], 404, path)
        for path in (f"/v1/runs/{run['id']}/stream", f"/v1/runs/{live}/stream",
                     f"/ws/session/{session['sessionId']}"):
            with self.assertRaises(Refused) as refused:
                WebSocket(service.port, path, Authorization=f"Bearer {BOB}")
            self.assertEqual(refused.exception.status, 404, path)
        for path in ("/v1/runs", "/v1/runs?metadata=who:alice"):
            self.assertEqual(call(service, "GET", path, token=BOB)[1]["runs"], [])
        self.assertEqual(call(service, "GET", "/v1/runs?all=true", token=BOB)[0], 403)
        answer = start(service, "cat inputs/a", BOB, True, files=[{"id": file, "path": "a"}])
        self.assertEqual((answer[0], answer[1]["error"]), (404, "uploaded file not found"))
        for method, path in (("GET", "/v1/keys"), ("POST", "/v1/keys"), ("DELETE", "/v1/keys/1")):
            self.assertEqual(call(service, method, path)[0], 403, method)
        call(service, "DELETE", f"/v1/runs/{live}")

    def test_nobody_sees_another_s_run_that_only_the_store_knows(self):
        service = self.serve(API_KEYS=KEYS)
        run = start(service, "echo hers", wait=True)[1]["id"]
        service.close()
        service = self.serve(API_KEYS=KEYS)
        for path in (f"/v1/runs/{run}", f"/v1/runs/{run}?request=true", f"/v1/runs/{run}/events"):
            self.assertEqual(call(service, "GET", path, token=BOB)[0], 404, path)
        with self.assertRaises(Refused) as refused:
            WebSocket(service.port, f"/v1/runs/{run}/stream", Authorization=f"Bearer {BOB}")
        self.assertEqual(refused.exception.status, 404)
        self.assertEqual(call(service, "DELETE", f"/v1/runs/{run}", token=BOB)[0], 404)
        events = service.request_raw("GET", f"/v1/runs/{run}/events", headers=bearer(ALICE))
        self.assertEqual(events[0], 200)
        self.assertIn("hers", str(events[2]))

    def test_another_s_session_of_engine_io(self):
        service = self.serve(API_KEYS=KEYS)
        path = "/socket.io/?EIO=4&transport=polling"
        opened = service.request_raw("GET", path, headers=bearer(ALICE))[2]
        sid = json.loads(opened[1:])["sid"]
        for headers in (bearer(BOB), {}):
            status = service.request_raw("GET", f"{path}&sid={sid}", headers=headers)[0]
            self.assertIn(status, (400, 401))


class Links(Kept):
    def test_what_is_changed_in_a_link_closes_it(self):
        service = self.serve(API_KEYS=KEYS)
        runs = [start(service, ARTIFACT, wait=True)[1] for _ in range(2)]
        url, other = (run["artifacts"][0]["url"] for run in runs)
        path = url[url.index("/v1"):]
        where, query = path.split("?")
        payload, sig = (part.split("=", 1)[1] for part in query.split("&"))
        text = base64.urlsafe_b64decode(payload + "==")
        self.assertEqual(service.request_raw("GET", path)[0], 200)

        def encode(changed):
            return base64.urlsafe_b64encode(changed).decode().rstrip("=")
        later = json.loads(text)
        later["exp"] += 1
        elsewhere = other[other.index("/v1"):].split("?")[0]
        wrong = [
            f"{where}?payload={payload}", f"{where}?sig={sig}", f"{where}?payload=&sig=",
            f"{where}?payload={payload}&sig={sig[:-1]}", f"{where}?payload={payload}&sig={sig}0",
            f"{where}?payload={payload}&sig={sig.upper()}",
            f"{where}?payload={payload}&sig={'0' * 64}", f"{elsewhere}?{query}",
            f"{where}?payload={encode(json.dumps(later, separators=(',', ':')).encode())}&sig={sig}",
            f"{where}?payload={encode(text + b' ')}&sig={sig}",
            f"{where}?payload=x&payload={payload}&sig={sig}",
            f"{where}?payload={payload}&sig=x&sig={sig}",
            f"{where}?payload={'A' * 7000}&sig={sig}", f"{where}x?{query}",
        ]
        for link in wrong:
            status, headers, answer = service.request_raw("GET", link)
            self.assertEqual(status, 403, (link, answer))
            self.assertNotIn(b"svg", answer)
        for link in (f"{where}?payload={payload}%00&sig={sig}%00x", f"{where}%00?{query}"):
            self.assertEqual(service.request_raw("GET", link)[0], 400)
        self.assertEqual(service.request_raw("DELETE", path)[0], 401)
        self.assertEqual(service.request_raw("GET", path)[0], 200)

    def test_names_stay_names(self):
        service = self.serve(API_KEYS=KEYS)
        code = ("import os\n"
                "for name in ['<img src=x onerror=1>.html', 'a\"; x=\"b.svg', 'a\\r\\nSet-Cookie: a=b',"
                " 'meta.json', '.hidden', '\\u202egnp.exe', 'é' * 100, '\\x01\\x1b[2J', '..x']:\n"
                "    open('outputs/' + name, 'w').write('x')\n")
        answer = call(service, "POST", "/v1/runs", {"language": "python", "code": code})[1]
        self.assertEqual(len(answer["artifacts"]), 9, answer)
        for artifact in answer["artifacts"]:
            url = artifact["url"]
            status, headers, content = service.request_raw("GET", url[url.index("/v1"):])
            headers = {name.lower(): value for name, value in headers.items()}
            self.assertEqual((status, content), (200, b"x"))
            self.assertNotIn("set-cookie", headers)
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertTrue(headers["content-disposition"].startswith("attachment; filename=\""))
            self.assertIn("sandbox", headers["content-security-policy"])


class Long(Kept):
    """Both streams full of what takes six bytes in JSON."""

    def make(self, service, size, **more):
        code = f"head -c {size} /dev/zero | tr '\\0' '\\1' | tee /dev/stderr"
        return start(service, code, limits={"max_output_bytes": size}, **more)[1]["id"]

    def test_slow_clients_of_long_answers_do_not_use_up_our_memory(self):
        service = self.serve(API_KEYS=KEYS)
        run = self.make(service, 2 << 20, wait=True)
        connections = []
        for path in [f"/v1/runs/{run}"] * 12 + [f"/v1/runs/{run}/events"] * 12:
            connection = socket.create_connection(("127.0.0.1", service.port), BOUND_S)
            self.addCleanup(connection.close)
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
                               f"Authorization: Bearer {ALICE}\r\n\r\n".encode())
            connections.append(connection)
        status = [connection.recv(100).split()[1] for connection in connections[:12]]
        self.assertIn(b"200", status)
        self.assertIn(b"503", status)
        self.assertLessEqual(status.count(b"200"), 4)
        self.assertEqual(start(service, "echo", BOB, True)[0], 200)
        for connection in connections:
            connection.close()
        wait_until("there is room again",
                   lambda: service.request_raw("GET", f"/v1/runs/{run}", None,
                                               bearer(ALICE))[0] == 200)

    def test_sockets_that_do_not_read_what_is_replayed(self):
        service = self.serve(API_KEYS=KEYS)
        run = self.make(service, 2 << 20, wait=True)
        other = start(service, "echo", BOB, wait=True)[1]["id"]
        service.close()
        service = self.serve(API_KEYS=KEYS)
        refused = 0
        for _ in range(12):
            try:
                opened = WebSocket(service.port, f"/v1/runs/{run}/stream",
                                   Authorization=f"Bearer {ALICE}")
                self.addCleanup(opened.socket.close)
            except Refused as error:
                self.assertEqual(error.status, 503)
                refused += 1
        self.assertGreater(refused, 0)
        with WebSocket(service.port, f"/v1/runs/{other}/stream",
                       Authorization=f"Bearer {BOB}") as reader:
            while reader.json().get("type") != "end":
                pass

    def test_messages_that_do_not_end(self):
        service = self.serve(API_KEYS=KEYS)
        path = "/socket.io/?EIO=4&transport=websocket"
        sockets = []
        for _ in range(24):
            sockets.append(WebSocket(service.port, path, Authorization=f"Bearer {ALICE}"))
            self.addCleanup(sockets[-1].socket.close)
            sockets[-1].send(TEXT, b"4" * 999_000, fin=False)
        codes = []
        for opened in sockets:
            opened.socket.settimeout(2)
            try:
                while True:
                    opened.message()
            except (Closed, TimeoutError) as end:
                codes.append(getattr(end, "code", None))
        self.assertEqual(set(codes), {None, 1013})
        self.assertLessEqual(codes.count(None), 16)
        with WebSocket(service.port, path, Authorization=f"Bearer {BOB}") as other:
            other.send(TEXT, b"40")
            while not other.message().startswith(b"40{"):
                pass

    def test_bodies_that_do_not_end(self):
        service = self.serve(API_KEYS=KEYS)
        head = (f"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ALICE}\r\n"
                "Content-Type: application/json\r\nContent-Length: 1048576\r\n\r\n").encode()
        code = "true " + "x" * 100_000
        for _ in range(64):
            opened = socket.create_connection(("127.0.0.1", service.port), BOUND_S)
            self.addCleanup(opened.close)
            opened.sendall(head + b" " * 1048575)
            if start(service, code, wait=True)[0] == 503:
                break
        self.assertEqual(start(service, code, wait=True)[0], 503)
        self.assertEqual(start(service, code, BOB, True)[0], 200)

    def test_a_record_is_whole_however_much_was_printed(self):
        service = self.serve(API_KEYS=KEYS)
        run = self.make(service, 10 << 20)
        with WebSocket(service.port, f"/v1/runs/{run}/stream",
                       Authorization=f"Bearer {ALICE}") as reader:
            while reader.json().get("type") != "end":
                pass
        service.close()
        record = call(self.serve(API_KEYS=KEYS), "GET", f"/v1/runs/{run}")
        self.assertEqual((record[0], record[1]["verdict"]), (200, "succeeded"))
        self.assertTrue(record[1]["stdout"].startswith("\1" * 1000000))


class Receiver(http.server.BaseHTTPRequestHandler):
    on_post = staticmethod(lambda: None)
    posts = []

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.posts.append(self.headers["webhook-id"])
        self.on_post()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Webhooks(Kept):
    def test_one_that_cannot_be_noted_is_not_sent_again_and_again(self):
        receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.addCleanup(receiver.server_close)
        self.addCleanup(receiver.shutdown)
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        service = self.serve(API_KEYS=KEYS, RUNNEL_WEBHOOK_NETWORKS="127.0.0.0/8")
        database = self.database()
        Receiver.posts = []
        posted, held = threading.Event(), threading.Event()
        Receiver.on_post = staticmethod(lambda: posted.set() or held.wait(BOUND_S))
        url = f"http://127.0.0.1:{receiver.server_port}/"
        status, run = start(service, "echo", webhook_url=url)
        self.assertEqual(status, 201, run)
        self.assertTrue(posted.wait(BOUND_S))
        database.execute("BEGIN IMMEDIATE")  # from here on the store writes nothing
        held.set()
        time.sleep(8)  # over the five seconds for which SQLite waits
        database.execute("ROLLBACK")
        time.sleep(6)
        self.assertEqual(Receiver.posts, [run["id"]])


if __name__ == "__main__":
    unittest.main()
