# SPDX-License-Identifier: MIT
"""Sockets of the thin OS: on its own, with another thin program, with Linux both ways, and while pages move."""
import re
import subprocess

import pytest

from machine import PATIENCE, TOP, net, vm, write_scenario
from test_thin import LIMIT, run, thin

BYTES = 300000


def passed(said, shown, *labels):
    for label in labels:
        lines, code = said[label]
        assert code == 0 and re.match(r"PASS sockets: \d+ checks$", lines[-1]), f"{label}: {lines[-10:]}\n{shown}"


@pytest.mark.parametrize("words", ["", "shuffle=1 check=1"], ids=["plain", "moves"])
def test_thin_programs(tmp_path, words):
    """By itself on 1, 2 and 4 VCPUs, and two of them by names, four connections at once; without a network it says so."""
    vms = [thin(f"self{n}", "sockets", "self", n, 16, nodes=4) for n in (1, 2, 4)]
    vms += [thin("server", "sockets", "echo times=4", 2, 16, nodes=4, net0=net(mtu=65535)),
            thin("client", "sockets", f"client server times=4 bytes={BYTES}", 4, 16, first=1, nodes=4, net0=net(mtu=1500))]
    said, shown = run(tmp_path, f"sockets{'-moves' if words else ''}", vms, words, nodes=4, memory=256)
    passed(said, shown, *said)
    lines = said["server"][0]
    assert sum(re.fullmatch(r"a connection of \d+\.0\.0\.2", line) is not None for line in lines) == 4 == lines.count(f"{BYTES} bytes"), lines


def test_nobody_waits_for_what_was_lost(tmp_path):
    """By a clock of instructions: eight connections begin at once, and their data have room: no frame is sent again after a while."""
    vms = [thin("server", "sockets", "echo times=8", memory=16, nodes=2, net0=net(mtu=65535)),
           thin("client", "sockets", "client server times=8 bytes=250000", memory=16, first=1, nodes=2, net0=net(mtu=65535))]
    archive = write_scenario(tmp_path, vms, nodes=2, memory=256)
    done = subprocess.run(["timeout", "-k", "5", str(LIMIT * PATIENCE), "qemu/run.sh", "-q", "-d", "-a", "exit=1", str(archive)], cwd=TOP,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True, errors="replace")
    found = re.search(r"there and back in (\d+) ms", done.stdout)
    assert found and int(found[1]) < 200, done.stdout


def test_with_linux(tmp_path):
    """A Linux guest's nc gets back from a thin program what it sent, and a thin program from Linux's nc and cat."""
    # cat ends when the kernel has all of its bytes, not when the client has: who powered off then would leave that waiting for ever
    command = (f"ping -c 1 server; head -c {BYTES} /dev/urandom >/tmp/sent; for i in 1 2; do nc server 7 </tmp/sent >/tmp/got; "
               "cmp /tmp/sent /tmp/got && echo equal; done; nc -l -p 99 -e cat; "
               "while grep -q ':0063 [^ ]* 0[^6]' /proc/net/tcp; do usleep 10000; done")
    guests = [vm("alpha", memory=48, bootargs=f'console=hvc0 quiet hostname=alpha disco.run="{command}"', node=0, net0=net(mtu=65535)),
              thin("server", "sockets", "echo times=2", 2, 16, first=1, nodes=3, net0=net(mtu=65535)),
              thin("client", "sockets", f"client alpha port=99 bytes={BYTES}", 2, 16, first=2, nodes=3, net0=net(mtu=65535))]
    said, shown = run(tmp_path, "sockets-linux", guests, nodes=3, memory=256)
    passed(said, shown, "server", "client")
    lines, code = said["alpha"]
    assert code == 0 and lines.count("equal") == 2 and any(" 0% packet loss" in line for line in lines), shown
    assert said["server"][0].count(f"{BYTES} bytes") == 2
