# SPDX-License-Identifier: MIT
"""runnel run -i, at a terminal of its own."""

import fcntl
import os
import pathlib
import pty
import signal
import struct
import tempfile
import termios
import unittest

from service import RUNNEL, read_until


class Terminal(unittest.TestCase):
    def begin(self, code):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        program = pathlib.Path(folder.name) / "program.sh"
        program.write_text(code, encoding="utf-8")
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(RUNNEL, [RUNNEL, "run", "-i", str(program)])
        self.addCleanup(os.close, terminal)
        return pid, terminal

    def test_keys_go_to_the_program_and_ctrl_c_too(self):
        pid, terminal = self.begin("trap 'echo got it' INT; test -t 0 && echo \"$TERM\"; echo ready\n"
                                   "while :; do read -r line && echo \"<$line>\" && test $line = end "
                                   "&& exit 5; done")
        mode = termios.tcgetattr(terminal)
        read_until(terminal, b"xterm-256color\r\nready")
        self.assertFalse(termios.tcgetattr(terminal)[3] & termios.ECHO)
        os.write(terminal, b"\x03")
        read_until(terminal, b"got it")
        os.write(terminal, b"end\r")
        read_until(terminal, b"<end>")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 5)
        self.assertEqual(termios.tcgetattr(terminal)[3] & (termios.ECHO | termios.ICANON),
                         mode[3] & (termios.ECHO | termios.ICANON))

    def test_the_size_goes_along_and_changes_with_it(self):
        pid, terminal = self.begin("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done")
        read_until(terminal, b"ready")
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 33, 99, 0, 0))
        read_until(terminal, b"33 99")
        os.kill(pid, signal.SIGTERM)
        read_until(terminal, b"cancelled")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 130)


if __name__ == "__main__":
    unittest.main()
