# SPDX-License-Identifier: MIT
"""Disks of Linux guests that fail or fill up, and guests that end in the middle: I/O errors for that guest, nothing for anybody else."""
import os
import re

import pytest

from linux_disks import ROOT, ask, linux, up, work  # noqa: F401 (fixtures)
from machine import SEED, disk

MB = 1 << 20


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "raw.img"
    path.write_bytes(bytes(range(256)) * (2 * MB // 256))
    return path


def pair(*more, **properties):
    """One guest whose disk fails, and one that goes on."""
    return [linux("bad", *more, node=1, **properties), linux("good", node=2)]


def injected(folder, image, number, *rules):
    """QEMU's options for errors of image number `number`."""
    file = folder / "rules"
    file.write_text("".join(f'[inject-error]\nevent = "{event}"\nerrno = "5"\n{more}' for event, more in rules))
    return ["-set", f"drive.image{number}.file=blkdebug:{file}:{image}"]


def still_well(one):
    assert "right" in ask(one, "good", f"disktest file file {SEED} 100")
    assert one.quit() == 0


def test_a_sector_that_cannot_be_read(up, raw, tmp_path):
    """Those who read it have an I/O error, also when it is asked for again; its neighbours in other blocks are there."""
    one = up(pair(disk(raw, "persistent")), qemu=injected(tmp_path, raw, 1, ("read_aio", 'sector = "1001"\n')))
    for _ in range(2):
        answer = ask(one, "bad", "dd if=/dev/vdb of=/dev/null bs=4096 skip=125 count=1 iflag=direct 2>&1; echo status $?")
        assert "Input/output error" in answer and "status 1" in answer, answer
    answer = ask(one, "bad", "dd if=/dev/vdb bs=4096 skip=126 count=200 iflag=direct 2>&1 | wc -c; dmesg | grep -c 'I/O error, dev vdb'")
    assert int(answer.split()[0]) >= 200 * 4096 and int(answer.split()[1]) >= 2, answer
    still_well(one)


def test_writes_and_flushes_that_fail(up, raw, tmp_path):
    one = up(pair(disk(raw, "persistent")), qemu=injected(tmp_path, raw, 1, ("write_aio", ""), ("flush_to_disk", "")))
    answer = ask(one, "bad", "dd if=/dev/zero of=/dev/vdb bs=4096 count=10 conv=fsync 2>&1; echo status $?")
    assert "status 1" in answer, answer
    still_well(one)
    assert raw.read_bytes() == bytes(range(256)) * (2 * MB // 256)


def test_a_copy_on_write_disk_that_is_full(up, raw):
    """limit-mb = 1: more is an I/O error, told once in the log; what was written before is there."""
    one = up(pair(disk(raw, limit_mb=1)))
    answer = ask(one, "bad", "dd if=/dev/zero of=/dev/vdb bs=4096 count=250 conv=fsync 2>&1; echo status $?; "
                             "dd if=/dev/zero of=/dev/vdb bs=4096 seek=250 count=200 conv=fsync 2>&1; echo status $?")
    assert answer.index("status 0") < answer.index("status 1"), answer
    answer = ask(one, "bad", "dmesg -n 1; echo 3 >/proc/sys/vm/drop_caches; head -c 1000000 /dev/vdb | tr -d '\\0' | wc -c; cmp /dev/vda /dev/vda && echo same")
    assert answer.split()[0] == "0" and answer.endswith("same"), answer
    assert len(re.findall(r"limit", "\n".join(one.command("log")))) == 1
    still_well(one)


def test_an_image_that_shrinks(up, raw):
    """What is gone is an I/O error; what was read before is still there for who has it."""
    one = up(pair(disk(raw, "persistent")))
    os.truncate(raw, MB)
    answer = ask(one, "bad", "dd if=/dev/vdb of=/dev/null bs=4096 skip=300 count=1 iflag=direct 2>&1; echo status $?; "
                             "dd if=/dev/vdb of=/dev/null bs=4096 skip=3 count=1 iflag=direct 2>&1; echo status $?")
    assert answer.index("status 1") < answer.index("status 0"), answer
    still_well(one)


def memory_of_nobody(one):
    """KB of the machine's memory that guests use, without what a VM has for itself and what is of images; KB promised, without the
    latter. A VM that runs may use more or less at any moment: what it uses is taken off by its own account."""
    said = "\n".join(one.command("mem"))
    assert re.search(r"bad has \d+ KB, uses 0 KB, of these shared 0 KB, private 0 KB; replicas 0 KB", said), said
    of_images, of_vms = map(int, re.search(r"blocks of disks and what knows them (\d+) KB, private to VMs (\d+) KB", said).groups())
    used, promised = (int(re.search(pattern, said)[1]) for pattern in (r"guests use (\d+) KB", r"promised to VMs (\d+) KB"))
    return [used - of_images - of_vms, promised - of_images]


def test_guests_that_end_in_the_middle_of_requests(up, work):
    """Stopped or reset at any moment while programs read and write all its disks: it starts again, and when it has ended nothing of it
    is left in memory."""
    guests = [linux("bad", disk(work("bad"), "persistent"), disk(ROOT), words="work=/dev/vdb", node=1), linux("good", node=2)]
    one = up(guests)
    one.do("stop bad", r"vm: bad stopped")
    load = ("while :; do dd if=/dev/vdc of=/dev/null bs=64k iflag=direct; dd if=/dev/vda of=/data/copy bs=30k count=100 conv=fsync; done & "
            "while :; do dd if=/dev/vda of=/dev/vdc bs=4k seek=$RANDOM count=40 oflag=direct; done & "
            "while :; do disktest sectors /dev/vdc 1 50; done &")
    seen = []
    for number in range(6):
        one.do("start bad", r"\[bad\] bad: Linux [^\n]*\n", timeout=120)
        ask(one, "bad", f"{{ ({load}) >/dev/null 2>&1 & }}")
        ask(one, "bad", f"usleep {SEED % 97 * 1000 + 10000 * number}")
        if number % 2:
            one.do("reset bad", r"\[bad\] bad: Linux [^\n]*\n", timeout=120)
        one.do("stop bad", r"vm: bad stopped")
        seen.append(memory_of_nobody(one))
    # pages that change hands between the sums may be missing in one of them
    assert all(abs(now - then) < 128 for one_time in seen for now, then in zip(one_time, seen[0])) and abs(seen[0][0]) < 128, seen
    still_well(one)
