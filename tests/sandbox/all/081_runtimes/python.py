# SPDX-License-Identifier: MIT
import asyncio
import concurrent.futures
import gc
import multiprocessing
import os
import pathlib
import selectors
import sqlite3
import subprocess
import tempfile
import time


def square(number):
    return number * number


async def exchange():
    async def answer(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hello\n")
    line = await reader.readline()
    writer.close()
    server.close()
    child = await asyncio.create_subprocess_exec("/bin/echo", "hi", stdout=asyncio.subprocess.PIPE)
    return line + (await child.communicate())[0]


def main():
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(square, range(100)))[99] == 9801
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        assert sum(pool.map(square, range(10))) == 285
    queue = multiprocessing.Queue()
    queue.put("item")
    assert queue.get(timeout=5) == "item"
    assert subprocess.run(["/bin/sh", "-c", "echo $((6 * 7))"], capture_output=True,
                          check=True).stdout == b"42\n"
    assert asyncio.run(exchange()) == b"HELLO\nhi\n"
    gc.collect()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "file")
        path.write_text("text", encoding="ascii")
        assert [entry.name for entry in os.scandir(folder)] == ["file"]
        with sqlite3.connect(folder + "/base") as base:
            base.execute("create table numbers (number)")
            base.executemany("insert into numbers values (?)", [(n,) for n in range(100)])
            assert base.execute("select sum(number) from numbers").fetchone() == (4950,)
    assert selectors.DefaultSelector is selectors.EpollSelector
    time.sleep(0.01)
    print("threads, processes, collector, sockets: work")


if __name__ == "__main__":
    main()
