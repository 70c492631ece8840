# SPDX-License-Identifier: MIT
"""The machine's own disks under errors and delays that QEMU injects: each request ends, errors are told, and nobody else notices.

`readback` at the prompt reads a whole disk, 32 requests at a time."""
import os
import random
import re
import struct

import pytest

from machine import PROMPT, SEED, disk, vm, write_scenario

SIZE = 1 << 20
SECTORS = SIZE // 512
GOOD = vm("good", kernel="exc_sys.elf", ramdisk=None, memory=16, manual=True)


def sum_of(data):
    """As drivers/host/readback.c adds: each 8 bytes times an odd number that says where they lie."""
    return sum(word * (2 * i + 1) for i, word in enumerate(struct.unpack(f"<{len(data) // 8}Q", data))) % (1 << 64)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "a.img"
    path.write_bytes(random.Random(SEED).randbytes(SIZE))
    return path


def start(machine, tmp_path, image, words="", qemu=()):
    user = vm("user", kernel="exc_sys.elf", ramdisk=None, memory=16, manual=True, disk0=disk(image))
    one = machine(write_scenario(tmp_path, [user, GOOD]), words, qemu=qemu)
    one.up(2)
    one.send("\r")
    one.expect(re.escape(PROMPT))
    return one


def readback(one, timeout=60):
    """What could not be read, of how much, and the sum of the rest."""
    one.command("readback image0")
    said = one.expect(r"read (\d+) sectors in \d+ ms, (\d+) unread, sum ([0-9a-f]+)\r", timeout)
    return int(said[2]), int(said[1]), int(said[3], 16)


def still_well(one):
    one.send("start good\r")
    one.expect_all([r"\[good\] PASS exc_sys", r"vm: good powered off, code 0"])
    one.send("\r")
    one.expect(re.escape(PROMPT))


def test_every_byte_is_read(machine, tmp_path, image):
    one = start(machine, tmp_path, image)
    for _ in range(3):
        assert readback(one) == (0, SECTORS, sum_of(image.read_bytes()))
    assert "no disk of the machine" in "".join(one.command("readback absent"))
    assert one.quit() == 0


def blkdebug(folder, image, text):
    """QEMU's options for image number 0 with errors injected into what it does to the host's file."""
    rules = folder / "rules"
    rules.write_text(text)
    return ["-set", f"drive.image0.file=blkdebug:{rules}:{image}"]


def test_an_error_that_comes_once_is_not_seen(machine, tmp_path, image):
    rules = "".join(f'[inject-error]\nevent = "read_aio"\nerrno = "5"\nonce = "on"\nsector = "{sector}"\n'
                    for sector in (0, 77, 1024, SECTORS - 1))
    one = start(machine, tmp_path, image, qemu=blkdebug(tmp_path, image, rules))
    assert readback(one) == (0, SECTORS, sum_of(image.read_bytes()))
    still_well(one)
    assert one.quit() == 0


def test_an_error_that_stays_is_told(machine, tmp_path, image):
    """Requests of 8 sectors that touch a bad one fail, no others."""
    rules = "".join(f'[inject-error]\nevent = "read_aio"\nerrno = "5"\nsector = "{sector}"\n' for sector in (77, 1024, 1031))
    one = start(machine, tmp_path, image, qemu=blkdebug(tmp_path, image, rules))
    data = bytearray(image.read_bytes())
    for first in (72, 1024):
        data[first * 512:(first + 8) * 512] = bytes(4096)
    assert readback(one) == (16, SECTORS, sum_of(data))
    still_well(one)
    assert one.quit() == 0


def test_a_disk_that_only_fails(machine, tmp_path, image):
    one = start(machine, tmp_path, image, qemu=blkdebug(tmp_path, image, '[inject-error]\nevent = "read_aio"\nerrno = "5"\n'))
    for _ in range(2):
        assert readback(one) == (SECTORS, SECTORS, 0)
    still_well(one)
    assert one.quit() == 0


def test_requests_that_take_too_long(machine, tmp_path, image):
    """QEMU lets 4 KB a second through: what is late becomes an error, and the disk's memory is nobody else's meanwhile."""
    one = start(machine, tmp_path, image, "disklate=200", ["-set", "drive.image0.throttling.bps-total=4096"])
    one.send("readback image0\r")
    one.expect(r"disk: [^\n]*error 1: read at sector \d+ takes too long")
    said = one.expect(r"read (\d+) sectors in \d+ ms, (\d+) unread, sum ([0-9a-f]+)\r")
    assert int(said[1]) == SECTORS and 0 < int(said[2]) <= SECTORS
    still_well(one)
    assert one.quit() == 0


def test_an_image_that_shrinks(machine, tmp_path, image):
    """What is gone cannot be read, at once and not as zeroes; what comes back can."""
    one = start(machine, tmp_path, image)
    data = image.read_bytes()
    left = SIZE // 2 + 1536
    os.truncate(image, left)
    kept = left // 4096 * 4096
    assert readback(one) == ((SIZE - kept) // 512, SECTORS, sum_of(data[:kept]))
    os.truncate(image, 0)
    assert readback(one) == (SECTORS, SECTORS, 0)
    still_well(one)
    with open(image, "r+b") as file:
        file.write(data)
    assert readback(one) == (0, SECTORS, sum_of(data))
    assert one.quit() == 0


def test_a_slow_disk_is_only_slow(machine, tmp_path, image):
    """The same disk with a limit that it keeps."""
    one = start(machine, tmp_path, image, "disklate=5000", ["-set", f"drive.image0.throttling.bps-total={SIZE // 2}"])
    assert readback(one) == (0, SECTORS, sum_of(image.read_bytes()))
    assert one.quit() == 0
