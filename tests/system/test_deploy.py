# SPDX-License-Identifier: MIT
"""deploy/: what its files say of Runnel is true of this Runnel."""

import re
import shutil
import subprocess
import unittest

import yaml

from service import ROOT, RUNNEL

COMPOSE = ROOT / "deploy" / "compose.yaml"
ENGINE_S = 20
COMPILE_S = 30  # each command; engine/profile.c


def has_docker():
    """An engine that answers, and its compose."""
    return shutil.which("docker") and all(
        subprocess.run(["docker", *words], stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=ENGINE_S, check=False).returncode == 0
        for words in (("info",), ("compose", "version")))


def default_of(key):
    text = (ROOT / "docs" / "CONFIG.md").read_text(encoding="utf-8")
    return re.search(rf"^\| `{key}` \|.*\| `(\w+)` \| [^|]* \|$", text, re.MULTILINE)[1]


def seconds(text):
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


def options_of(verb):
    text = subprocess.run([RUNNEL, verb, "--help"], capture_output=True, text=True, check=True,
                          timeout=ENGINE_S).stdout
    return set(re.findall(r"^\s+(?:-\w, )?(--[\w-]+)", text, re.MULTILINE))


class Deploy(unittest.TestCase):
    def setUp(self):
        self.tree = yaml.safe_load(COMPOSE.read_text())
        self.ours = {name: service for name, service in self.tree["services"].items()
                     if service["image"] == self.tree["x-runnel"]["image"]}

    def test_there_are_two_of_each_and_the_servers(self):
        verbs = [service["command"][0] for service in self.ours.values()]
        self.assertEqual(sorted(verbs), ["serve", "serve", "worker", "worker"])
        self.assertEqual(self.tree["services"].keys() - self.ours.keys(), {"rabbitmq", "redis"})

    def test_options_are_known(self):
        for name, service in self.ours.items():
            with self.subTest(name):
                verb, *words = service["command"]
                options = {word.split("=")[0] for word in words if word.startswith("--")}
                self.assertEqual(options - options_of(verb), set())

    def test_variables_are_known(self):
        for name, service in self.ours.items():
            with self.subTest(name):
                options = options_of(service["command"][0])
                for variable in service["environment"]:
                    option = "--" + variable.removeprefix("RUNNEL_").lower().replace("_", "-")
                    self.assertIn(option, options)

    def test_a_volume_is_where_the_storage_is(self):
        for name, service in self.ours.items():
            with self.subTest(name):
                folders = {volume.split(":")[1] for volume in service.get("volumes", ())}
                storage = service["environment"].get("RUNNEL_STORAGE_DIR")
                self.assertEqual(folders, {storage} if storage else set())

    def test_servers_and_names_are_those_that_are_named(self):
        names = set()
        for name, service in self.ours.items():
            with self.subTest(name):
                self.assertEqual(service["depends_on"].keys(), {"rabbitmq", "redis"})
                for key, server in (("RUNNEL_BROKER", "rabbitmq"), ("RUNNEL_STREAM", "redis")):
                    self.assertRegex(service["environment"][key], rf"[/@]{server}:")
                if service["command"][0] == "serve":
                    at = service["command"].index("--node-name")
                    names.add(service["command"][at + 1])
        self.assertEqual(len(names), 2, "two services with one name cannot stay")
        rabbit = self.tree["services"]["rabbitmq"]["environment"]
        for service in self.ours.values():
            self.assertIn(f"//{rabbit['RABBITMQ_DEFAULT_USER']}:{rabbit['RABBITMQ_DEFAULT_PASS']}@",
                          service["environment"]["RUNNEL_BROKER"])

    def test_the_image_is_built_of_files_that_are_here(self):
        build = self.tree["x-runnel"]["build"]
        context = COMPOSE.parent / build["context"]
        text = (context / build["dockerfile"]).read_text()
        for source in re.findall(r"^COPY --from=build /runnel/(\S+)", text, re.MULTILINE):
            if not source.startswith("build/"):
                self.assertTrue((context / source).exists(), source)

    def test_its_head_has_a_key_and_shows_it(self):
        head = COMPOSE.read_text().split("name: runnel")[0]
        self.assertIn("# export API_KEYS=", re.sub(" +", " ", head))
        self.assertIn('-H "authorization: Bearer ${API_KEYS%:me}"', head)
        shown = subprocess.run(["sh", "-c", 'echo "${API_KEYS%:me}"'], check=True, text=True,
                               capture_output=True, env={"API_KEYS": "secret:me"}).stdout
        self.assertEqual(shown, "secret\n")

    def test_who_stops_it_waits_for_its_runs(self):
        grace = seconds(default_of("shutdown_grace"))
        for name, service in self.ours.items():
            with self.subTest(name):
                self.assertGreater(seconds(service.get("stop_grace_period", "10s")), grace + 2)

    def test_the_proxy_waits_as_long_as_a_run_may_take(self):
        text = (COMPOSE.parent / "nginx.conf").read_text()
        waits = seconds(re.search(r"proxy_read_timeout (\w+);", text)[1])
        longest = seconds(default_of("max_timeout")) + seconds(default_of("max_queue_timeout"))
        self.assertGreater(waits, longest + COMPILE_S)

    def test_docker_takes_it(self):
        if not has_docker():
            self.skipTest("no Docker engine answers here")
        subprocess.run(["docker", "compose", "-f", COMPOSE, "config", "--quiet"], check=True,
                       capture_output=True, env={"PATH": "/usr/bin:/bin", "API_KEYS": "key:me"},
                       timeout=ENGINE_S)


if __name__ == "__main__":
    unittest.main()
