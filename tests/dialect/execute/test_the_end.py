# SPDX-License-Identifier: MIT
"""Last by its name: the servers that the tests shared end in good order, which
under a sanitizer means without a leak too."""
import unittest

import wire


class End(unittest.TestCase):
    def test_servers_end_cleanly(self):
        for options, server in wire._servers.items():
            if isinstance(server, wire.Fake):
                with self.subTest(options):
                    self.assertIn("running 0", server.stop())


if __name__ == "__main__":
    unittest.main()
