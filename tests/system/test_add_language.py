# SPDX-License-Identifier: MIT
"""A language is a file: one that nobody built in works from the next start on."""

import pathlib
import tempfile
import unittest

from service import Service

AWK = """\
name            = awk
title           = AWK
aliases         = gawk
extensions      = awk
source          = main.awk
execute         = /usr/bin/awk -f {source} {args}
version_command = /usr/bin/awk -W version
version_pattern = ([0-9.]+)
requires        = /usr/bin/awk
packages        = mawk
"""


class AddLanguage(unittest.TestCase):
    def test_a_file_in_a_folder_adds_a_language(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "awk.lang").write_text(AWK, encoding="utf-8")
            pathlib.Path(folder).chmod(0o755)
            with Service(f"--languages-dirs={folder}") as service:
                self.assertIn("awk", service.request("GET", "/languages")[1])
                answer = service.run("gawk", 'BEGIN { print 6 * 7 }')
                self.assertEqual(answer["output"], "42\n")

    def test_a_wrong_file_is_told_with_its_line(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "awk.lang").write_text(AWK + "colour = red\n", encoding="utf-8")
            pathlib.Path(folder).chmod(0o755)
            service = Service(f"--languages-dirs={folder}", wait=False)
            try:
                self.assertEqual(service.process.wait(20), 78)
                self.assertRegex(service.log(), r"awk\.lang:\d+: .*colour")
            finally:
                service.close()


if __name__ == "__main__":
    unittest.main()
