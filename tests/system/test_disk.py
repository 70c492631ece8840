# SPDX-License-Identifier: MIT
"""Linux guests on disks: one image as the root of several, disks of their own, and what else happens to their pages."""
import hashlib
import re

import pytest

from linux_disks import ROOT, ask, at_once, linux, real_reads, run, up, work  # noqa: F401 (fixtures)
from machine import SEED, TOP, disk

PERSISTENT = {"mode": "persistent"}


@pytest.mark.parametrize("where", ["host", "archive"])
def test_each_writer_of_one_image_sees_its_own(up, where):
    """Three guests read the same, each writes to the same files and blocks, none sees another's, the image stays as it is."""
    before = ROOT.read_bytes()
    more = {"in_archive": True} if where == "archive" else {}
    names = ["alpha", "beta", "gamma"]
    one = up([linux(name, root=disk("disktest.img" if more else ROOT, **more), node=i) for i, name in enumerate(names)])
    busybox = hashlib.md5((TOP / "build/busybox/busybox").read_bytes()).hexdigest()
    for name in names:
        assert busybox in ask(one, name, "md5sum /bin/busybox")
        ask(one, name, f"echo of-{name} >secret; echo {name} >>/init; cp /bin/busybox copy; echo {name} >>copy; sync")
    for name in names:
        ask(one, name, "echo 3 >/proc/sys/vm/drop_caches")
        answer = ask(one, name, f"cat secret; tail -n 1 /init; tail -c {len(name) + 1} copy; md5sum /bin/busybox")
        assert answer.split()[:4] == [f"of-{name}", name, name, busybox], answer
    one.do("reset beta", r"\[beta\] beta: Linux [^\n]*\n", timeout=120)
    answer = ask(one, "beta", "ls -A /root | wc -l; tail -n 1 /init")
    assert answer.split() == ["0", "done"], answer
    assert one.quit() == 0
    assert ROOT.read_bytes() == before


def test_what_one_has_read_no_other_reads(up):
    """The second guest, and the third, boot and read 2 MB of files with next to no transfer: the first one, which goes on, may read a block."""
    one = up([linux("alpha", node=1)] + [linux(name, node=node, manual=True) for name, node in (("beta", 2), ("gamma", 1))], running=1)
    ask(one, "alpha", "cat /bin/* /init >/dev/null")
    before = real_reads(one, "disktest.img")
    assert before[1] > 2000
    for name in ("beta", "gamma"):
        one.do(f"start {name}", rf"\[{name}\] {name}: Linux [^\n]*\n", timeout=120)
        ask(one, name, "cat /bin/* /init >/dev/null")
    after = real_reads(one, "disktest.img")
    assert after[0] <= before[0] + 3 and after[1] <= before[1] + 64, (before, after)
    shared = [int(re.search(rf"{name} has [^\n]*shared (\d+) KB", "\n".join(one.command("mem")))[1]) for name in ("beta", "gamma")]
    assert min(shared) > 2000, shared
    assert one.quit() == 0


@pytest.mark.parametrize("words", ["", "shuffle=1", "check=1"], ids=["plain", "pages-move", "checked"])
def test_what_is_read_is_what_was_written(up, work, words):
    """In three guests of 1, 2 and 4 processors at once, each on a file of its root, one of its own disk, and sectors of an image that all
    begin with."""
    names = ["alpha", "beta", "gamma"]
    guests = [linux(name, disk(work(name), **PERSISTENT), disk(ROOT), words="work=/dev/vdb", vcpus=1 << i, node=[(i + k) % 4 for k in range(1 << i)])
              for i, name in enumerate(names)]
    one = up(guests, words)
    times = 80 if words == "check=1" else 200
    said = at_once(one, names, f"disktest file /data/file {SEED} {times} & disktest file file {SEED + 1} {times} & "
                               f"disktest sectors /dev/vdc {SEED + 2} {times} & wait")
    for name in names:
        assert len(re.findall(rf"{times} operations, \d+ bytes are right", said[name])) == 3, said[name]
        ask(one, name, "umount /data")
    assert one.quit() == 0


def test_many_files_and_their_sums(up, work):
    """Copies written by four programs at once, read again from the disk, in two guests."""
    names = ["alpha", "beta"]
    one = up([linux(name, disk(work(name), **PERSISTENT), words="work=/dev/vdb", node=i + 1) for i, name in enumerate(names)], "shuffle=1")
    copy = "mkdir -p /data/$k; head -c ${k}7777 /bin/busybox >/data/$k/$i; dd if=/data/$k/$i of=/data/$k/d$i bs=${k}777 2>/dev/null"
    said = at_once(one, names, "for k in 1 2 3 4; do (i=0; while [ $i -lt 25 ]; do " + copy + "; i=$((i+1)); done) & done; wait; "
                               "cd /data; find . -type f | xargs md5sum >/tmp/sums; sync; echo 3 >/proc/sys/vm/drop_caches; "
                               "md5sum -c /tmp/sums | grep -c OK; cut -d' ' -f1 /tmp/sums | sort -u | wc -l")
    assert {name: answer.split()[-2:] for name, answer in said.items()} == {name: ["200", "4"] for name in names}, said
    for name in names:
        ask(one, name, "cd /; umount /data")
    assert one.quit() == 0


def test_odd_sectors(up):
    """dd with O_DIRECT from sectors that no page begins with, against what the image has there."""
    one = up([linux("alpha", disk(ROOT), node=1)])
    data = ROOT.read_bytes()
    for skip, count, size in ((0, 1, 512), (1, 7, 512), (3, 64, 512), (8, 8, 512), (9, 255, 512), (65535, 1, 512), (1, 3, 5120),
                              (7, 9, 1536), (2, 1, 1 << 20), (3, 5, 131072)):
        answer = ask(one, "alpha", f"dd if=/dev/vdb bs={size} skip={skip} count={count} iflag=direct 2>/dev/null | md5sum")
        assert hashlib.md5(data[skip * size:(skip + count) * size]).hexdigest() in answer, (skip, count, size, answer)
    assert one.quit() == 0


def test_a_file_system_made_by_the_guest(up, tmp_path):
    """mkfs on a disk of zeroes; what was written is on the host's image when sync is over, without an end of the guest."""
    image = tmp_path / "made.img"
    with open(image, "wb") as file:
        file.truncate(24 << 20)
    one = up([linux("alpha", disk(image, **PERSISTENT), node=1)])
    ask(one, "alpha", "mkfs.ext2 -b 4096 /dev/vdb >/dev/null && mount -t ext4 /dev/vdb /mnt && cp /bin/busybox /mnt && "
                      "dd if=/bin/busybox of=/mnt/odd bs=12345 count=77 2>/dev/null; mount -o remount,ro /mnt; blockdev --flushbufs /dev/vdb")
    check = run("e2fsck", "-fn", image)
    assert check.returncode == 0, check.stdout
    busybox = (TOP / "build/busybox/busybox").read_bytes()
    for name, wanted in (("busybox", busybox), ("odd", busybox[:12345 * 77])):
        run("debugfs", "-R", f"dump /{name} {tmp_path / name}", image)
        assert (tmp_path / name).read_bytes() == wanted
    assert one.quit() == 0


@pytest.mark.parametrize("disk1", [{"mode": "persistent"}, {}], ids=["persistent", "copied"])
def test_a_guest_checks_its_file_system_itself(up, tmp_path, disk1):
    """mkfs, files, and Linux's own e2fsck in the guest: clean; without its bitmaps and inodes it is not; repaired it is again."""
    image = tmp_path / "checked.img"
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    one = up([linux("alpha", disk(image, **disk1), node=1)])

    def check(options):
        answer = ask(one, "alpha", f"e2fsck {options} /dev/vdb >/tmp/said 2>&1; echo status $?; tail -n 1 /tmp/said; echo 3 >/proc/sys/vm/drop_caches")
        return int(re.search(r"status (\d+)", answer)[1]), answer

    ask(one, "alpha", "mkfs.ext2 -b 4096 /dev/vdb >/dev/null && mount -t ext4 /dev/vdb /mnt && cp /bin/* /mnt 2>/dev/null; "
                      "mkdir /mnt/d; dd if=/bin/busybox of=/mnt/d/odd bs=12345 count=77 2>/dev/null; rm /mnt/e2fsck; umount /mnt")
    status, answer = check("-fn")
    assert status == 0 and re.search(r"/dev/vdb: \d+/\d+ files", answer), answer
    ask(one, "alpha", "dd if=/dev/zero of=/dev/vdb bs=4096 seek=2 count=100 conv=notrunc 2>/dev/null; sync")
    status, answer = check("-fn")
    assert status & 4, answer  # errors left as they are
    status, answer = check("-fy")
    assert status == 1, answer  # all of them corrected
    status, answer = check("-fn")
    assert status == 0, answer
    assert one.quit() == 0


def test_what_is_written_to_a_persistent_disk_is_there_the_next_time(up, work):
    guests = [linux("alpha", disk(work("alpha"), **PERSISTENT), words="work=/dev/vdb", node=1)]
    one = up(guests)
    ask(one, "alpha", "md5sum /bin/busybox >/data/sum; cp /bin/busybox /data")
    one.attach("alpha")
    one.send("\rpoweroff\r")
    one.expect(r"alpha powered off, code 0", 60)
    assert one.quit() == 0
    two = up(guests)
    answer = ask(two, "alpha", "cat /data/sum; md5sum /data/busybox")
    assert len(re.findall(r"[0-9a-f]{32}", answer)) == 2 and len(set(re.findall(r"[0-9a-f]{32}", answer))) == 1, answer
    ask(two, "alpha", "umount /data")
    assert two.quit() == 0


@pytest.mark.parametrize("mode", ["cow", "persistent"])
def test_a_read_only_disk(up, tmp_path, mode):
    image = tmp_path / "ro.img"
    image.write_bytes(ROOT.read_bytes())
    image.chmod(0o444)
    one = up([linux("alpha", disk(image, mode, read_only=True, serial="only-read"), node=1)])
    answer = ask(one, "alpha", "cat /sys/block/vdb/ro /sys/block/vdb/serial; echo; mount -t ext4 -o ro /dev/vdb /mnt && ls /mnt/init; "
                               "dd if=/dev/zero of=/dev/vdb count=1 conv=fsync 2>&1; echo status $?")
    assert answer.startswith("1") and "only-read" in answer and "/mnt/init" in answer and "status 1" in answer, answer
    assert one.quit() == 0
    assert image.read_bytes() == ROOT.read_bytes()
