# SPDX-License-Identifier: MIT
"""tools/mkdisk.py: images are the same bytes in each build, and hold what archives hold."""
import os
import stat
import subprocess
import time

import pytest

from machine import PATIENCE, TOP, pack

ENVIRONMENT = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin")


def mkdisk(out, *words, **more):
    return subprocess.run([str(TOP / "tools/mkdisk.py"), str(out), *map(str, words)], capture_output=True, text=True, timeout=120 * PATIENCE, **more)


def debugfs(image, command, **more):
    return subprocess.run(["debugfs", "-R", command, str(image)], check=True, capture_output=True, env=ENVIRONMENT, **more).stdout


def field(image, path, name):
    """A field of a file's inode, as debugfs names it."""
    words = debugfs(image, f'stat "{path}"', text=True).replace(":", ": ").split()
    return words[words.index(name + ":") + 1]


@pytest.fixture
def odd(tmp_path):
    """An archive with names, modes and links that a root may have."""
    folder = tmp_path / "odd"
    (folder / "with blank/and \"quotes\"").mkdir(parents=True)
    (folder / "with blank/and \"quotes\"/file").write_bytes(bytes(range(256)) * 100)
    (folder / "empty").touch()
    (folder / "program").write_bytes(b"\x7fELF")
    (folder / "program").chmod(0o4711)
    os.link(folder / "program", folder / "same")
    os.symlink("with blank/and \"quotes\"/file", folder / "link")
    os.mkfifo(folder / "pipe")
    names = ["with blank/and \"quotes\"/file", "empty", "program", "same", "link", "pipe"]  # no folder: they are made
    return pack(folder, tmp_path / "odd.cpio", names)


def test_equal_bytes_whenever_and_whoever(tmp_path, odd):
    """Another clock, another folder, another environment, files in another order."""
    images = []
    for number, more in enumerate(({}, {"env": dict(ENVIRONMENT, TZ="Asia/Tokyo", MKE2FS_CONFIG="/nowhere", LC_ALL="C.UTF-8"),
                                        "cwd": tmp_path, "umask": 0o077})):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, archives in (("root", [TOP / "build/root.cpio", odd]), ("work", [])):
            made = mkdisk(folder / name, 32, name, *archives, **more)
            assert made.returncode == 0 and not made.stdout and not made.stderr, made
        images.append([(folder / name).read_bytes() for name in ("root", "work")])
        time.sleep(1.1)  # the clock is another second's
    assert images[0] == images[1]
    assert (TOP / "build/root.img").stat().st_size == 32 << 20
    made = mkdisk(tmp_path / "again", 32, "root", TOP / "build/root.cpio")
    assert made.returncode == 0 and (tmp_path / "again").read_bytes() == (TOP / "build/root.img").read_bytes()


def test_the_image_holds_what_the_archives_hold(tmp_path, odd):
    image = tmp_path / "disk"
    assert mkdisk(image, 8, "root", odd).returncode == 0
    assert subprocess.run(["e2fsck", "-fn", str(image)], env=ENVIRONMENT, capture_output=True).returncode == 0
    assert debugfs(image, 'cat "/with blank/and ""quotes""/file"') == bytes(range(256)) * 100
    assert debugfs(image, "cat /empty") == b"" and debugfs(image, "cat /same") == b"\x7fELF"
    assert b'Fast link dest: "with blank/and "quotes"/file"' in debugfs(image, "stat /link")
    assert field(image, "/program", "Mode") == "04711" and field(image, "/program", "User") == "0"
    assert b"Type: FIFO" in debugfs(image, "stat /pipe")


def test_devices_and_owners_need_no_rights(tmp_path):
    """Of the guests' root: whoever builds it."""
    image = TOP / "build/root.img"
    assert b"Device major/minor number: 05:01" in debugfs(image, "stat /dev/console")
    assert field(image, "/dev/console", "Mode") == "0600" and field(image, "/tmp", "Mode") == "01777"
    assert field(image, "/root", "Mode") == "0700" and b"Type: symlink" in debugfs(image, "stat /bin/sh")
    busybox = TOP / "build/busybox/busybox"
    assert debugfs(image, "cat /bin/busybox") == busybox.read_bytes()
    assert stat.S_IMODE(busybox.stat().st_mode) & 0o111 and field(image, "/bin/busybox", "Mode") == "0755"


def test_a_later_archive_replaces(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hosts").write_text("other\n")
    pack(tmp_path, tmp_path / "more.cpio", ["etc/hosts"])
    both = tmp_path / "both.cpio"
    both.write_bytes((TOP / "build/root.cpio").read_bytes() + (tmp_path / "more.cpio").read_bytes())
    for archives in ([TOP / "build/root.cpio", tmp_path / "more.cpio"], [both]):
        assert mkdisk(tmp_path / "disk", 32, "root", *archives).returncode == 0
        assert debugfs(tmp_path / "disk", "cat /etc/hosts") == b"other\n"
        assert debugfs(tmp_path / "disk", "cat /init") == (TOP / "guests/linux/rootfs/init").read_bytes()


@pytest.mark.parametrize("words, said", [
    ((1, "root", TOP / "build/root.cpio"), "not all files could be written"),
    ((32, "root", TOP / "README.md"), "allowed: headers of a newc archive"),
    ((0, "root"), "needed: OUT.img, a number of MB"),
    ((32, "x" * 17), "a label of 1 to 16 characters"),
])
def test_what_cannot_be_made_is_told(tmp_path, words, said):
    made = mkdisk(tmp_path / "disk", *words)
    assert made.returncode != 0 and said in made.stderr, made
    assert os.listdir(tmp_path) == []
