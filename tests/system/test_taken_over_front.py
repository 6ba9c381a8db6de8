# SPDX-License-Identifier: MIT
"""Somebody has taken a front over: what he is, what he may call, what the spawner does
for him, and what it does not."""

import os
import pathlib
import random
import resource
import secrets
import signal
import unittest

import taken_over as spawner
from service import BOX_UIDS, Service, descendants, groups, wait_until
from taken_over import BOXES, CEILINGS, ENDED, MALFORMED, MIB, STARTED, TakenOver
from test_supervision import start_a_run

O_RDONLY, O_WRONLY, O_RDWR = 0, 1, 2
CONTENT = "content"
# Not readable for others, and not ours to find afterwards.
CANARY = pathlib.Path("/var/tmp") / f".taken-over-{secrets.token_hex(4)}"
SECRET = "CANARY-" + secrets.token_hex(16)


def setUpModule():
    CANARY.touch(0o600)
    CANARY.write_text(SECRET, encoding="utf-8")


def tearDownModule():
    whole = CANARY.read_text(encoding="utf-8") == SECRET and CANARY.stat().st_uid == os.getuid()
    CANARY.unlink()
    assert whole, "the canary was touched"


def status(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {key: value.split() for key, _, value in (line.partition(":") for line in lines)}


def rlimits(pid):
    """{name: (soft, hard)}"""
    lines = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="utf-8").splitlines()[1:]
    return {line[:25].strip(): tuple(line[25:].split()[:2]) for line in lines}


def figure(spawner_pid, box, *names):
    """What the cgroup of a box says in the first of these files that is there."""
    for group in groups(spawner_pid):
        for folder, _, files in os.walk(group):
            tasks = pathlib.Path(folder, "cgroup.procs").read_text(encoding="utf-8").split()
            if str(box) in tasks and set(names) & set(files):
                name, = set(names) & set(files)
                return pathlib.Path(folder, name).read_text(encoding="utf-8").strip()
    return None


@unittest.skipUnless(os.geteuid() == 0, "needs root, as a front of its own user does")
class Case(unittest.TestCase):
    def assert_no_privilege(self, pid, uid):
        """Of no account, without a right and without a way to one."""
        facts = status(pid)
        self.assertEqual(facts["Uid"], [str(uid)] * 4)
        self.assertEqual(facts["Gid"], [str(uid)] * 4)
        self.assertEqual(facts["Groups"], [])
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(facts[name][0], 16), 0, name)
        self.assertEqual(facts["NoNewPrivs"], ["1"])
        self.assertEqual(facts["Seccomp"], ["2"])

    def assert_ends(self, front):
        self.assertEqual(front.ends(), MALFORMED, front.log())
        self.assertIn("malformed_request", front.log())


class Front(Case):
    def test_it_is_nobody(self):
        with TakenOver() as front:
            self.assertIn(front.uid, BOX_UIDS)
            self.assert_no_privilege(front.front, front.uid)
            self.assertEqual(rlimits(front.front)["Max core file size"], ("0", "0"))

    def test_what_it_has_open_is_its_own_and_one_socket(self):
        with TakenOver() as front:
            folder = pathlib.Path(f"/proc/{front.front}/fd")
            opened = {int(entry.name): os.readlink(entry) for entry in folder.iterdir()}
            self.assertEqual(sorted(opened), [0, 1, 2, 3, 4], opened)
            self.assertTrue(opened[3].startswith("socket:"))
            self.assertTrue(opened[4].startswith("/memfd:"), "its own, made behind its start")

    CALLS = [
        ("ENOSYS", "execve", '"/bin/true', "0", "0"),
        ("ENOSYS", "execveat", "-100", '"/bin/true', "0", "0", "0"),
        ("ENOSYS", "fork"), ("ENOSYS", "vfork"), ("ENOSYS", "clone3", "&0", "88"),
        ("EPERM", "clone", "17"), ("EPERM", "clone", "0x10000111"),
        ("ENOSYS", "unshare", "0x10000000"), ("ENOSYS", "setns", "3", "0"),
        ("ENOSYS", "ptrace", "16", "{spawner}"),
        ("ENOSYS", "process_vm_readv", "{spawner}", "&0", "1", "&0", "1", "0"),
        ("ENOSYS", "process_vm_writev", "{spawner}", "&0", "1", "&0", "1", "0"),
        ("ENOSYS", "kcmp", "{spawner}", "{spawner}", "0", "0", "0"),
        ("ENOSYS", "kill", "{spawner}", "9"), ("ENOSYS", "kill", "-1", "9"),
        ("ENOSYS", "tkill", "{spawner}", "9"), ("EPERM", "tgkill", "{spawner}", "{spawner}", "9"),
        ("ENOSYS", "pidfd_open", "{spawner}", "0"), ("ENOSYS", "pidfd_getfd", "3", "0", "0"),
        ("EPERM", "prlimit64", "{spawner}", "7", "0", "&0"),
        ("EPERM", "prlimit64", "0", "7", "&255", "0"),
        ("ENOSYS", "setuid", "0"), ("ENOSYS", "setgid", "0"), ("ENOSYS", "setresuid", "0", "0", "0"),
        ("ENOSYS", "setresgid", "0", "0", "0"), ("ENOSYS", "setgroups", "0", "0"),
        ("ENOSYS", "setfsuid", "0"), ("ENOSYS", "capset", "&0", "&255"),
        ("EPERM", "prctl", "4", "1"), ("EPERM", "prctl", "22", "0"), ("EPERM", "prctl", "8", "1"),
        ("EPERM", "prctl", "1", "0"), ("EPERM", "prctl", "47", "2", "0"),
        ("ENOSYS", "seccomp", "0", "0", "0"), ("ENOSYS", "personality", "0x20000"),
        ("EACCES", "mmap", "0", "4096", "7", "0x22", "-1", "0"),
        ("EACCES", "mmap", "0", "4096", "5", "2", "@content", "0"),
        ("EACCES", "mprotect", "&0", "4096", "5"), ("ENOSYS", "pkey_mprotect", "&0", "1", "5", "0"),
        ("ENOSYS", "memfd_secret", "0"), ("ENOSYS", "userfaultfd", "1"),
        ("ENOSYS", "mount", '"none', '"/tmp', '"tmpfs', "0", "0"), ("ENOSYS", "umount2", '"/', "2"),
        ("ENOSYS", "chroot", '"/tmp'), ("ENOSYS", "pivot_root", '"/', '"/'),
        ("ENOSYS", "fsopen", '"tmpfs', "0"), ("ENOSYS", "open_tree", "-100", '"/', "1"),
        ("ENOSYS", "move_mount", "3", '"', "-100", '"/tmp', "4"),
        ("ENOSYS", "open_by_handle_at", "3", "&0", "0"),
        ("ENOSYS", "name_to_handle_at", "-100", '"/', "&0", "&0", "0"),
        ("ENOSYS", "bpf", "0", "&0", "64"), ("ENOSYS", "perf_event_open", "&0", "0", "-1", "-1", "0"),
        ("ENOSYS", "io_uring_setup", "8", "&0"), ("ENOSYS", "keyctl", "0", "-3", "0"),
        ("ENOSYS", "add_key", '"user', '"x', "&0", "1", "-3"), ("ENOSYS", "init_module", "&0", "1", '"'),
        ("ENOSYS", "kexec_load", "0", "0", "0", "0"), ("ENOSYS", "reboot", "0", "0", "0", "0"),
        ("ENOSYS", "sethostname", '"x', "1"), ("ENOSYS", "clock_settime", "0", "&0"),
        ("ENOSYS", "syslog", "3", "&0", "100"), ("ENOSYS", "swapon", '"/x', "0"),
        ("ENOSYS", "symlink", '"/etc/shadow', '"/tmp/x'), ("ENOSYS", "link", '"/etc/passwd', '"/tmp/x'),
        ("ENOSYS", "mknod", '"/tmp/x', "0x2190", "0x101"), ("EPERM", "chown", '"/etc/passwd', "0", "0"),
        ("ENOSYS", "fchownat", "-100", '"/etc/passwd', "0", "0", "0"),
        ("ENOSYS", "fanotify_init", "0", "0"), ("ENOSYS", "landlock_create_ruleset", "0", "0", "1"),
        ("EAFNOSUPPORT", "socket", "16", "3", "0"), ("EAFNOSUPPORT", "socket", "17", "3", "0"),
        ("EAFNOSUPPORT", "socket", "38", "5", "0"), ("EAFNOSUPPORT", "socket", "40", "1", "0"),
        ("EAFNOSUPPORT", "socket", "0x100000028", "1", "0"),
        ("EAFNOSUPPORT", "socket", "2", "3", "255"), ("EPROTONOSUPPORT", "socket", "2", "1", "132"),
        ("ENOTTY", "ioctl", "@tty", "0x5412", '"x'), ("ENOTTY", "ioctl", "@tty", "0x541c", '"x'),
        ("ENOTTY", "ioctl", "@tty", "0x540e", "1"),
    ]

    def test_what_it_may_not_call(self):
        with TakenOver() as front:
            front.make("tty", "terminal")
            for errno, name, *arguments in self.CALLS:
                words = [word.format(spawner=front.spawner) for word in arguments]
                with self.subTest(name, arguments=" ".join(words)):
                    self.assertEqual(front.call(name, *words), f"error {errno}")

    def test_what_it_may_not_open(self):
        with TakenOver() as front:
            front.send(spawner.open_workspace(), CONTENT)
            front.run(["/bin/sleep", "1000"])
            init = wait_until("the box is there", front.boxes)[0]
            places = [
                (CANARY, O_RDONLY), (CANARY, O_WRONLY), ("/etc/shadow", O_RDONLY),
                ("/etc/passwd", O_WRONLY), ("/usr/bin/env", O_RDWR), ("/root", O_RDONLY),
                ("/proc/sysrq-trigger", O_WRONLY), ("/proc/sys/kernel/core_pattern", O_WRONLY),
                ("/proc/1/environ", O_RDONLY), (f"/proc/{front.spawner}/mem", O_RDWR),
                (f"/proc/{front.spawner}/maps", O_RDONLY), (f"/proc/{front.spawner}/fd/0", O_RDONLY),
                (f"/proc/{front.spawner}/root/etc/passwd", O_RDONLY),
                (f"/proc/{front.spawner}/environ", O_RDONLY), (f"/proc/{init}/mem", O_RDWR),
                (f"/proc/{init}/root/work", O_RDONLY), (f"/proc/{init}/ns/user", O_RDONLY),
                ("/dev/mem", O_RDWR), ("/dev/kmsg", O_WRONLY),
                *((pathlib.Path(group, "cgroup.procs"), O_WRONLY) for group in groups(front.spawner)),
                *((pathlib.Path(group, "pids.max"), O_WRONLY) for group in groups(front.spawner)
                  if pathlib.Path(group, "pids.max").exists()),
            ]
            for path, flags in places:
                with self.subTest(path=str(path), flags=flags):
                    answer = front.call("openat", "-100", f'"{path}', flags, 0)
                    self.assertIn(answer, ("error EACCES", "error EPERM", "error ENOENT"))

    def test_it_owns_nothing_and_makes_nothing_where_others_look(self):
        with TakenOver() as front:
            for folder in ("/", "/etc", "/usr", "/var", "/root", "/home", "/opt", "/run"):
                path = f"{folder}/taken-over-{secrets.token_hex(4)}"
                with self.subTest(folder):
                    answer = front.call("openat", "-100", f'"{path}', os.O_CREAT | O_WRONLY, 0o644)
                    self.assertIn(answer, ("error EACCES", "error EROFS"))
                    self.assertIn(front.call("mkdir", f'"{path}', 0o755),
                                  ("error EACCES", "error EROFS"))

    def test_the_front_of_a_service_is_the_same(self):
        with Service() as service:
            self.assertEqual(service.run("bash", "echo up")["output"], "up\n")
            facts = status(service.front())
            uid = int(facts["Uid"][0])
            self.assertIn(uid, BOX_UIDS)
            if facts["Seccomp"] == ["0"]:  # with sanitizers: HACKING.md
                facts["Seccomp"] = ["2"]
                self.assertEqual(facts["NoNewPrivs"], ["1"])
                self.assertEqual({int(facts[name][0], 16) for name in facts if name[:3] == "Cap"}, {0})
            else:
                self.assert_no_privilege(service.front(), uid)
            keeps = [path for folder, below, files in os.walk(service.storage())
                     for path in (os.path.join(folder, name) for name in below + files)]
            self.assertTrue(keeps)
            for path in keeps + [service.storage()]:
                about = os.lstat(path)
                self.assertEqual(about.st_mode & 0o077, 0, f"{path} is open to others")
                self.assertIn(about.st_uid, (0, os.getuid(), uid), path)


class Plans(Case):
    """Plans over the ceilings are not carried out; those at them are, and no further."""

    def test_no_limit_over_its_ceiling(self):
        enforced = [name for name in CEILINGS if name not in ("WORKSPACE", "INODES")]
        with TakenOver() as front:
            front.send(spawner.open_workspace(), CONTENT)
            number = 10
            for name in enforced:
                for value in (CEILINGS[name] + 1, 0, (1 << 64) - 1, 1 << 63, 1 << 32):
                    if value != 0 and value <= CEILINGS[name]:
                        continue
                    number += 1
                    with self.subTest(name, value=value):
                        front.send(spawner.start_stage(number, **{name: value}), *front.make_streams())
                        self.assertEqual(front.wait_for(ENDED, number)[5], "ceiling")
            self.assertEqual(front.boxes(), [])

    def test_no_workspace_over_its_ceiling(self):
        sizes = [(CEILINGS["WORKSPACE"] + 1, 64), (0, 64), ((1 << 64) - 1, 64), (MIB, 101), (MIB, 0),
                 (MIB, (1 << 64) - 1)]
        with TakenOver() as front:
            for number, (size, inodes) in enumerate(sizes, 1):
                with self.subTest(size=size, inodes=inodes):
                    front.send(spawner.open_workspace(number, size, inodes), CONTENT)
                    front.send(spawner.start_stage(number, number), *front.make_streams())
                    self.assertEqual(front.wait_for(ENDED, number)[2::3], (1, "workspace"))
                    front.send(spawner.header(spawner.WORKSPACE_CLOSE, number))

    def test_files_only_inside_and_only_as_many_bytes_as_fit(self):
        sixteen = "61" * 16
        files = [[("../x", 1)], [("/etc/x", 1)], [("a/../../x", 1)], [(".", 0)], [("", 0)],
                 [("a\\..\\..", 1), ("a/./b", 1)], [("x" * 256, 1)], [("a/" * 600 + "b", 1)],
                 [("a", 17)], [("a", (1 << 64) - 1)], [("a", 8), ("b", 9)], [("a", 1), ("a", 1)],
                 [("a", 1), ("a/b", 1)], [("a/", 1)], [("/proc/self/root/etc/x", 1)]]
        with TakenOver() as front:
            for number, some in enumerate(files, 1):
                with self.subTest(files=str(some)[:60]):
                    front.make("some", "memfd", sixteen)
                    front.send(spawner.open_workspace(number, files=some), "some")
                    front.send(spawner.start_stage(number, number), *front.make_streams())
                    self.assertEqual(front.wait_for(ENDED, number)[5], "workspace")
                    front.send(spawner.header(spawner.WORKSPACE_CLOSE, number))
                    front.tell("close", "some")

    def test_no_more_boxes_than_there_may_be(self):
        with TakenOver() as front:
            front.send(spawner.open_workspace(), CONTENT)
            for number in range(BOXES):
                front.run(["/bin/sleep", "1000"], number)
            for number in range(BOXES, BOXES + 20):
                front.send(spawner.start_stage(number), *front.make_streams())
                self.assertEqual(front.wait_for(ENDED, number)[5], "boxes")
            self.assertLessEqual(len(front.boxes()), 2 * BOXES)  # an init and a program each

    def test_a_box_at_the_ceilings_has_what_they_say(self):
        with TakenOver() as front:
            front.send(spawner.open_workspace(size=CEILINGS["WORKSPACE"], inodes=100), CONTENT)
            front.run(["/bin/sleep", "1000"])
            wait_until("the program is there", lambda: len(front.boxes()) == 2)
            init, program = sorted(front.boxes())
            wait_until("it is executed", lambda: pathlib.Path(
                f"/proc/{program}/comm").read_text(encoding="utf-8") == "sleep\n")
            uid = int(status(program)["Uid"][0])
            self.assertIn(uid, BOX_UIDS)
            self.assertNotIn(uid, (front.uid, 0))
            self.assert_no_privilege(program, uid)
            self.assertEqual(figure(front.spawner, init, "memory.max", "memory.limit_in_bytes"),
                             str(CEILINGS["MEMORY"]))
            self.assertEqual(figure(front.spawner, init, "pids.max"),
                             str(CEILINGS["PROCESSES"] + 1))  # and its init
            held = rlimits(program)
            for name, limit in (("Max file size", "FILE_SIZE"), ("Max open files", "OPEN_FILES"),
                                ("Max stack size", "STACK")):
                self.assertEqual(held[name], (str(CEILINGS[limit]),) * 2)
            for name in ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup"):
                self.assertNotEqual(os.readlink(f"/proc/{program}/ns/{name}"),
                                    os.readlink(f"/proc/self/ns/{name}"), name)
            root = pathlib.Path(f"/proc/{program}/root")
            self.assertFalse((root / CANARY.relative_to("/")).exists())
            self.assertFalse((root / "root").exists())
            mounts = [line.split() for line in pathlib.Path(f"/proc/{program}/mountinfo").read_text(
                encoding="utf-8").splitlines()]
            free = {fields[4] for fields in mounts if "ro" not in fields[5].split(",")}
            self.assertLessEqual(free, {"/work", "/tmp", "/dev/shm", "/dev", "/proc", "/dev/null",
                                        "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
                                        "/dev/tty"})

    def test_a_program_is_found_inside_whatever_its_path(self):
        with TakenOver() as front:
            front.send(spawner.open_workspace(), CONTENT)
            for number, path in enumerate((str(CANARY), "/proc/1/exe", "../../../root/x",
                                           "/proc/self/fd/3", "x" * 5000), 1):
                front.send(spawner.start_stage(number, argv=[path]), *front.make_streams())
                self.assertEqual(front.wait_for(ENDED, number)[5], "exec", path[:40])
            script = f"cat {CANARY}; cat /etc/shadow; ls /root; id -u; echo $#"
            front.run(["/bin/sh", "-c", script, *["x" * 20] * 4000], 100, env=["A=b"] * 90)
            said = front.output()
            self.assertNotIn(SECRET, said)
            self.assertEqual(said.split()[-2:], ["1000", "3999"])

    def test_it_may_choose_the_whole_of_proc_and_no_more(self):
        with TakenOver() as front:
            front.send(spawner.open_workspace(), CONTENT)
            script = ("for f in /proc/kcore /proc/keys /proc/timer_list /proc/sysrq-trigger; do "
                      "head -c 1 $f; echo x >$f; done; echo x >/proc/sys/kernel/core_pattern; "
                      "ls -d /proc/[0-9]*; grep Seccomp: /proc/self/status")
            script = f"exec 2>/dev/null; {script}"
            front.run(["/bin/sh", "-c", script], flags=2)
            self.assertRegex(front.output(), r"\A(/proc/\d\n){1,3}Seccomp:\t2\n\Z")


class Requests(Case):
    """What no front of ours sends ends the spawner, and everything that it made."""

    def test_messages_of_other_forms(self):
        whole = [(spawner.open_workspace(7, files=[("a", 0)]), 1), (spawner.start_stage(), 3),
                 (spawner.collect(), 0), (spawner.signal_stage(5, 15), 0),
                 (spawner.header(spawner.STAGE_KILL, 5), 0),
                 (spawner.header(spawner.STAGE_SAMPLE, 5), 0),
                 (spawner.header(spawner.STAGE_PROBE, 5), 0),
                 (spawner.header(spawner.WORKSPACE_CLOSE, 1), 0)]
        chance = random.Random(6)
        rows = [(b"\0", 0), (b"\xff" * 4, 0), (b"\xff" * 131072, 0), (spawner.header(8, 1), 0),
                (spawner.header(0xffffffff, 1), 0), (spawner.header(spawner.WORKSPACE_CLOSE, 9), 0),
                (spawner.start_stage(argv=[]), 3), (spawner.start_stage(rootfs=1), 3),
                (spawner.start_stage(rootfs=0xffffffff), 3), (spawner.start_stage(flags=4), 3),
                (spawner.start_stage(flags=0x80000000), 3), (spawner.start_stage(workspace=9), 3),
                (spawner.start_stage(flags=1), 3), (spawner.signal_stage(5, 0), 0),
                (spawner.signal_stage(5, 65), 0), (spawner.signal_stage(5, 0xffffffff), 0),
                (spawner.start_stage(argv=["x"] * 4097), 3), (spawner.start_stage(env=["x"] * 4097), 3),
                (spawner.collect(folder=".."), 0), (spawner.collect(folder="/etc"), 0),
                (spawner.collect(number=9), 0)]
        for message, count in whole:
            rows += [(message[:-1], count), (message + b"\0", count), (message, count + 1),
                     (message[:len(message) // 2], count)]
            rows += [(message, count - 1)] if count else []
        rows += [(chance.randbytes(chance.randrange(9, 400)), chance.randrange(4)) for _ in range(8)]
        for message, count in rows:
            with self.subTest(message=message[:80].hex(), size=len(message), descriptors=count), \
                    TakenOver() as front:
                front.send(spawner.open_workspace(), CONTENT)
                names = front.make_streams() if count > 1 else (CONTENT,)
                front.send(message, *(names + (CONTENT,) * 4)[:count])
                self.assert_ends(front)

    def test_a_spawner_without_descriptors_is_not_said_to_be_attacked(self):
        with TakenOver() as front:
            front.send(spawner.open_workspace(), CONTENT)
            names = front.make_streams()
            held = set(map(int, os.listdir(f"/proc/{front.spawner}/fd")))
            free = [number for number in range(max(held) + 4) if number not in held]
            resource.prlimit(front.spawner, resource.RLIMIT_NOFILE, (free[2], free[2]))  # it needs 3
            front.send(spawner.start_stage(), *names)
            self.assertEqual(front.ends(), 71, front.log())
            self.assertIn("request_lost", front.log())
            self.assertNotIn("malformed_request", front.log())

    def test_descriptors_of_other_kinds(self):
        things = {"file": ("open", O_RDONLY, "/etc/passwd"), "folder": ("open", O_RDONLY, "/"),
                  "null": ("open", O_RDWR, "/dev/null"), "zero": ("open", O_RDWR, "/dev/zero"),
                  "path": ("open", os.O_PATH, "/"), "socket": ("socket",), "memory": ("memfd", "61"),
                  "namespace": ("open", O_RDONLY, "/proc/self/ns/net")}
        for name, how in things.items():
            for place in range(4):  # the content of a workspace; a program's stdin, stdout, stderr
                if (name, place) == ("memory", 0):
                    continue
                with self.subTest(name, place=place), TakenOver() as front:
                    front.make(name, *how)
                    if place == 0:
                        front.send(spawner.open_workspace(), name)
                    else:
                        front.send(spawner.open_workspace(), CONTENT)
                        names = list(front.make_streams())
                        names[place - 1] = name
                        front.send(spawner.start_stage(), *names)
                    self.assert_ends(front)

    def test_streams_of_another_box(self):
        """They belong to its user from then on."""
        for kind, flags in (("pipe", 0), ("terminal", 1)):
            with self.subTest(kind), TakenOver() as front:
                front.send(spawner.open_workspace(), CONTENT)
                front.send(spawner.open_workspace(2), CONTENT)
                names = front.make_streams(kind) if flags == 0 else ("in",) * 3
                if flags:
                    front.make("in", kind)
                front.send(spawner.start_stage(1, 1, ["/bin/sleep", "9"], flags=flags), *names)
                front.wait_for(STARTED, 1)
                front.send(spawner.start_stage(2, 2, flags=flags), *names)
                self.assert_ends(front)

    def test_numbers_in_use(self):
        for again in (spawner.open_workspace(), spawner.start_stage()):
            with self.subTest(again[:8].hex()), TakenOver() as front:
                front.send(spawner.open_workspace(), CONTENT)
                front.run(["/bin/sleep", "9"])
                names = (CONTENT,) if again[0] == 0 else front.make_streams()
                front.send(again, *names)
                self.assert_ends(front)

    def test_more_workspaces_than_boxes_need(self):
        with TakenOver() as front:
            for number in range(4 * BOXES + 1):
                front.send(spawner.open_workspace(number), CONTENT)
            self.assert_ends(front)


class Floods(Case):
    def test_requests_that_nobody_reads_the_answers_of(self):
        with TakenOver() as front:
            front.send(spawner.open_workspace(), CONTENT)
            front.run(["/bin/sleep", "1000"])
            before = int(status(front.spawner)["VmRSS"][0])
            for number in range(3000):
                front.send(spawner.header(spawner.STAGE_SAMPLE + number % 2, 5))
                front.send(spawner.header(spawner.STAGE_SAMPLE, number + 10))
                front.send(spawner.signal_stage(5, 18))
            front.send(spawner.header(spawner.STAGE_KILL, 5))
            self.assertEqual(front.wait_for(ENDED, 5)[4], signal.SIGKILL)
            self.assertLess(int(status(front.spawner)["VmRSS"][0]), before + 20 * 1024)

    def test_stages_whose_ends_nobody_reads(self):
        """Each stays with the spawner until its end was told: there are no more than workspaces."""
        with TakenOver() as front:
            front.send(spawner.open_workspace(), CONTENT)
            streams = front.make_streams()
            for number in range(20000):
                if front.send(spawner.start_stage(number, CPUS=0), *streams) != "sent":
                    break
            self.assert_ends(front)

    def test_boxes_that_come_and_go_leave_nothing(self):
        with TakenOver() as front:
            for number in range(1, 60):
                front.send(spawner.open_workspace(number), CONTENT)
                front.send(spawner.start_stage(number, number), *front.make_streams())
                front.send(spawner.header(spawner.STAGE_KILL, number))
                front.send(spawner.header(spawner.WORKSPACE_CLOSE, number))
                front.wait_for(ENDED, number)
            wait_until("no box is left", lambda: not front.boxes())

    def test_a_socket_that_is_closed_stays_closed(self):
        """And what was started goes when the front does (TakenOver looks)."""
        with TakenOver() as front:
            front.send(spawner.open_workspace(), CONTENT)
            front.run(["/bin/sleep", "1000"])
            self.assertEqual(front.tell("close", "spawner"), "closed")
            self.assertEqual(front.call("openat", "-100", f'"/proc/{front.spawner}/fd', 0, 0),
                             "error EACCES")
            self.assertTrue(front.boxes())
            self.assertIsNone(front.process.poll())

    def test_an_empty_message_is_a_farewell(self):
        with TakenOver() as front:
            front.send(b"")
            self.assertEqual(front.receive(), "gone")


class Neighbours(Case):
    def test_what_another_service_runs_is_out_of_reach(self):
        with Service() as service, TakenOver() as front:
            start_a_run(service, [])
            theirs = [pid for pid in descendants(service.spawner()) if pid != service.front()]
            for number in range(300):
                front.send(spawner.header(spawner.STAGE_KILL, number))
                front.send(spawner.signal_stage(number, 9))
            for pid in theirs:
                self.assertEqual(front.call("tgkill", pid, pid, 9), "error EPERM")
                self.assertEqual(front.call("openat", "-100", f'"/proc/{pid}/fd/0', O_RDWR, 0),
                                 "error EACCES")
            self.assertEqual(front.call("openat", "-100", f'"{service.storage()}/x', 0o101, 0o600),
                             "error EACCES")
            self.assertTrue(all(os.path.exists(f"/proc/{pid}") for pid in theirs))
            self.assertEqual(service.run("bash", "echo fine")["output"], "fine\n")


if __name__ == "__main__":
    unittest.main()
