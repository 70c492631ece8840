# SPDX-License-Identifier: MIT
"""Files of disks on the thin OS: what it reads is what the host put there, what it writes the host finds, and what a broken disk says."""
import re
import subprocess

import pytest

from machine import SEED, TOP, disk, vm
from test_thin import run, thin

OF_TREE = ["docs/thin.md", "docs/experiments.md", "build/e2fsck/e2fsck"]


def fnv(data):
    sum_ = 0xcbf29ce484222325
    for byte in data:
        sum_ = (sum_ ^ byte) * 0x100000001b3 & (1 << 64) - 1
    return sum_


def mkdisk(*words):
    subprocess.run([TOP / "tools/mkdisk.py", *map(str, words)], check=True)


def debugfs(image, command, *options):
    return subprocess.run(["/usr/sbin/debugfs", *options, "-R", command, image], check=True, capture_output=True).stdout


def said_sums(lines):
    return {name: (int(length), int(sum_, 16)) for name, length, sum_ in re.findall(r"(/\S+): (\d+) bytes, sum ([0-9a-f]{16})", "\n".join(lines))}


def test_reads_and_writes(tmp_path):
    """Two guests share a disk of files, copy-on-write, and each keeps what it writes, pages moving; the host has the same sums. A fifth has the rest of
    what C programs call."""
    names = "\n".join(OF_TREE).encode()
    archive = tmp_path / "files.cpio"
    archive.write_bytes(subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], input=names, cwd=TOP, check=True, capture_output=True).stdout)
    mkdisk(tmp_path / "files.img", 16, "files", archive)
    paths = [f"/{name}" for name in OF_TREE]
    vms = []
    for i, vcpus in enumerate((1, 4)):
        mkdisk(tmp_path / f"work{i}.img", 16, "work")
        vms.append(thin(f"sum{i}", "files", "sum " + " ".join(paths), vcpus, 32, first=i, nodes=4, disk0=disk(tmp_path / "files.img")))
        vms.append(thin(f"write{i}", "files", f"write seed={SEED + i}", vcpus, 32, first=i, nodes=4, disk0=disk(tmp_path / "files.img"),
                        disk1=disk(tmp_path / f"work{i}.img", "persistent")))
    mkdisk(tmp_path / "fill.img", 4, "work")
    vms.append(thin("fill", "files", "fill", 1, 16, first=2, nodes=4, disk0=disk(tmp_path / "fill.img", "persistent")))
    vms.append(thin("usual", "usual", paths[0], 2, 16, first=1, nodes=4, disk0=disk(tmp_path / "files.img")))
    said, shown = run(tmp_path, "files", vms, "shuffle=1 check=1", nodes=4, memory=512)
    for label, (lines, code) in said.items():
        assert code == 0 and re.match(r"PASS (files|usual): \d+ checks$", lines[-1]), f"{label}: {lines[-10:]}\n{shown}"
    assert ["usual: 17: No such file or directory", "usual: 18"] == said["usual"][0][-3:-1]
    wanted = {path: (len(data), fnv(data)) for path, data in ((path, (TOP / path[1:]).read_bytes()) for path in paths)}
    assert said_sums(said["sum0"][0]) == said_sums(said["sum1"][0]) == wanted
    for name in ("work0", "work1", "fill"):
        check = subprocess.run(["/usr/sbin/e2fsck", "-fn", tmp_path / f"{name}.img"], check=False, capture_output=True, text=True)
        assert check.returncode == 0, check.stdout
    for i in range(2):
        image = tmp_path / f"work{i}.img"
        found = {f"/data/{k}": debugfs(image, f"cat /{k}") for k in range(4)}
        assert said_sums(said[f"write{i}"][0]) == {path: (len(data), fnv(data)) for path, data in found.items()}
        assert debugfs(image, "cat /open-at-the-end") == b"written by a thin program\n"


def test_shares_its_disk_with_linux(tmp_path):
    """The image that is Linux's root: Linux changes files of it, and a thin program finds them as they are in the image."""
    image, paths = TOP / "build/root.img", ["/bin/busybox", "/etc/passwd"]
    change = "echo changed >/etc/passwd; cat /etc/passwd /etc/group >/bin/changed; sync; cat /etc/passwd"
    guests = [vm("alpha", ramdisk=None, memory=48, bootargs=f'console=hvc0 quiet root=/dev/vda rw init=/init disco.run="{change}"', node=0,
                 disk0=disk(image)),
              thin("sums", "files", "sum " + " ".join(5 * paths), 2, 16, nodes=2, disk0=disk(image))]
    said, shown = run(tmp_path, "files-linux", guests, nodes=2, memory=256)
    assert "changed" in said["alpha"][0] and said["alpha"][1] == 0, shown
    wanted = {path: (len(data), fnv(data)) for path, data in ((path, debugfs(image, f"cat {path}")) for path in paths)}
    assert said["sums"][1] == 0 and said_sums(said["sums"][0]) == wanted, shown


def broken(folder, kind):
    """An image that is not what it should be."""
    image = folder / f"{kind}.img"
    if kind == "garbage":
        image.write_bytes(b"no file system! " * 65536)
    elif kind == "inode": # the checksum of the root's inode is wrong
        mkdisk(image, 8, "work")
        at = re.search(rb"located at block (\d+), offset 0x([0-9a-f]+)", debugfs(image, "imap /"))
        data = bytearray(image.read_bytes())
        data[int(at[1]) * 4096 + int(at[2], 16) + 0x28] ^= 0xff
        image.write_bytes(data)
    else:
        mkdisk(image, 8, "work")
        if kind == "short":
            image.write_bytes(image.read_bytes()[:4 << 20])
        if kind == "journal":
            debugfs(image, "feature needs_recovery", "-w")
    return image


ERRORS = {
    "none": ("/x", ["/x: found no disk, needed: DISK= of `make thin`, or a node disk0", "/x: No such device"]),
    "garbage": ("/x", ["disk 0 (/): found no file system of ext2, ext3 or ext4: Bad magic number in super-block", "/x: I/O error"]),
    "short": ("/x", ["found 4096 KB of disk, needed 8192 KB", "/x: I/O error"]),
    "journal": ("/x", ["found a journal with changes, needed: e2fsck, or one mount by Linux", "/x: I/O error"]),
    "inode": ("/x", ["the disk has an error there: ", "/x: I/O error"]),
    "empty": ("/x", ["/x: No such file or directory"]),
    "read-only": ("/x w", ["/x: Read-only file system"]),
}


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    folder = tmp_path_factory.mktemp("errors")
    disks = {kind: {} if kind == "none" else {"disk0": disk(broken(folder, kind), **({"read_only": True} if kind == "read-only" else {}))} for kind in ERRORS}
    vms = [thin(kind, "files", f"open {ERRORS[kind][0]}", memory=8, nodes=2, **disks[kind]) for kind in ERRORS]
    return run(folder, "errors", vms, nodes=2, memory=256)[0]


@pytest.mark.parametrize("kind", ERRORS)
def test_errors(errors, kind):
    lines, code = errors[kind]
    assert code == 1, lines
    for text in ERRORS[kind][1]:
        assert any(text in line for line in lines), f"no {text!r} in {lines}"
