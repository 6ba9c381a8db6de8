# SPDX-License-Identifier: MIT
"""`runnel workers` and `runnel jobs` over a real Redis and a real RabbitMQ, in which the
tests put what workers and fronts would."""

import json
import re
import subprocess
import unittest

import broker
from amqp_client import Amqp
from broker import RabbitMQ, Redis
from redis_client import RedisClient
from service import BOUND_S, RUNNEL, wait_until

HEAD = ["ID", "STATE", "LANGUAGE", "LANE", "ATTEMPT", "WORKER", "SUBMITTED", "(UTC)"]

redis = rabbit = None


def setUpModule():
    global redis, rabbit  # pylint: disable=global-statement
    if broker.is_installed():
        redis = Redis()
        rabbit = RabbitMQ()


def tearDownModule():
    for server in (rabbit, redis):
        if server:
            server.close()


def job(identity, lane="normal", **more):
    return {"fleet_version": 1, "id": identity, "front": "front-1", "submitted_ms": 1790000000123,
            "lane": lane, "language": "python", "profile": "runs", "limits": {"memory_mb": 64},
            **more}


def result(identity, verdict="succeeded", **more):
    return {"fleet_version": 1, "id": identity, "worker": "box-7", "attempt": 1,
            "verdict": verdict, "reason": "as it is", "exit_code": 0, "wall_ms": 12, **more}


def member(name, kind="worker", **more):
    return {"fleet_version": 1, "kind": kind, "name": name, "host": "here", "version": "0.1.0",
            "slots": 8, "running": 3, "memory_bytes": 16 << 30, "promised_bytes": 3 << 30,
            "load_milli": 1250, "languages": ["c", "python"], **more}


@unittest.skipUnless(broker.is_installed(), "RabbitMQ or Redis is not there")
class Verbs(unittest.TestCase):
    def setUp(self):
        self.redis = RedisClient(redis.url)
        self.addCleanup(self.redis.close)
        self.redis("FLUSHALL")

    def runnel(self, *words, status=0, broker_url=None):
        """stdout, or what was said on stderr when another status is wanted."""
        flags = [f"--stream={redis.url}"]
        if broker_url:
            flags.append(f"--broker={broker_url}")
        done = subprocess.run([RUNNEL, *words, *flags], capture_output=True, text=True,
                              timeout=BOUND_S, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout if status == 0 else done.stderr

    def put_run(self, described, *fields):
        key = f"runnel:run:{described['id']}"
        self.redis("HSET", key, "job", json.dumps(described), *fields)
        self.redis("ZADD", "runnel:runs", str(self.redis("ZCARD", "runnel:runs")), described["id"])


class Workers(Verbs):
    def put_member(self, described):
        key = f"runnel:{described['kind']}:{described['name']}"
        self.redis("SET", key, json.dumps(described))
        self.redis("SADD", "runnel:members", key)

    def test_nobody_is_there(self):
        self.assertEqual(self.runnel("workers", "--json"), "[]\n")

    def test_workers_are_listed_and_fronts_are_not(self):
        self.put_member(member("box-7"))
        self.put_member(member("box-8", draining=True, memory_bytes=0))
        self.put_member(member("box-9", without_broker=True))
        self.put_member(member("front-1", kind="front"))
        self.redis("SADD", "runnel:members", "runnel:worker:gone")
        first, second, third = json.loads(self.runnel("workers", "--json"))
        self.assertEqual([first["name"], first["host"], first["slots"], first["running"]],
                         ["box-7", "here", 8, 3])
        self.assertEqual([first["memory_promised_bytes"], first["memory_free_bytes"]],
                         [3 << 30, 13 << 30])
        self.assertEqual([first["load"], first["languages"], first["draining"]],
                         [1.25, ["c", "python"], False])
        self.assertEqual([second["name"], second["memory_free_bytes"], second["draining"]],
                         ["box-8", None, True])
        lines = self.runnel("workers").splitlines()
        self.assertEqual(len(lines), 4)
        self.assertIn("draining", lines[2])
        self.assertEqual([first["broker_connected"], third["broker_connected"]], [True, False])
        self.assertIn("no broker", lines[3])

    def test_what_is_no_member_is_passed_over(self):
        for number, text in enumerate(["", "nonsense", "{}", json.dumps(member("a b"))]):
            self.redis("SET", f"runnel:worker:{number}", text)
            self.redis("SADD", "runnel:members", f"runnel:worker:{number}")
        self.assertEqual(self.runnel("workers", "--json"), "[]\n")

    def test_an_answer_that_is_an_error_is_told(self):
        self.redis("SET", "runnel:members", "of another kind")
        self.assertIn("WRONGTYPE", self.runnel("workers", status=69))


class Jobs(Verbs):
    def test_the_newest_stand_first_and_the_ended_are_left_out(self):
        self.put_run(job("waits"))
        self.put_run(job("runs", "high"), "state", "running", "attempt", "1", "worker", "box-7")
        self.put_run(job("ended", "low"), "state", "finished", "attempt", "2", "result",
                     json.dumps(result("ended", "timeout")))
        self.redis("ZADD", "runnel:runs", "99", "expired")
        lines = [line.split() for line in self.runnel("jobs").splitlines()]
        self.assertEqual(lines, [HEAD,
                                 ["runs", "running", "python", "high", "1", "box-7",
                                  "2026-09-21", "14:13:20"],
                                 ["waits", "queued", "python", "normal", "0",
                                  "2026-09-21", "14:13:20"]])
        everything = json.loads(self.runnel("jobs", "list", "--all", "--json"))
        self.assertEqual([(row["id"], row["state"], row.get("verdict")) for row in everything],
                         [("ended", "finished", "timeout"), ("runs", "running", None),
                          ("waits", "queued", None)])

    def test_one_is_shown(self):
        self.put_run(job("waits"))
        self.put_run(job("ended"), "attempt", "2", "worker", "box-7", "result",
                     json.dumps(result("ended")))
        self.assertIn("state      queued\n", self.runnel("jobs", "show", "waits"))
        shown = self.runnel("jobs", "show", "ended")
        self.assertIn("verdict    succeeded\n", shown)
        self.assertIn("worker     box-7\n", shown)
        shown = json.loads(self.runnel("jobs", "show", "ended", "--json"))
        self.assertEqual([shown["attempt"], shown["job"], shown["result"]],
                         [2, job("ended"), result("ended")])
        self.assertIn("there is no job nobody", self.runnel("jobs", "show", "nobody", status=66))

    def test_what_redis_holds_cannot_play_with_the_terminal(self):
        self.put_run(job("odd"), "state", "\033[31mred", "worker", "\033]0;title\007",
                     "attempt", "-1", "cancel", "a\nb\033c")
        for words in (["jobs"], ["jobs", "show", "odd"]):
            self.assertNotIn("\033", self.runnel(*words))

    def test_cancel_is_written_down_and_told(self):
        self.put_run(job("waits"))
        with RedisClient(redis.url) as listener:
            listener.subscribe("runnel:commands:waits")
            self.assertEqual(self.runnel("jobs", "cancel", "waits"), "job waits is cancelled\n")
            self.assertEqual(listener.message(), b"1 cancel\nan operator stopped it")
        self.assertEqual(self.redis("HGET", "runnel:run:waits", "cancel"),
                         b"an operator stopped it")
        self.put_run(job("runs"), "state", "running")
        self.assertEqual(self.runnel("jobs", "cancel", "runs"), "job runs is told to end\n")
        self.put_run(job("ended"), "result", json.dumps(result("ended")))
        self.assertIn("has ended already", self.runnel("jobs", "cancel", "ended", status=65))
        self.runnel("jobs", "cancel", "nobody", status=66)
        self.assertIn("verdict    cancelled\nreason     an operator stopped it\n",
                      self.runnel("jobs", "show", "waits"))
        self.assertEqual(self.redis("HGET", "runnel:run:runs", "result"), None)
        self.assertEqual(self.redis("EXISTS", "runnel:run:nobody"), 0)

    def test_mistakes_are_told(self):
        for words in (["dance"], ["show"], ["cancel"], ["dead", "show"], ["list", "a"],
                      ["show", "a b"], ["show", "x" * 40]):
            self.runnel("jobs", *words, status=64)
        self.assertIn("--broker", self.runnel("jobs", "dead", status=78))
        self.runnel("jobs", "dead", status=69, broker_url="amqp://guest:wrong@127.0.0.1:1/")


class Dead(Verbs):
    def setUp(self):
        super().setUp()
        self.amqp = Amqp(rabbit.url)
        self.addCleanup(self.amqp.close)
        self.amqp.declare_exchange("runnel.jobs", "direct")
        self.amqp.declare("runnel.dead", durable=True, arguments={"x-queue-type": "quorum"})
        self.addCleanup(self.amqp.delete, "runnel.dead")
        for body in (json.dumps(job("one", "high", source="print(1)")), "no job",
                     json.dumps(job("two", "low", source="print(2)", input_stays_open=True))):
            self.amqp.publish("", "runnel.dead", body.encode())

    def dead(self, *words, status=0):
        return self.runnel("jobs", "dead", *words, status=status, broker_url=rabbit.url)

    def wait_until_there_are(self, count):
        wait_until(f"{count} dead jobs", lambda: self.amqp.count("runnel.dead") == count)

    def test_looking_takes_nothing_away(self):
        for _ in range(3):
            rows = json.loads(self.dead("--json"))
            self.assertEqual(sorted(str(row["id"]) for row in rows), ["None", "one", "two"])
            self.wait_until_there_are(3)
        self.assertEqual(len(self.dead().splitlines()), 4)
        self.wait_until_there_are(3)
        self.assertEqual(json.loads(self.dead("show", "two", "--json"))["source"], "print(2)")
        self.wait_until_there_are(3)
        self.assertIn("there is no dead job three", self.dead("show", "three", status=66))

    def test_one_that_is_too_large_hides_no_other(self):
        size = 17 << 20
        self.amqp.purge("runnel.dead")
        self.amqp.publish("", "runnel.dead", b"x" * size, message_id="large")
        self.amqp.publish("", "runnel.dead", json.dumps(job("behind")).encode())
        rows = json.loads(self.dead("--json"))
        self.assertEqual([(row["id"], row["message_id"], row["bytes"] > size - 1) for row in rows],
                         [(None, "large", True), ("behind", "", False)])
        self.assertIn("(too large)", self.dead())
        self.assertEqual(json.loads(self.dead("show", "behind", "--json"))["id"], "behind")
        self.assertIn(f"has {size} bytes", self.dead("show", "large", status=65))
        self.wait_until_there_are(2)

    def test_why_a_job_is_dead_is_told_in_words(self):
        reason = "2 workers were lost while they had this run"
        self.put_run(job("one"), "result", json.dumps(result("one", "internal_error", reason=reason)))
        self.assertIn(f"why        {reason}\n", self.dead("show", "one"))
        self.redis("HDEL", "runnel:run:one", "job")
        self.assertIn(f"why        {reason}\n", self.dead("show", "one"))
        self.assertIn("why        somebody put it here by hand\n", self.dead("show", "two"))
        for death, says in (("rejected", "job_dead, or job_refused with the reason"),
                            ("delivery_limit", "delivered too often"), ("expired", "RabbitMQ says: expired")):
            self.amqp.publish("", "runnel.dead", json.dumps(job(death)).encode(),
                              headers={"x-first-death-reason": death,
                                       "x-first-death-queue": "runnel.jobs.high"})
            shown = self.dead("show", death)
            self.assertIn(says, shown)
            self.assertIn("queue      runnel.jobs.high\n", shown)

    def test_a_replay_is_a_new_job_and_the_dead_one_goes(self):
        queue = "runnel.jobs.low"
        self.amqp.declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
        self.addCleanup(self.amqp.delete, queue)
        self.amqp.bind(queue, "runnel.jobs", "low")
        said = json.loads(self.dead("replay", "two", "--json"))
        self.assertEqual(said["replays"], "two")
        body, properties = self.amqp.get(queue)[:2]
        sent = json.loads(body)
        self.assertEqual(properties["message_id"], said["id"])
        self.assertEqual([sent["id"], sent["source"], sent["lane"]],
                         [said["id"], "print(2)", "low"])
        self.assertNotIn("input_stays_open", sent)
        self.assertGreater(sent["submitted_ms"], 1790000000123)
        self.wait_until_there_are(2)
        shown = json.loads(self.runnel("jobs", "show", said["id"], "--json"))
        self.assertEqual(shown["state"], "queued")
        self.assertNotIn("source", shown["job"])

    def test_a_replay_that_no_queue_takes_changes_nothing(self):
        self.assertIn("no queue takes the message", self.dead("replay", "one", status=69))
        self.wait_until_there_are(3)
        self.assert_nothing_is_left()

    def assert_nothing_is_left(self):
        self.assertEqual(self.redis("ZCARD", "runnel:runs"), 0)
        self.assertEqual(self.redis("HMGET", "runnel:lane:high", "in", "out"), [b"1", b"1"])

    def test_a_replay_that_the_broker_holds_back_ends(self):
        rabbit.control("set_vm_memory_high_watermark", "0.00001")
        try:
            said = self.dead("replay", "one", status=69)
        finally:
            rabbit.control("set_vm_memory_high_watermark", "0.4")
        self.assertIn("did not answer within", said)
        self.wait_until_there_are(3)
        # The broker may have it, and then a worker counts it out: it is not forgotten.
        new_id = re.search(r"that is job (\S+):", said)[1]
        self.assertEqual(self.redis("ZRANGE", "runnel:runs", 0, -1), [new_id.encode()])
        self.assertEqual(self.redis("HMGET", "runnel:lane:high", "in", "out"), [b"1", None])
        self.assertEqual(json.loads(self.runnel("jobs", "show", new_id, "--json"))["state"], "queued")

    def test_ids_with_quotes_stay_json(self):
        odd = 'a"b\\c'
        self.put_run(job(odd))
        self.assertEqual(json.loads(self.runnel("jobs", "cancel", odd, "--json")),
                         {"id": odd, "cancelled": True})
        queue = "runnel.jobs.normal"
        self.amqp.declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
        self.addCleanup(self.amqp.delete, queue)
        self.amqp.bind(queue, "runnel.jobs", "normal")
        self.amqp.publish("", "runnel.dead", json.dumps(job(odd)).encode())
        said = json.loads(self.dead("replay", odd, "--json"))
        self.assertEqual((said["replays"], self.amqp.get(queue)[1]["message_id"]),
                         (odd, said["id"]))


if __name__ == "__main__":
    unittest.main()
