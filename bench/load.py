# SPDX-License-Identifier: MIT
"""Requests at a rate that does not wait for answers, or so many at once: what bench/run
loads a service with."""

import asyncio
import json
import time


class Load:
    """What came of the requests to one path of a service on this machine."""

    def __init__(self, port, path, body):
        self.port = port
        text = json.dumps(body)
        self.message = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}"
                        ).encode()
        self.answers = []  # (when it came, milliseconds that it took, status, what it says)
        self.seconds = 0

    async def _ask(self):
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(self.message)
        head, _, text = (await reader.read(-1)).partition(b"\r\n\r\n")
        writer.close()
        now = time.monotonic()
        self.answers.append((now, (now - began) * 1000, int(head.split()[1]), json.loads(text)))

    async def _in_turn(self, ends):
        while time.monotonic() < ends:
            await self._ask()

    async def _at_once(self, count, seconds):
        ends = time.monotonic() + seconds
        await asyncio.gather(*(self._in_turn(ends) for _ in range(count)))

    async def _at_a_rate(self, rate, seconds):
        began = time.monotonic()
        asked = []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0, began + number / rate - time.monotonic()))
            asked.append(asyncio.ensure_future(self._ask()))
        await asyncio.gather(*asked)

    def _run(self, work):
        self.answers = []
        began = time.monotonic()
        asyncio.run(work)
        self.seconds = time.monotonic() - began
        return self

    def at_once(self, count, seconds):
        """`count` clients, each of which asks again when it has its answer."""
        return self._run(self._at_once(count, seconds))

    def at_a_rate(self, rate, seconds):
        """`rate` requests a second, whatever becomes of those before."""
        return self._run(self._at_a_rate(rate, seconds))

    def took(self, good):
        """Sorted milliseconds of the answers of which good(status, answer) holds."""
        return sorted(ms for _, ms, status, answer in self.answers if good(status, answer))
