# SPDX-License-Identifier: MIT
"""src/broker/redis and src/fleet/members against a real Redis, through two small programs
that lie beside the unit tests."""

import json
import pathlib
import signal
import subprocess
import threading
import time
import unittest

import broker
from service import RUNNEL, wait_until

BUILD = pathlib.Path(RUNNEL).resolve().parent
TIMEOUT_MS = 1000
PATIENT_MS = 15000  # where much is done, and the machine may be busy


def setUpModule():
    if not broker.is_installed():
        raise unittest.SkipTest("no RabbitMQ or Redis here")


class Client:
    """A program, what it is told line by line, and what it has said."""

    def __init__(self, program, *arguments):
        self.said = []
        self.process = subprocess.Popen([BUILD / "tests/unit" / program, *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, bufsize=1)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends it, and says how it ended."""
        if self.process.stderr.closed:
            return self.process.returncode
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        with self.process.stdin:
            pass
        status = self.process.wait(20)
        self._reader.join(20)
        with self.process.stdout, self.process.stderr:
            errors = self.process.stderr.read()
        if errors:
            raise AssertionError(errors)
        return status

    def kill(self):
        self.process.kill()

    def tell(self, line):
        self.process.stdin.write(line + "\n")

    def wait(self, wanted, count=1, since=0):
        """The `count`th line behind `since` that begins so."""
        def found():
            lines = [line for line in self.said[since:] if line.startswith(wanted)]
            return lines[count - 1] if len(lines) >= count else None
        try:
            return wait_until(wanted, found)
        except AssertionError as error:
            raise AssertionError(f"{error}; said: {self.said}") from error

    def ask(self, words):
        """The answer to one command."""
        since = len(self.said)
        self.tell(f"send {words}")
        return self.wait("reply", since=since).split(" ", 2)[2]


class Commands(unittest.TestCase):
    def setUp(self):
        self.redis = broker.Redis()
        self.addCleanup(self.redis.close)

    def client(self, url=None, timeout_ms=TIMEOUT_MS):
        client = Client("broker/redis_client", url or self.redis.url, str(timeout_ms))
        self.addCleanup(client.close)
        return client

    def test_every_kind_of_answer(self):
        client = self.client()
        client.wait("connected")
        self.assertEqual(client.ask("GET nothing"), "nil ")
        self.assertEqual(client.ask("SET key value"), "string OK")
        self.assertEqual(client.ask("STRLEN key"), "integer 5")
        self.assertEqual(client.ask("LPUSH key value").split()[:2],
                         ["error", "WRONGTYPE%20Operation%20against%20a%20key%20holding%20the"
                                   "%20wrong%20kind%20of%20value"])
        client.ask("XADD stream 7-1 e bytes")
        self.assertEqual(client.ask("XRANGE stream - +").split(),
                         "array array string 7-1 array string e string bytes".split())
        self.assertEqual(client.ask("EVAL return%20{1,{},false} 0").split(),
                         "array integer 1 array nil".split())

    def test_a_pipeline_is_answered_in_order(self):
        client = self.client(timeout_ms=PATIENT_MS)
        client.wait("connected")
        client.tell("count 100000")
        self.assertEqual(client.wait("counted"), "counted 100000 in order")

    def test_bytes_stay_what_they_are(self):
        client = self.client()
        client.wait("connected")
        raw = "".join(f"%{byte:02x}" for byte in range(256))
        self.assertEqual(client.ask(f"SET bytes {raw}"), "string OK")
        self.assertEqual(client.ask("STRLEN bytes"), "integer 256")
        kind, text = client.ask("GET bytes").split(" ", 1)
        self.assertEqual(kind, "string")
        parts = text.replace("%", " %").split(" ")
        self.assertEqual(len(text) - 2 * text.count("%"), 256, parts)
        self.assertEqual(client.ask("GETRANGE bytes 0 2"), "string %00%01%02")

    def test_a_large_value_comes_whole(self):
        client = self.client(timeout_ms=PATIENT_MS)
        client.wait("connected")
        client.ask("SETRANGE large 33554431 x")
        self.assertEqual(client.ask("GET large"), "string of 33554432 bytes")
        # And one that is larger than any that is wanted is not taken.
        client.ask("SETRANGE larger 70000000 x")
        client.tell("send GET larger")
        self.assertIn("an answer of more than 64 MiB", client.wait("lost"))
        client.wait("connected", 2)

    def test_channels_are_counted(self):
        one, other = self.client(), self.client()
        for client in (one, other):
            client.wait("connected")
        one.tell("subscribe news")
        one.wait("ready news")
        one.tell("subscribe news")
        one.wait("ready news", 2)
        self.assertEqual(other.ask("PUBLISH news %00one%0a"), "integer 1")
        self.assertEqual(one.wait("message"), "message news %00one%0a")
        one.tell("unsubscribe news")
        self.assertEqual(one.ask("PUBSUB NUMSUB news").split()[-1], "1")
        one.tell("unsubscribe news")
        wait_until("nobody listens", lambda: other.ask("PUBLISH news two") == "integer 0")

    def test_commands_and_channels_are_both_back_after_a_restart(self):
        client = self.client()
        client.wait("connected")
        for number in range(300):
            client.tell(f"subscribe c{number}")
        client.wait("ready c299")
        for count in range(2, 5):
            (self.redis.kill if count % 2 else self.redis.stop)()
            client.wait("lost", count - 1)
            self.redis.start()
            client.wait("connected", count)
            self.assertEqual(client.ask("PUBLISH c7 again"), "integer 1")
            client.wait("message c7 again", count - 1)
            self.assertEqual(client.ask("PUBSUB NUMSUB c0 c299"),
                             "array  string c0 integer 1 string c299 integer 1")

    def test_what_is_in_flight_when_it_ends_is_lost_and_told(self):
        client = self.client()
        client.wait("connected")
        client.tell("send BLPOP nothing 0")
        client.tell("send GET key")
        time.sleep(0.2)
        self.redis.kill()
        client.wait("lost")
        self.assertEqual([line for line in client.said if line.startswith("reply")],
                         ["reply 1 lost", "reply 2 lost"])
        client.tell("send GET key")
        client.wait("refused 3")

    def test_one_that_stands_still_is_lost_in_time(self):
        client = self.client()
        client.wait("connected")
        self.redis.freeze()
        began = time.monotonic()
        client.tell("send GET key")
        self.assertEqual(client.wait("reply 1"), "reply 1 lost")
        self.assertGreater(time.monotonic() - began, 0.3)
        client.wait("lost")
        client.wait("lost", 3)  # the kernel connects for it, and nobody answers
        self.redis.thaw()
        client.wait("connected", 2)
        self.assertEqual(client.ask("SET key value"), "string OK")

    def test_an_idle_one_that_stands_still_is_noticed(self):
        client = self.client()
        client.wait("connected")
        time.sleep(2)  # longer than an answer may take: it is asked meanwhile
        self.assertNotIn("lost", " ".join(client.said))
        self.redis.freeze()
        client.wait("lost")
        self.redis.thaw()
        client.wait("connected", 2)

    def test_all_keys_gone_is_no_loss(self):
        client = self.client()
        client.wait("connected")
        client.tell("subscribe news")
        client.wait("ready")
        client.ask("SET key value")
        client.ask("FLUSHALL")
        self.assertEqual(client.ask("GET key"), "nil ")
        client.ask("PUBLISH news still")
        client.wait("message news still")
        self.assertNotIn("lost", " ".join(client.said))

    def test_the_server_may_hang_up_on_whom_it_likes(self):
        client = self.client()
        client.wait("connected")
        for kind in ("pubsub", "normal"):
            client.tell("subscribe news")
            client.wait("ready")
            count = len([line for line in client.said if line == "connected"])
            client.tell(f"send CLIENT KILL TYPE {kind} SKIPME no")
            client.wait("lost", count)
            client.wait("connected", count + 1)

    def test_it_introduces_itself(self):
        client = self.client(self.redis.url[:-1] + "3")
        client.wait("connected")
        listed = client.ask("CLIENT LIST")
        self.assertEqual(listed.count("name=redis_client"), 2)
        self.assertEqual(listed.count("db=3"), 2)


class Passwords(unittest.TestCase):
    def test_only_the_right_one_is_let_in(self):
        with broker.Redis() as redis:
            place = f"127.0.0.1:{redis.port}"
            with Client("broker/redis_client", redis.url, "1000") as client:
                client.wait("connected")
                client.ask("ACL SETUSER me on >other@pw ~* &* +@all")
                client.ask("CONFIG SET requirepass s%25ame")
                rows = ((f"redis://:s%25ame@{place}", "connected"),
                        (f"redis://me:other%40pw@{place}", "connected"),
                        (f"redis://{place}", "lost"), (f"redis://:wrong@{place}", "lost"),
                        (f"redis://me:wrong@{place}", "lost"))
                for url, expected in rows:
                    with self.subTest(url), Client("broker/redis_client", url, "1000") as other:
                        line = other.wait(expected)
                        self.assertNotIn("wrong", line)
                        self.assertIn("NOAUTH" if url == rows[2][0] else "", line)

    def test_an_address_that_is_none_is_refused_at_once(self):
        with Client("broker/redis_client", "http://127.0.0.1", "1000") as client:
            self.assertEqual(client.process.wait(20), 70)


class Members(unittest.TestCase):
    def setUp(self):
        self.redis = broker.Redis()
        self.addCleanup(self.redis.close)

    def member(self, *arguments):
        client = Client("fleet/members_client", self.redis.url, *arguments)
        self.addCleanup(client.close)
        return client

    def keys(self):
        listed = subprocess.run(["redis-cli", "-p", str(self.redis.port), "--raw", "SMEMBERS",
                                 "runnel:members"], stdout=subprocess.PIPE, text=True,
                                errors="replace", check=True)
        return sorted(listed.stdout.split())

    def test_all_see_all(self):
        worker = self.member("worker", "w1", "c python")
        front = self.member("front", "f1", "")
        expected = "members 2: worker:w1[c python] front:f1[] slots 2 free 1 service 250 python yes"
        worker.wait(expected)
        front.wait(expected)
        self.member("worker", "w2", "bash")
        front.wait("members 3: worker:w1[c python] worker:w2[bash] front:f1[] slots 4 free 2")
        self.member("reader").wait("members 3:")
        self.assertEqual(self.keys(), ["runnel:front:f1", "runnel:worker:w1", "runnel:worker:w2"])

    def test_who_ends_says_so(self):
        worker = self.member("worker", "w1", "python")
        front = self.member("front", "f1", "")
        front.wait("members 2:")
        before = len(front.said)
        self.assertEqual(worker.close(), 0)
        wait_until("it is forgotten", lambda: self.keys() == ["runnel:front:f1"])
        self.assertIn("python no", front.wait("members 1:", since=before))

    def test_who_dies_is_gone_when_his_time_is_over(self):
        worker = self.member("worker", "w1", "python")
        front = self.member("front", "f1", "")
        front.wait("members 2:")
        before = len(front.said)
        worker.kill()
        front.wait("members 1: front:f1", since=before)
        self.assertEqual(self.keys(), ["runnel:front:f1"])

    def test_a_name_is_one_process_s(self):
        first = self.member("worker", "w1", "python")
        first.wait("members 1:")
        second = self.member("worker", "w1", "bash")
        line = second.wait("refused")
        self.assertIn('the name "w1" is taken: a worker on host', line)
        self.assertEqual(second.process.wait(20), 78)
        self.member("front", "w1", "").wait("members 2: worker:w1[python] front:w1[]")
        self.assertNotIn("refused", " ".join(first.said))

    def test_a_name_is_taken_over_from_one_that_was_killed(self):
        first = self.member("worker", "w1", "python")
        first.wait("members 1:")
        first.kill()
        second = self.member("worker", "w1", "bash")
        second.wait("members 1: worker:w1[bash]")
        self.assertNotIn("refused", " ".join(second.said))

    def test_a_redis_that_forgot_everything_is_told_again(self):
        worker = self.member("worker", "w1", "python")
        front = self.member("front", "f1", "")
        front.wait("members 2:")
        before = len(front.said)
        with Client("broker/redis_client", self.redis.url, "1000") as client:
            client.wait("connected")
            client.ask("FLUSHALL")
        wait_until("both are back", lambda: len(self.keys()) == 2)
        time.sleep(3)
        self.assertEqual(front.said[before:], [], "nobody was called gone")
        self.redis.kill()
        self.redis.start()
        wait_until("both are back", lambda: len(self.keys()) == 2)
        self.assertNotIn("members 1", " ".join(front.said[before:]))
        self.assertFalse([line for line in worker.said + front.said if line.startswith("refused")])

    def test_a_redis_that_refuses_writes_calls_nobody_gone(self):
        """Their keys end, and it answers all the same."""
        self.member("worker", "w1", "python")
        front = self.member("front", "f1", "")
        front.wait("members 2:")
        for begin, end in (("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
                           ("ACL SETUSER default -@write", "ACL SETUSER default +@all")):
            with self.subTest(begin), Client("broker/redis_client", self.redis.url, "1000") as client:
                client.wait("connected")
                before = len(front.said)
                client.ask(begin)
                wait_until("their keys have ended", lambda: client.ask(
                    "EXISTS runnel:worker:w1 runnel:front:f1") == "integer 0")
                late = self.member("front", f"late{before}", "")
                time.sleep(4)  # three readings, and one
                self.assertEqual(front.said[before:], [])
                client.ask(end)
                front.wait("members 3: worker:w1[python] front:f1[]", since=before)
                self.assertNotIn("members 1", " ".join(front.said[before:]))
                late.close()
                front.wait("members 2: worker:w1[python] front:f1[]", since=before)

    def test_what_others_leave_in_its_place_does_no_harm(self):
        front = self.member("front", "f1", "")
        front.wait("members 1:")
        with Client("broker/redis_client", self.redis.url, "1000") as client:
            client.wait("connected")
            client.ask("SADD runnel:members runnel:worker:gone runnel:worker:text hash %00%ff")
            client.ask("SET runnel:worker:text {nonsense")
            client.ask("HSET hash field value")
            worker = {"fleet_version": 1, "kind": "worker", "name": "w9", "slots": 1 << 60}
            client.ask("SET runnel:worker:w9 " +
                       "".join(f"%{byte:02x}" for byte in json.dumps(worker).encode()))
            client.ask("SADD runnel:members runnel:worker:w9")
            self.member("front", "f2", "").wait("members 2: front:f1[] front:f2[]")
            wait_until("what is gone is dropped",
                       lambda: "runnel:worker:gone" not in self.keys())
        self.assertIsNone(front.process.poll())


if __name__ == "__main__":
    unittest.main()
