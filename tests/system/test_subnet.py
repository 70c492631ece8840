# SPDX-License-Identifier: MIT
"""Linux guests on a subnet: addresses and names without configuration, packets of all sizes, TCP with checksums, several subnets, and
a guest that ends while others send to it."""
import itertools
import os
import re

import pytest

from linux_disks import ask, linux, listens, up  # noqa: F401 (a fixture)
from machine import SEED, net, vm, without_kernel, write_scenario

MTU = 65535
marks = itertools.count(1)


def boot(machine, folder, guests, words="", memory=256):
    one = machine(write_scenario(folder, guests, nodes=4, memory=memory), words)
    one.expect_all([rf"\[{guest['label']}\] {guest['label']}: Linux [^\n]*shell after" for guest in guests], 180)
    one.send("\r")
    return one


def run(one, guest, command, timeout=60):
    """What the command printed in the guest's shell. What the terminal shows again on attaching has other marks."""
    mark = next(marks)
    one.attach(guest)
    one.send(f"\recho be''gin-{mark}; {command}; echo e''nd-{mark}\r")
    one.expect(rf"begin-{mark}\r*\n", timeout)
    one.expect(rf"end-{mark}\r*\n", timeout)
    answer = without_kernel(one.before.replace("\r", "")).strip()
    one.detach()
    return answer


def receive(one, guest, port):
    """The guest sums up what comes to the port, in the background; its own side stays open."""
    run(one, guest, f"(tail -f /dev/null | nc -l -p {port} | {{ md5sum >/tmp/{port}; echo >/tmp/{port}-ended; }}) & {listens(port)}")


def received(one, guest, port):
    return run(one, guest, f"while [ ! -f /tmp/{port}-ended ]; do sleep 1; done; cut -c -32 /tmp/{port}", 180)


@pytest.mark.parametrize("words", ["check=1", "shuffle=1"])
def test_guests_know_and_reach_each_other(machine, tmp_path, words):
    one = boot(machine, tmp_path, [vm(label, node=node, memory=48, net0=net(mtu=MTU)) for node, label in enumerate(("alpha", "beta"), 1)],
               words)
    assert " 0% packet loss" in run(one, "alpha", "ping -c 2 beta")
    for bytes_ in (1, 1000, 1472, 5000, 30000, 65507):
        assert " 0% packet loss" in run(one, "beta", f"ping -c 1 -s {bytes_} alpha"), bytes_
    for port, kb in (5001, 1), (5002, 777), (5003, 6000):
        receive(one, "beta", port)
        sent = run(one, "alpha", f"head -c {kb * 1000 + 7} /dev/urandom >/tmp/sent; nc beta {port} </tmp/sent & "
                                 "md5sum /tmp/sent | cut -c -32", 120)
        assert re.fullmatch("[0-9a-f]{32}", sent) and received(one, "beta", port) == sent
    shown = "\n".join(one.command("net"))
    assert re.search(r"alpha net0: number 1 on lan, 02:.*\n  sent \d+ frames of [1-9]\d\d\d+ KB", shown), shown
    assert " check: " not in one.log_path.read_text()


def test_subnets_are_apart_and_an_end_is_nobodys_trouble(machine, tmp_path):
    guests = [vm("alpha", node=1, net0=net("red"), net1=net("blue")), vm("beta", node=2, net0=net("red")),
              vm("gamma", node=3, net0=net("blue"))]
    one = boot(machine, tmp_path, guests)
    assert " 0% packet loss" in run(one, "alpha", "ping -c 2 beta")
    assert " 0% packet loss" in run(one, "alpha", "ping -c 2 gamma")
    assert run(one, "gamma", "grep -c beta /etc/hosts") == "0"
    one.send("stop beta\r")
    one.expect("vm: beta stopped")
    assert "100% packet loss" in run(one, "alpha", "ping -c 2 -W 1 beta")
    assert " 0% packet loss" in run(one, "alpha", "ping -c 2 gamma")
    one.send("start beta\r")
    one.expect(r"\[beta\] beta: Linux [^\n]*shell after", 180)
    assert " 0% packet loss" in run(one, "alpha", "ping -c 2 beta")


ROUNDS = int(os.environ.get("DISCO_NET_ROUNDS") or 0)


@pytest.mark.skipif(not ROUNDS, reason="make net-torture")
@pytest.mark.parametrize("words", ["shuffle=1 check=1", "off=remap"])
def test_all_pairs_of_linux_guests(up, words):  # noqa: F811
    """Messages of random lengths from random places, by TCP and UDP, of all to all at once, every other guest with two VCPUs on two nodes;
    nothing is left when all have ended."""
    names = [f"g{i}" for i in range(8)]
    one = up([linux(name, memory=32, **({"vcpus": 2, "node": [i % 4, (i + 1) % 4]} if i % 2 else {"node": i % 4}), net0=net())
              for i, name in enumerate(names)], words)
    for i, name in enumerate(names):
        others = " ".join(names[i + 1:] + names[:i])
        ask(one, name, f"{{ netmesh {SEED + i} {ROUNDS} {others} >/tmp/said 2>&1 & }}")
    for name in names:
        said = ask(one, name, "while ! grep -q answered /tmp/said; do sleep 1; done; cat /tmp/said", 600 + 60 * ROUNDS)
        assert said == f"netmesh: {2 * ROUNDS * 7} messages to 7 peers were answered", (name, said)
    for name in names:  # their servers have nothing to say
        assert "wrong" not in ask(one, name, "cat /tmp/said")
        one.send(f"stop {name}\r")
        one.expect(f"vm: {name} stopped", 60)
        one.send("\r")
    said = "\n".join(one.command("mem"))
    assert re.search(r"private to VMs 0 KB", said), said
    assert " check: " not in one.log_path.read_text()
