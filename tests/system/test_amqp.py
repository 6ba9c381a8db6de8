# SPDX-License-Identifier: MIT
"""The connection to a broker (src/broker/amqp.h) against a real RabbitMQ: what is
published and taken, and what becomes of it when the broker ends, freezes or refuses."""

import os
import pathlib
import queue
import re
import subprocess
import threading
import time
import unittest

import broker
from broker import RabbitMQ
from service import BOUND_S, RUNNEL, wait_until

CLIENT = str(pathlib.Path(RUNNEL).parent / "tests" / "unit" / "broker" / "amqp_client")
MISSING = "RabbitMQ, Redis or the client (ninja) is not there"
IS_THERE = broker.is_installed() and os.path.exists(CLIENT)
HEARTBEAT_S = 2

rabbit = None  # one for all tests: it takes seconds to start


def setUpModule():
    global rabbit  # pylint: disable=global-statement
    if IS_THERE:
        rabbit = RabbitMQ()


def tearDownModule():
    if rabbit:
        rabbit.close()


def sum_of(size):
    """What amqp_client says of a body that it made."""
    total = 0
    for i in range(size):
        total = (total * 31 + ((i * 7 + i // 1000) & 255)) & 0xffffffff
    return total


class Client:
    """amqp_client: calls are sent as lines, callbacks are waited for."""

    def __init__(self, prefix, url=None, prefetch=10, topology="work", connect=True):
        self.process = subprocess.Popen(
            [CLIENT, url or rabbit.url, prefix, str(prefetch), str(HEARTBEAT_S), topology],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
            # A leak check stops the process, which the filter does not let happen.
            env={**os.environ, **({"ASAN_OPTIONS": "detect_leaks=0"}
                                  if topology == "filtered" else {})})
        self.lines = queue.Queue()
        self.passed = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if connect:
            self.wait("connected")

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdin.close()
        self.process.stdout.close()

    def call(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")

    def wait(self, pattern, seconds=BOUND_S):
        """The match of the first line that matches; what came before is in `passed`."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no {pattern} within {seconds} s, but {self.passed[-20:]}")
            match = re.match(pattern, line)
            if match:
                return match
            self.passed.append(line)

    def silence(self, seconds=0.5):
        """That nothing comes."""
        time.sleep(seconds)
        if not self.lines.empty():
            raise AssertionError(f"{self.lines.get()} was not expected")

    def publish(self, token, *words, size=100):
        self.call("publish", token, *words[:2], size, *words[2:])

    def outcomes(self, count):
        """{token: outcome} of the next ones, in whatever order."""
        matches = [self.wait(r"published (\d+) (\w+)") for _ in range(count)]
        return {int(match[1]): match[2] for match in matches}

    def outcome(self, token):
        return self.outcomes(1)[token]

    def delivered(self, what="delivered"):
        """(connection, tag, {field: text}) of the next delivery."""
        match = self.wait(rf"{what} (\d+) (\d+) (\S+) (.*)")
        return match[1], match[2], dict(field.split("=", 1) for field in match[4].split())

    def settle(self, delivery, how):
        self.call("settle", *delivery[:2], how)

    def count(self, name):
        self.call("count", name)
        return int(self.wait(r"counted (-?\d+)")[1])

    def free(self, linger_ms):
        """How long it took, in ms."""
        self.call("free", linger_ms)
        return int(self.wait(r"freed (\d+)")[1])


class Case(unittest.TestCase):
    def prefix(self):
        return self.id().rsplit(".", 1)[-1] + "."

    def client(self, **options):
        return Client(self.prefix(), **options)


@unittest.skipUnless(IS_THERE, MISSING)
class Messages(Case):
    def test_what_is_published_is_confirmed_delivered_and_settled(self):
        with self.client() as client:
            client.publish(7, "jobs", "work", "mandatory")
            self.assertEqual(client.outcome(7), "stored")
        with self.client() as client:
            delivery = client.delivered()
            self.assertEqual((delivery[2]["key"], delivery[2]["id"], delivery[2]["bytes"]),
                             ("work", "7", "100"))
            client.settle(delivery, "ack")
            self.assertLess(client.free(1000), 1000)
        with self.client() as client:
            client.silence()

    def test_bodies_of_up_to_16_mib_come_whole_and_larger_ones_without(self):
        sizes = (0, 1, 131063, 131064, 131065, 16 << 20)
        with self.client() as client:
            for token, size in enumerate(sizes):
                client.publish(token, "jobs", "work", size=size)
            found = [client.delivered() for _ in sizes]
            for delivery, size in zip(found, sizes):
                self.assertEqual(delivery[2]["bytes"], str(size))
                if size < 200000:
                    self.assertEqual(delivery[2]["sum"], str(sum_of(size)))
                client.settle(delivery, "ack")
            client.publish(99, "jobs", "work", size=(16 << 20) + 1)
            large = client.delivered()
            self.assertEqual([large[2][name] for name in ("id", "bytes", "size")],
                             ["99", "0", str((16 << 20) + 1)])
            client.settle(large, "reject")
            wait_until("it is a dead letter", lambda: client.count("dead") == 1)
            client.publish(100, "-", "dead")
            self.assertEqual(client.outcome(100), "stored")
            client.call("get", "dead")
            large = client.delivered("got")
            self.assertEqual([large[2][name] for name in ("id", "bytes", "size", "reason")],
                             ["99", "0", str((16 << 20) + 1), "rejected"])
            client.call("get", "dead")
            self.assertEqual(client.delivered("got")[2]["id"], "100")
            client.settle(large, "requeue")
            wait_until("it is there still", lambda: client.count("dead") == 1)

    def test_a_mandatory_message_without_a_queue_is_unroutable(self):
        with self.client() as client:
            client.publish(1, "jobs", "nowhere", "mandatory")
            client.publish(2, "jobs", "nowhere")
            client.publish(3, "jobs", "work", "mandatory")
            client.publish(4, "-", "nowhere", "mandatory")
            self.assertEqual(client.outcomes(4), {1: "unroutable", 2: "stored", 3: "stored",
                                                  4: "unroutable"})

    def test_a_full_queue_refuses(self):
        with self.client() as client:
            for token, outcome in ((1, "stored"), (2, "stored"), (3, "refused")):
                client.publish(token, "-", "small")
                self.assertEqual(client.outcome(token), outcome)

    def test_everything_works_under_the_system_call_filter_of_the_front(self):
        by_name = rabbit.url.replace("127.0.0.1", "localhost")
        for url in (rabbit.url, by_name):
            with self.client(url=url, topology="filtered") as client:
                client.publish(1, "jobs", "work", "mandatory", size=1 << 20)
                self.assertEqual(client.outcome(1), "stored")
                client.settle(client.delivered(), "ack")
                self.assertEqual(client.count("dead"), 0)
                client.silence(2 * HEARTBEAT_S)
                self.assertLess(client.free(1000), 1000)

    def test_ten_thousand_messages_at_once_are_all_confirmed(self):
        with self.client(topology="topology") as client:
            began = time.monotonic()
            for token in range(10000):
                client.publish(token, "-", "dead")
            outcomes = client.outcomes(10000)
            print(f"# 10000 messages stored in {time.monotonic() - began:.1f} s")
            self.assertEqual(set(outcomes.values()), {"stored"})
            self.assertEqual(client.count("dead"), 10000)

    def test_more_than_64_mib_do_not_wait(self):
        with self.client(topology="topology") as client:
            rabbit.freeze()
            try:
                for token in range(5):
                    client.publish(token, "-", "dead", size=15 << 20)
                client.wait("refused 4 .*64 MiB")
            finally:
                rabbit.thaw()
            outcomes = client.outcomes(4)
            self.assertEqual(sorted(outcomes), [0, 1, 2, 3])

    def test_no_more_is_delivered_than_prefetch_says(self):
        with self.client(prefetch=3) as client:
            for token in range(5):
                client.publish(token, "jobs", "work")
            found = [client.delivered() for _ in range(3)]
            client.silence()
            client.settle(found[0], "ack")
            self.assertEqual(client.delivered()[2]["id"], "3")
            client.silence()

    def test_hold_stops_what_is_delivered_and_starts_it_again(self):
        with self.client(prefetch=1) as client:
            client.publish(1, "jobs", "work")
            held = client.delivered()
            client.call("hold", "yes")
            client.settle(held, "ack")
            client.publish(2, "jobs", "work")
            self.assertEqual(client.outcome(2), "stored")
            client.silence()
            client.call("hold", "no")
            self.assertEqual(client.delivered()[2]["id"], "2")

    def test_requeued_deliveries_are_counted_and_end_as_dead_letters(self):
        with self.client() as client:
            client.publish(1, "jobs", "work")
            for count in range(4):
                delivery = client.delivered()
                self.assertEqual(delivery[2]["count"], str(count))
                client.settle(delivery, "requeue")
            wait_until("it is a dead letter", lambda: client.count("dead") == 1)
            client.call("get", "dead")
            dead = client.delivered("got")
            self.assertEqual((dead[2]["id"], dead[2]["reason"], dead[2]["from"]),
                             ("1", "delivery_limit", self.prefix() + "work"))
            client.settle(dead, "ack")
            client.call("get", "dead")
            client.wait("got nothing")

    def test_what_is_rejected_is_a_dead_letter(self):
        with self.client() as client:
            client.publish(1, "jobs", "work")
            client.settle(client.delivered(), "reject")
            wait_until("it is a dead letter", lambda: client.count("dead") == 1)
            client.call("get", "dead")
            self.assertEqual(client.delivered("got")[2]["reason"], "rejected")

    def test_questions_about_a_queue_that_is_not_there_harm_nobody(self):
        with self.client() as client:
            client.publish(1, "-", "dead")
            self.assertEqual(client.outcome(1), "stored")
            client.call("get", "dead")
            found = client.delivered("got")
            for _ in range(3):
                client.call("count", "nowhere")
                client.call("get", "nowhere")
                client.wait("counted -1")
                client.wait("got nothing")
            client.settle(found, "ack")  # of a channel that is gone: it came back
            wait_until("it is back", lambda: client.count("dead") == 1)
            self.assertFalse([line for line in client.passed if line.startswith("lost")])


@unittest.skipUnless(IS_THERE, MISSING)
class Losses(Case):
    def test_a_wrong_password_is_said_without_the_password(self):
        url = f"amqp://guest:se%63ret@127.0.0.1:{rabbit.port}/"
        with self.client(url=url, connect=False) as client:
            for _ in range(2):
                said = client.wait("lost (.*)")[1]
                self.assertRegex(said, "refuses the login: ACCESS_REFUSED")
                self.assertNotRegex(said, "secret|se%63ret")
            self.assertLess(client.free(5000), 500)

    def test_a_vhost_that_is_not_there_is_said(self):
        with self.client(url=rabbit.url + "nowhere", connect=False) as client:
            client.wait("lost .*refuses the login: .*nowhere")

    def test_a_declaration_that_contradicts_is_said_in_the_brokers_words(self):
        with self.client() as client, self.client(topology="conflict", connect=False) as other:
            for _ in range(3):
                other.wait(rf"lost .*refuses {self.prefix()}small: PRECONDITION_FAILED.*max-length")
            client.silence(0)

    def test_a_message_to_no_exchange_is_a_loss_and_everything_goes_on(self):
        with self.client() as client:
            client.publish(1, "nowhere", "work")
            client.wait("lost .*refuses a message: NOT_FOUND.*no exchange")
            self.assertEqual(client.outcome(1), "unknown")
            client.wait("connected")
            client.publish(2, "jobs", "work")
            self.assertEqual(client.outcome(2), "stored")

    def test_a_queue_that_is_deleted_is_declared_again(self):
        with self.client() as client:
            rabbit.control("delete_queue", self.prefix() + "work")
            client.wait("lost .*no queue .*work any more")
            client.wait("connected")
            client.publish(1, "jobs", "work", "mandatory")
            self.assertEqual(client.outcome(1), "stored")
            self.assertEqual(client.delivered()[2]["id"], "1")

    def test_a_broker_without_memory_holds_messages_back(self):
        with self.client() as client:
            rabbit.control("set_vm_memory_high_watermark", "0.00001")
            try:
                client.publish(1, "jobs", "work")
                client.publish(2, "jobs", "work", size=1 << 20)
                client.silence(3 * HEARTBEAT_S)
            finally:
                rabbit.control("set_vm_memory_high_watermark", "0.4")
            self.assertEqual(client.outcomes(2), {1: "stored", 2: "stored"})

    def test_an_owner_that_is_busy_keeps_its_connection(self):
        with self.client() as client:
            client.call("sleep", 4000 * HEARTBEAT_S)
            client.publish(1, "jobs", "work")
            self.assertEqual(client.outcome(1), "stored")
            self.assertFalse(client.passed)

    def test_a_broker_that_freezes_is_noticed(self):
        with self.client() as client:
            rabbit.freeze()
            try:
                began = time.monotonic()
                client.publish(1, "jobs", "work")
                client.wait("lost .*no sign of life")
                self.assertLess(time.monotonic() - began, 3 * HEARTBEAT_S + 1)
                self.assertEqual(client.outcome(1), "unknown")
                client.publish(2, "jobs", "work")
                client.wait("refused 2 the broker cannot be reached")
            finally:
                rabbit.thaw()
            client.wait("connected")

    def test_what_was_confirmed_survives_a_broker_that_is_killed(self):
        with self.client(topology="topology") as client:
            # RabbitMQ itself loses a queue that it wrote down a moment before (Mnesia).
            time.sleep(4)
            client.publish(0, "jobs", "work", "mandatory")
            self.assertEqual(client.outcome(0), "stored")
            killer = threading.Timer(0.3, rabbit.kill)
            killer.start()
            for token in range(1, 3000):
                client.publish(token, "jobs", "work", "mandatory")
                time.sleep(0.0003)
            client.wait("lost")
            killer.join()
            rabbit.start()
            client.wait("connected", broker.START_S)
            client.call("count", "work")
            client.wait("counted")
            told = [line.split() for line in client.passed if line.startswith("published")]
            stored = {int(words[1]) for words in told if words[2] == "stored"}
            stored.add(0)
            self.assertLess(len(stored), 3000)
            self.assertEqual(len(told), len({words[1] for words in told}))
        with self.client(prefetch=1000) as client:
            found = set()
            while not stored <= found:
                delivery = client.delivered()
                client.settle(delivery, "ack")
                found.add(int(delivery[2]["id"]))

    def test_everything_is_declared_again_for_a_broker_that_forgot(self):
        with RabbitMQ() as own, self.client(url=own.url) as client:
            own.stop()
            client.wait("lost")
            own.forget()
            own.start()
            client.wait("connected", broker.START_S)
            client.publish(1, "jobs", "work", "mandatory")
            self.assertEqual(client.outcome(1), "stored")
            self.assertEqual(client.delivered()[2]["id"], "1")


if __name__ == "__main__":
    unittest.main()
