#!/usr/bin/env python3
"""What storing costs: syncs to disk, bytes written and memory of a run of all streams on an empty file, and what a kill costs.

    cargo build --release --workspace --bins && python3 benches/writes.py [ORDERS] [FOLDER]

The vendor is the simulator without quotas; the figures are strace's. FOLDER (default target/writes) is made anew.
"""

import asyncio
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

RELEASE = Path(os.environ.get("BSS_RELEASE", "target/release")).resolve()
KILLS = 10


class Vendor:
    """The simulator, and a proxy before it that counts its answers."""

    def __init__(self, orders):
        command = [RELEASE / "vendor-sim", "--orders", str(orders), "--quota-factor", "none"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1].strip("/\n"))
        _, self.key, self.secret, *_ = self.process.stdout.readline().split()
        self.answers = 0

    async def proxy(self):
        async def pass_on(reader, writer, is_answer):
            while data := await reader.read(1 << 16):
                if is_answer:
                    self.answers += data.count(b"HTTP/1.1 ")
                writer.write(data)
                await writer.drain()
            writer.close()

        async def connect(reader, writer):
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.port)
            both = pass_on(reader, to_writer, False), pass_on(to_reader, writer, True)
            await asyncio.gather(*both, return_exceptions=True)

        server = await asyncio.start_server(connect, "127.0.0.1", 0)
        return server.sockets[0].getsockname()[1]

    def worker(self, folder, port, before=()):
        """A command that runs all jobs, and its surroundings."""
        url = f"http://127.0.0.1:{port}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "bss-sync.toml").write_text(
            f'[warehouse]\npath = "billing.sqlite"\n\n[accounts.acme]\nendpoint = "{url}"\niam_endpoint = "{url}"\n'
            f'quotas = "none"\n\n[jobs.orders]\nhistory_start = "2023-01-01"\n'
        )
        keys = {"HUAWEICLOUD_SDK_AK": self.key, "HUAWEICLOUD_SDK_SK": self.secret}
        return [*before, RELEASE / "bss-sync", "run", "-q"], {"cwd": folder, "env": {**os.environ, **keys}}


def ask(folder, sql):
    with sqlite3.connect(folder / "billing.sqlite") as db:
        return db.execute(sql).fetchone()[0]


def traced(vendor, folder, calls):
    """What these calls of the kernel returned, in a run on an empty file."""
    log = folder / "strace"
    shutil.rmtree(folder, ignore_errors=True)
    before = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", f"trace={calls}", "-o", log.resolve()]
    command, where = vendor.worker(folder, vendor.port, before)
    begun = time.monotonic()
    subprocess.run(command, **where, check=True, stdout=subprocess.DEVNULL)
    elapsed = time.monotonic() - begun
    with open(log) as lines:
        returned = [int(match.group(1)) for line in lines if (match := re.search(r"= (\d+)$", line))]
    log.unlink()
    return returned, elapsed


async def killed(vendor, folder):
    """Pages that were answered and not on disk when a worker was killed at an instant of its load."""
    shutil.rmtree(folder, ignore_errors=True)
    # Connections that the kill cuts off are no news.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    command, where = vendor.worker(folder, await vendor.proxy())
    vendor.answers = 0
    worker = subprocess.Popen(command, **where, stdout=subprocess.DEVNULL)
    wanted = random.randrange(200, 3000)
    while vendor.answers < wanted and worker.poll() is None:
        await asyncio.sleep(0.001)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    return vendor.answers - (ask(folder, "select sum(pages) from runs") or 0)


def main():
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else "target/writes")
    vendor = Vendor(orders)
    try:
        syncs, elapsed = traced(vendor, folder / "run", "fsync,fdatasync")
        rows = ask(folder / "run", "select sum(rows_inserted + rows_changed) from runs")
        pages = ask(folder / "run", "select sum(pages) from runs")
        commits = ask(folder / "run", "select count(*) from commits")
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        written, _ = traced(vendor, folder / "run", "pwrite64")
        size = (folder / "run" / "billing.sqlite").stat().st_size
        print(f"{orders} orders: {pages} pages, {rows} rows in {commits} commits, {elapsed:.1f} s")
        print(f"syncs: {len(syncs)}")
        print(f"bytes written: {sum(written):,} in {len(written):,} calls = {sum(written) / size:.1f} x the file of {size:,}")
        print(f"peak memory: {memory} MiB")
        lost = [asyncio.run(killed(vendor, folder / "killed")) for _ in range(KILLS)]
        print(f"pages answered and not on disk at a kill -9: {sorted(lost)}, the mean {sum(lost) / KILLS:.0f}")
    finally:
        vendor.process.kill()


if __name__ == "__main__":
    main()
