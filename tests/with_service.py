#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a command while a service runs, at SERVICE_URL and SERVICE_EXECUTE_URL.

with_service.py COMMAND…    RUNNEL names the program (tests/system/service.py)

A service that does not end well when it is told to is said, after the command's
last line, and the exit status is 1.
"""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).with_name("system")))

# pylint: disable=wrong-import-position
from service import Service, free_port


def main(*command):
    port = free_port()
    with Service(f"--listen=127.0.0.1:{port}=execute") as service:
        environment = dict(os.environ, SERVICE_URL=f"http://127.0.0.1:{service.port}",
                           SERVICE_EXECUTE_URL=f"http://127.0.0.1:{port}")
        status = subprocess.run(command, env=environment, check=False).returncode
        service.process.terminate()
        ended = service.process.wait(60)
        if ended != 0:
            print(f"the service ended with {ended}:\n{service.log()}")
    return status or ended


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
