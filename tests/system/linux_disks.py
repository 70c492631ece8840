# SPDX-License-Identifier: MIT
"""Linux guests on disks, for tests: scenarios, images, and commands in their shells."""
import itertools
import os
import re
import subprocess

import pytest

from machine import PATIENCE, PROMPT, TOP, disk, vm, write_scenario

ROOT = TOP / "build/disktest.img"
ENVIRONMENT = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin")


def run(*words):
    return subprocess.run(list(map(str, words)), env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=120 * PATIENCE)


def linux(label, *more, root=None, words="", **properties):
    """A VM whose root is a copy-on-write disk, with the disks `more` behind it."""
    disks = {f"disk{i}": one for i, one in enumerate((root or disk(ROOT), *more))}
    properties.setdefault("memory", 48)
    return vm(label, ramdisk=None, bootargs=f"console=hvc0 hostname={label} root=/dev/vda rw init=/init {words}".strip(), **properties,
              **disks)


@pytest.fixture
def work(tmp_path):
    """work(name, mb=16): an image with an empty file system, of which e2fsck must find nothing to say when the test ends."""
    made = []

    def make(name, mb=16):
        made.append(tmp_path / f"{name}.img")
        assert run(TOP / "tools/mkdisk.py", made[-1], mb, "work").returncode == 0
        return made[-1]
    yield make
    for image in made:
        check = run("e2fsck", "-E", "journal_only", "-y", image), run("e2fsck", "-fn", image)
        assert check[1].returncode == 0, b"".join(one.stdout for one in check).decode(errors="replace")


@pytest.fixture
def up(machine, tmp_path):
    """up([linux(...), ...], words=""): a machine whose guests, or the first `running` of them, have their shells; the prompt is there."""
    def start(guests, words="", running=None, **more):
        archive = write_scenario(tmp_path, guests, nodes=4, memory=512)
        one = machine(archive, words, **more)
        one.expect_all([rf"\[{guest['label']}\] {guest['label']}: Linux [^\n]*\n" for guest in guests[:running]], 180)
        one.send("\r")
        one.expect(re.escape(PROMPT))
        return one
    return start


def listens(port):
    """For a shell: waits until a program of the guest listens there."""
    return f"until grep -q ':{port:04X} [0-9A-F:]* 0A ' /proc/net/tcp /proc/net/tcp6; do usleep 50000; done 2>/dev/null"


ASKED = itertools.count(1000)


def ask(one, guest, command, timeout=120):
    """What a command prints in the shell of a guest."""
    one.attach(guest)
    number = next(ASKED)  # the replay shows earlier commands: ours begins behind a word that never was there
    one.send(f"\recho now-$(({number}+1))-\r")
    one.expect(f"now-{number + 1}-", timeout)
    answer = one.shell(guest, command, timeout)
    one.detach()
    return answer


def at_once(one, guests, command, timeout=300):
    """The same command in the shells of several guests at the same time; what it printed in each."""
    for guest in guests:
        ask(one, guest, f"{{ ({command}) >/tmp/said 2>&1 & }}")
    return {guest: ask(one, guest, "wait; cat /tmp/said", timeout) for guest in guests}


def real_reads(one, image):
    """What `disks` says of an image: how often it was really read, how many KB."""
    said = "\n".join(one.command("disks"))
    return tuple(map(int, re.search(rf"image \S*{re.escape(image)}: [^\n]* (\d+) real reads of (\d+) KB", said).groups()))
