# SPDX-License-Identifier: MIT
"""The power fails while a guest writes to its persistent disk: the file system is whole after its journal was replayed, and each record
that an fsync covered is there (guests/linux/diskrecords.c). DISCO_CUTS: how many cuts; the times are random (DISCO_SEED)."""
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import time

import pytest

from machine import PATIENCE, SEED, TOP, disk, vm, write_scenario

CUTS = int(os.environ.get("DISCO_CUTS") or 5)
ENVIRONMENT = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin")
SECTOR, BLOCK = 512, 4096
FLUSH, FUA, DISCARD = 1, 2, 4


def run(*words):
    return subprocess.run(list(map(str, words)), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=120 * PATIENCE)


def record(number):
    """As diskrecords.c makes them."""
    def step(x):
        return (x * 6364136223846793005 + 1442695040888963407) % (1 << 64)
    x = step(number)
    words = [number]
    for _ in range(8 + (x >> 33) % (1125 - 8) - 1):
        x = step(x)
        words.append(x)
    return struct.pack(f"<{len(words)}Q", *words)


def cat(image, name):
    return subprocess.run(["debugfs", "-R", f"cat /{name}", str(image)], env=ENVIRONMENT, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=120 * PATIENCE).stdout


def check(image, last):
    """What a machine would find that is switched on again: `last` is the number of the last record that must be there."""
    run("e2fsck", "-E", "journal_only", "-y", image)
    whole = run("e2fsck", "-fn", image)
    assert whole.returncode == 0, f"after record {last}:\n{whole.stdout.decode(errors='replace')}"
    found, at = cat(image, "records"), 0
    for number in range(last + 1):
        wanted = record(number)
        assert found[at:at + len(wanted)] == wanted, f"record {number} of {last} is not as it was written"
        at += len(wanted)
        if number % 4 == 0:
            assert cat(image, f"r{number}") == wanted, f"r{number}, of {last}, is not as it was written"


@pytest.fixture
def writer(machine, tmp_path):
    """writer(qemu=()): a machine whose guest has begun to write records, and its work image as it was before."""
    work = tmp_path / "work.img"
    assert run(TOP / "tools/mkdisk.py", work, 16, "work").returncode == 0
    shutil.copy(work, tmp_path / "before.img")

    def start(words="", qemu=()):
        guest = vm("tux", ramdisk=None, memory=48, node=1, bootargs="console=hvc0 hostname=tux root=/dev/vda rw init=/init work=/dev/vdb",
                   disk0=disk(TOP / "build/disktest.img"), disk1=disk(work, "persistent"))
        one = machine(write_scenario(tmp_path, [guest]), words, qemu=qemu)
        one.expect(r"\[tux\] tux: Linux [^\n]*\n", 120)
        one.send("attach tux\r")
        one.send("\rdiskrecords /data\r")
        return one
    start.image = work
    return start


def until(one, wanted):
    """Wait for a record with that number or a higher one; the number."""
    number = -1
    while number < wanted:
        number = int(one.expect(r"record (\d+)\r", 60)[1])
    return number


@pytest.mark.parametrize("cut", range(CUTS))
def test_the_emulator_is_killed(writer, cut):
    """What the host has by then is what is left."""
    draw = random.Random(f"{SEED} {cut}")
    one = writer()
    until(one, draw.randrange(60))
    time.sleep(draw.random() / 20)
    os.kill(one.line.pid, signal.SIGKILL)
    one.end()
    told = re.findall(r"record (\d+)$", one.log_path.read_text(errors="replace"), re.M)
    check(writer.image, int(told[-1]))


class Log:
    """What QEMU's blklogwrites has written so far. The file has its size from the start, since writes behind the end of an image fail
    (qemu/strict.c). While QEMU runs, the data of an entry may be younger than its head: it is read when QEMU has ended."""

    def __init__(self, path):
        self.path, self._heads, self._at = path, [], SECTOR
        with open(path, "wb") as file:
            file.truncate(1 << 30)

    def read_on(self):
        """Read what has come since; how many entries there are."""
        with open(self.path, "rb") as file:
            while True:
                file.seek(self._at)
                sector, sectors, flags, _ = struct.unpack("<4Q", file.read(32))
                if not sectors and not flags:
                    return len(self._heads)
                size = 0 if flags & DISCARD else sectors * SECTOR
                self._heads.append((flags, sector * SECTOR, self._at + SECTOR, size))
                self._at += SECTOR + size

    def entries(self):
        """[(flags, first byte, data)]."""
        with open(self.path, "rb") as file:
            return [(flags, at, os.pread(file.fileno(), size, place)) for flags, at, place, size in self._heads]


def written(image, log_entries):
    with open(image, "r+b") as file:
        for at, data in log_entries:
            file.seek(at)
            file.write(data)


def after_cut(log, count, draw):
    """[(first byte, data)] that a disk with a cache of its own may have kept, if the power fails behind `count` entries of the log: all that
    a flush covered, of what came later any blocks."""
    flushed = max((i for i in range(count) if log[i][0] & FLUSH), default=-1)
    for i, (flags, at, data) in enumerate(log[:count]):
        if i <= flushed or flags & FUA:
            yield at, data
        elif draw.random() < 0.5:
            for block in range(0, len(data), BLOCK):
                if draw.random() < 0.9:
                    yield at + block, data[block:block + BLOCK]


def test_the_disk_loses_what_no_flush_covered(writer, tmp_path):
    """QEMU logs each write and flush; the image is made again as it may be after a cut anywhere in that log. A record that was told when the
    log had so many entries is on the disk at any later cut."""
    log = Log(tmp_path / "log")
    files = {"driver": "blklogwrites", "file": {"driver": "file", "filename": str(writer.image)},
             "log": {"driver": "file", "filename": str(log.path)}}
    one = writer(qemu=["-set", "drive.image1.file=json:" + json.dumps({"file": files})])
    told = []  # (entries in the log when it was seen, number)
    while not told or told[-1][1] < 60 or told[0][0] >= told[-1][0] // 2:  # the guest goes on while we have no time to look
        number = until(one, 0)
        told.append((log.read_on(), number))
    os.kill(one.line.pid, signal.SIGKILL)
    one.end()
    count = log.read_on() - 1  # the last may be half an entry
    entries = log.entries()
    assert count > 3 * told[-1][1], f"{count} entries, {told[0]} to {told[-1]}"
    draw = random.Random(SEED)
    for _ in range(4 * CUTS):
        cut = draw.randrange(told[0][0], count + 1)
        image = tmp_path / "cut.img"
        shutil.copy(tmp_path / "before.img", image)
        written(image, after_cut(entries, cut, draw))
        check(image, max(number for seen, number in told if seen <= cut))
