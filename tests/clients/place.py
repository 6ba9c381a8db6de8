# SPDX-License-Identifier: MIT
"""What the tests of this folder share: a service with keys, that may call this machine."""

import os
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "system"), str(ROOT / "clients" / "python"),
                str(ROOT / "clients" / "openwebui")]

# pylint: disable=wrong-import-position
from receiver import Receiver
from service import Service, wait_until

KEY = "sk_clients_0123456789"
ASKS = 'name = input("name? ")\nprint("hello", name)\n'


def restart_front(service):
    killed = service.front()
    os.kill(killed, 9)
    wait_until("it serves again",
               lambda: service.front() not in (None, killed) and service.answers())


class Client(unittest.TestCase):
    """One service for the tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service("--concurrency=6", "--shutdown-grace=0s",
                              "--webhook-networks=127.0.0.0/8",
                              env={"API_KEYS": f"{KEY}:clients:1000000:1000000,sk_slow:slow:2:1"})
        cls.url = f"http://127.0.0.1:{cls.service.port}"

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    def receiver(self):
        receiver = Receiver()
        self.addCleanup(receiver.server_close)
        return receiver
