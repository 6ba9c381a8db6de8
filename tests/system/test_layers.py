# SPDX-License-Identifier: MIT
"""A host that lacks a layer: refused, unless the operator names it; then it shows."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from service import BOUND_S, RUNNEL, Service, descendants, groups, wait_until

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "layers"))

# pylint: disable=wrong-import-position
import parts

WITHOUT = ["/usr/bin/python3", "-B", str(pathlib.Path(__file__).with_name("without.py"))]
CLONE_NEWNET, CLONE_NEWUSER, MS_NOEXEC = 0x40000000, 0x10000000, 8

# layer: what the host does not have
LACKS = {
    "landlock": ["landlock_create_ruleset", "ENOSYS"],
    "seccomp": ["seccomp", "EINVAL"],
    "network": [f"unshare={CLONE_NEWNET}", "EPERM"],
    "namespaces": [f"unshare={CLONE_NEWUSER}", "EPERM"],
}
# The others hold on every Linux that can make a box at all, or are in test_supervision.


def _name(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _removed(group):
    try:
        group.rmdir()
    except OSError:
        return False
    return True


@unittest.skipUnless(os.geteuid() == 0, "needs root, for namespaces and limits")
class OddHost(unittest.TestCase):
    def run_on(self, *host, options=(), script="echo ran"):
        return subprocess.run([*host, RUNNEL, "run", *options, "-l", "bash", "-"], input=script,
                              capture_output=True, text=True, timeout=60, check=False)

    def test_a_proc_that_tells_of_other_processes_refuses_service(self):
        done = self.run_on("unshare", "--pid", "--fork")
        self.assertEqual((done.returncode, done.stdout), (69, ""))
        self.assertIn("/proc is that of another process namespace", done.stderr)
        done = self.run_on("unshare", "--pid", "--fork", "--mount-proc")
        self.assertEqual((done.returncode, done.stdout), (0, "ran\n"), done.stderr)

    def test_a_limit_of_core_dumps_that_cannot_be_raised_is_named(self):
        done = self.run_on("setpriv", "--inh-caps=-sys_resource", "--bounding-set=-sys_resource",
                           "prlimit", "--core=0:0")
        self.assertEqual((done.returncode, done.stdout), (69, ""))
        self.assertIn("ulimit -Hc", done.stderr)

    def test_a_core_handler_that_is_a_socket_refuses_service(self):
        """A file in place of the host's own, in a mount namespace."""
        with tempfile.NamedTemporaryFile("w") as pattern:
            def on_host(text, *options):
                pattern.seek(0)
                pattern.truncate()
                pattern.write(text)
                pattern.flush()
                mount = 'mount --bind "$0" /proc/sys/kernel/core_pattern && exec "$@"'
                return self.run_on("unshare", "--mount", "sh", "-c", mount, pattern.name,
                                   options=options)

            done = on_host("@/run/crash.socket\n")
            self.assertEqual((done.returncode, done.stdout), (69, ""))
            self.assertIn("the layer 'rlimits' does not hold", done.stderr)
            self.assertIn("kernel.core_pattern", done.stderr)
            done = on_host("@/run/crash.socket\n", "--allow-missing=rlimits")
            self.assertEqual((done.returncode, done.stdout), (0, "ran\n"), done.stderr)
            done = on_host("|/usr/bin/handler %p\n")
            self.assertEqual((done.returncode, done.stdout), (0, "ran\n"), done.stderr)

    def test_where_the_host_allows_less_less_is_told_and_holds(self):
        done = self.run_on("prlimit", "--memlock=0:0", f"--stack={4 << 20}:{4 << 20}",
                           f"--fsize={32 << 20}:{32 << 20}", "--nofile=1024:1024",
                           options=["--json", "--stack", "8M", "--open-files", "2000"],
                           script="ulimit -Hs; ulimit -Hf; ulimit -Hn; ulimit -Hl")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(result["stdout"].split(), ["4096", str(32 << 10), "1024", "0"])
        self.assertEqual([result["limits"][name] for name in ("stack_mb", "max_file_mb",
                                                              "open_files")], [4, 32, 1024])

    @unittest.skipUnless(os.path.exists("/sys/fs/cgroup/memory"), "cgroup version 1 alone")
    def test_without_the_figures_of_its_group_nobody_says_how_a_program_ended(self):
        with subprocess.Popen([RUNNEL, "run", "--json", "-l", "bash", "-"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as command:
            command.stdin.write("sleep 2")
            command.stdin.close()
            program = wait_until("the program is there", lambda: [
                pid for pid in descendants(command.pid) if _name(pid) == "sleep"])[0]
            box = next(folder for pid in descendants(command.pid) for own in groups(pid)
                       for folder in pathlib.Path(own).glob("b*") if "/memory/" in own
                       and str(program) in (folder / "tasks").read_text(encoding="utf-8").split())
            for pid in (box / "tasks").read_text(encoding="utf-8").split():
                (box.parent / "tasks").write_text(pid, encoding="utf-8")
            wait_until("its group is gone", lambda: not box.exists() or _removed(box))
            result = json.loads(command.stdout.read())
        self.assertEqual((result["verdict"], command.returncode), ("internal_error", 126), result)
        self.assertIn("figures", result["reason"])


@unittest.skipUnless(os.geteuid() == 0, "needs root, for a filter without no_new_privs")
class MissingLayer(unittest.TestCase):
    def call(self, layer, *arguments, stdin=""):
        return subprocess.run(WITHOUT + LACKS[layer] + [RUNNEL, *arguments], input=stdin,
                              capture_output=True, text=True, timeout=60, check=False)

    def test_doctor_names_it_and_the_remedy(self):
        for layer in LACKS:
            with self.subTest(layer):
                done = self.call(layer, "doctor", "--json")
                self.assertEqual(done.returncode, 69, done.stderr)
                report = json.loads(done.stdout)
                missing = [item["name"] for item in report["layers"] if item["status"] == "missing"]
                self.assertEqual(missing, [layer])
                self.assertIn(f"--allow-missing={layer}", report["refusal"])

    def test_nothing_is_run(self):
        for layer in LACKS:
            with self.subTest(layer):
                done = self.call(layer, "run", "-l", "bash", "-", stdin="echo ran")
                self.assertEqual((done.returncode, done.stdout), (69, ""))
                self.assertIn(f"'{layer}' does not hold", done.stderr)

    def test_the_service_does_not_start(self):
        for layer in LACKS:
            with self.subTest(layer):
                service = Service(under=WITHOUT + LACKS[layer], wait=False)
                try:
                    self.assertEqual(service.process.wait(BOUND_S), 69)
                    self.assertIn(f"--allow-missing={layer}", service.log())
                finally:
                    service.close()

    def test_accepted_by_name_it_is_told_in_every_answer(self):
        for layer in LACKS:
            with self.subTest(layer), Service(f"--allow-missing={layer}",
                                              under=WITHOUT + LACKS[layer]) as service:
                health = service.request("GET", "/health")[1]
                answer = service.run("bash", "echo fine")
                self.assertEqual(answer["output"], "fine\n")
                self.assertIn(f"no {layer}", health["isolation"])
                self.assertIn(f"no {layer}", answer["isolation"])

    def test_without_seccomp_a_box_finds_no_key_of_who_started_it(self):
        """The session's keyring goes on to all children, whoever they become."""
        key = ("import ctypes, sys\n"
               "libc = ctypes.CDLL(None, use_errno=True)\n"
               "search = lambda: libc.syscall(250, 10, -3, b'user', b'runnel-canary', 0)\n")
        start = (key + "libc.syscall(250, 1, 0)\n"
                 "libc.syscall(248, b'user', b'runnel-canary', b'x', ctypes.c_size_t(1), -3)\n"
                 "if search() < 0: sys.exit(77)\n"
                 "import os; os.execv(sys.argv[1], sys.argv[1:])\n")
        done = subprocess.run(
            ["/usr/bin/python3", "-c", start, *WITHOUT, *LACKS["seccomp"], RUNNEL, "run",
             "--allow-missing=seccomp", "-l", "python", "-"],
            input=key + "print(search() < 0 and ctypes.get_errno() != 38)",
            capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 77:
            self.skipTest("this kernel has no keyrings")
        self.assertEqual((done.returncode, done.stdout), (0, "True\n"), done.stderr)

    def test_without_a_tree_of_its_own_a_box_has_its_workspace(self):
        """No /proc can be mounted, as where a container covers parts of its own."""
        host = [*WITHOUT, f"mount@3={MS_NOEXEC}", "EPERM", "setpriv", "--reuid=65534",
                "--regid=65534", "--clear-groups"]
        for layers, status in (("cgroup", 69), ("cgroup,root", 0)):
            with self.subTest(layers):
                done = subprocess.run([*host, RUNNEL, "run", f"--allow-missing={layers}", "-l",
                                       "bash", "-"], input="echo ran; echo more >file && cat file",
                                      capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual((done.returncode, done.stdout),
                                 (status, "" if status else "ran\nmore\n"), done.stderr)

    def test_accepting_another_one_is_not_enough(self):
        done = self.call("landlock", "run", "--allow-missing=seccomp,network", "-l", "bash", "-",
                         stdin="echo ran")
        self.assertEqual((done.returncode, done.stdout), (69, ""))

# A program whose boxes can be made without a step (tests/layers), in a pid namespace: a box
# without one of its own leaves processes.
WEAKENED = str(pathlib.Path(RUNNEL).parent / "tests/layers/runnel-weakened")
APART = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


@unittest.skipUnless(os.geteuid() == 0, "needs root, whose boxes have every layer")
class StepLeftOut(unittest.TestCase):
    """A mistake of ours is no less than a host's lack: the box that looks at itself sees it."""

    # The clone that makes a box fails where there is none.
    UNSEEN = {"ipc"}

    def missing(self, step):
        done = subprocess.run([*APART, WEAKENED, "doctor", "--json"], capture_output=True, text=True,
                              timeout=60, check=False, env={**os.environ, "WEAKENED_STEPS": f";{step};"})
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 69 if report["refusal"] else 0, done.stderr)
        return [layer["name"] for layer in report["layers"] if layer["status"] == "missing"]

    def test_with_all_steps_nothing_is_missing(self):
        self.assertEqual(self.missing(""), [])

    def test_each_is_noticed(self):
        for layer, steps in parts.STEPS.items():
            for step in set(steps) - self.UNSEEN:
                with self.subTest(step):
                    self.assertIn("namespaces" if layer == "users" else layer, self.missing(step))


if __name__ == "__main__":
    unittest.main()
