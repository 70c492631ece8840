# SPDX-License-Identifier: MIT
"""VCPUs that move between nodes: by `move` at the prompt, and at random while a guest works, is killed, reset and stopped. Afterwards
nothing is left of it: the machine's accounts are what they were. What guests see meanwhile: test_monitor_moves (test_guest.py), and
tests/torture for Linux."""
import re
import time

import pytest

from machine import SEED, vm, write_scenario
from test_guest import MEMORY, vm_of

NODES = 8


def nodes_of(one, label):
    """Where the VCPUs are, by number."""
    return [int(match[1]) for match in (re.match(rf"{label} */\d+ +(\d+) ", line) for line in one.command("vcpus")) if match]


def arrive(one, label, wanted):
    one.until(lambda: nodes_of(one, label) == wanted, 60)


def accounts(one):
    """Memory that is in use, in KB: the monitor's and guests', and what is promised."""
    text = "\n".join(one.command("mem"))
    return [int(number) for number in re.search(r"monitor (\d+) KB, guests use (\d+) KB, free \d+ KB; promised to VMs (\d+) KB", text).groups()]


def settle(one, wanted):
    """Views that nobody needs any more go within a second or two."""
    one.until(lambda: accounts(one) == wanted, 60)


def test_move_at_the_prompt(machine, tmp_path):
    """A running guest goes where it is told, node by node, back and forth, and is none the worse; errors say what is allowed."""
    vms = [vm("far", memory=64, vcpus=2, node=[1, 2]), vm("near", "neighbour.elf", None, MEMORY, node=3, manual=True)]
    one = machine(write_scenario(tmp_path, vms, nodes=4, memory=512), "check=1")
    one.up()
    before = accounts(one)[0]
    one.expect(r"\[far\] far: Linux [^\n]* on 2 processor", 120)
    assert nodes_of(one, "far") == [1, 2]
    for text, nodes in (("3", [3, 3]), ("0,3", [0, 3]), ("2-3", [2, 3]), ("3,2", [3, 2]), ("0-1", [0, 1])):
        assert not [line for line in one.command(f"move far {text}") if "found" in line]
        arrive(one, "far", nodes)
    for wrong in ("4", "1-", "2-1", "x", "1,,9", ","):
        assert any(f"found {wrong}, allowed numbers 0..3" in line for line in one.command(f"move far {wrong}")), wrong
    assert any("found none, allowed" in line for line in one.command("move far"))
    assert "no VM of that name" in "\n".join(one.command("move nobody 1"))
    one.attach("far")
    assert one.shell("far", "echo $((6 * 7)) and $(nproc)") == "42 and 2"
    one.detach()
    one.do("reset far", r"\[far\] far: Linux [^\n]* on 2 processor", timeout=120)
    arrive(one, "far", [0, 1])  # its place, though it was loaded on node 1
    one.do("stop far", r"vm: far stopped")
    one.command("move far 1-2")
    arrive(one, "far", [1, 2])
    settle(one, [before, 0, 0])
    assert one.quit() == 0
    assert " check: " not in one.log_path.read_text(errors="replace")


def test_kill_reset_and_stop_while_they_move(machine, tmp_path):
    """Whatever ends a VM while its VCPUs are on their way, it comes to an end, and leaves nothing behind."""
    vms = [vm_of("dies", "smp_kill"), vm_of("resets", "smp_reset"), vm("alone", "neighbour.elf", None, MEMORY, node=5, manual=True)]
    one = machine(write_scenario(tmp_path, vms, nodes=NODES, memory=512), "shuffle=1")
    for what in ("stop", "reset", "start") * 2:
        one.expect(r"vm: dies killed: exception 9 [^\n]*BEV")
        one.send("start dies\r")
        one.expect(r"vm: dies started")
        one.send(f"{what} dies\r")
        one.expect_all([r"vm: dies (stopped|reset|killed)", r"vm: resets reset"])
        one.send("start dies\r")
    for label in ("dies", "resets"):
        one.send(f"stop {label}\r")
    one.until(lambda: sum(bool(re.match(r"(dies|resets) +stopped ", line)) for line in one.command("vms")) == 2, 60)
    for label in ("dies", "resets"):
        one.command(f"move {label} 0-{NODES - 1}")
        arrive(one, label, list(range(NODES)))
    one.until(lambda: accounts(one)[1:] == [0, 0], 60)
    one.send("start alone\r")
    one.expect(r"\[alone\] PASS neighbour\r*\n")
    assert one.quit() == 0


# Eight VCPUs each: LL and SC, interrupts, VCPUs that go off and come back. With a processor for each: test_monitor_moves (test_guest.py).
TORTURES = ("smp_llsc", "smp_ipi", "smp_off_on")


@pytest.mark.parametrize("times", [2, 4])
def test_more_vcpus_than_processors(machine, tmp_path, times):
    """What holds with a processor for each VCPU holds with one for two and one for four, while they move at random; one VM after the other."""
    nodes = [vcpu % (8 // times) for vcpu in range(8)]
    vms = [vm(name.replace("_", "-"), f"{name}.elf", None, MEMORY, f"seed={SEED}", vcpus=8, node=nodes, manual=True) for name in TORTURES]
    one = machine(write_scenario(tmp_path, vms, nodes=8 // times, memory=512), "shuffle=1")
    one.up()
    one.send("\r")
    for name in TORTURES:
        label = name.replace("_", "-")
        one.send(f"start {label}\r")
        one.expect(rf"\[{label}\] (PASS {name}|FAIL[^\n]*)\r*\n")
        assert one.line.match[1] == f"PASS {name}"
        one.expect(f"vm: {label} powered off, code 0")
    assert one.quit() == 0


def test_vcpus_go_where_processors_are_free(machine, tmp_path):
    """spread=1: the VCPUs of a VM that names no node begin on one, and have one each when all are busy; those of one that names its node
    stay there, though others idle; and nothing goes to and fro then."""
    vms = [vm("wide", memory=48, vcpus=4), vm("fixed", memory=32, vcpus=2, node=4)]
    one = machine(write_scenario(tmp_path, vms, nodes=5, memory=512), "spread=1 check=1")
    one.expect_all([r"\[wide\] wide: Linux [^\n]* on 4 processor", r"\[fixed\] fixed: Linux [^\n]* on 2 processor"], 120)
    for name, jobs in (("wide", 4), ("fixed", 2)):
        one.attach(name)
        one.shell(name, f"for i in $(seq {jobs}); do while :; do :; done & done")
        one.detach()
    one.until(lambda: sorted(nodes_of(one, "wide")) == [0, 1, 2, 3], 60)
    still = nodes_of(one, "wide")
    assert nodes_of(one, "fixed") == [4, 4]
    until = time.monotonic() + 3
    while time.monotonic() < until:
        assert nodes_of(one, "wide") == still
    assert one.quit() == 0
    assert " check: " not in one.log_path.read_text(errors="replace")
