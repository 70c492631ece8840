# SPDX-License-Identifier: MIT
"""spread=1: more VMs than processors, and each has of the whole machine what its weight says, wherever the description or chance put it."""
import json
import re

import pytest

from machine import net, vm, write_scenario

WEIGHTS = {"a": 1024, "b": 1024, "c": 1024, "d": 2048, "e": 512}
SECONDS = 2


def top(one):
    return json.loads(next(line for line in one.command("top json") if line.startswith("{")))


def test_parts_follow_weights(machine, tmp_path):
    """Five that compute all the time, on two processors. Time is instructions, whatever the host does."""
    vms = [vm(name, "net_storm.elf", None, 8, "role=3", weight=weight, net0=net()) for name, weight in WEIGHTS.items()]
    one = machine(write_scenario(tmp_path, vms, nodes=2, memory=128), "spread=1 check=1", ["-d"])
    one.expect_all([rf"vm: {name} started" for name in WEIGHTS])
    one.send("\r")
    one.elapse(500)
    top(one)
    one.elapse(1000 * SECONDS)
    now = top(one)
    ran = {guest["name"]: guest["run"] for guest in now["vms"]}
    moves = sum(guest["moves"] for guest in now["vms"])
    for name, weight in WEIGHTS.items():
        due = sum(ran.values()) * weight / sum(WEIGHTS.values())
        assert abs(ran[name] - due) < 0.1 * due + 2, (name, due, ran)  # percent of a processor
    assert moves < 10 * len(WEIGHTS) * now["since_ms"] / 1000, now
    print(ran, moves)
    assert " check: " not in one.log_path.read_text()
    assert one.quit() == 0


def counts(one, what):
    """Of VCPUs or pages that came to each node."""
    found = (re.match(rf" *(\d+)  {what} +(\d+)", line) for line in one.command("moves"))
    return {int(match[1]): int(match[2]) for match in found if match}


def has_run(one, name):
    """ms; 0: it is not the first node's."""
    return sum(int(match[1]) for match in (re.match(rf"{name} +/0 +0 +\S+ +\S+ +\S+ +(\d+)", line) for line in one.command("vcpus")) if match)


@pytest.mark.parametrize("taken", [False, True])
def test_a_vcpu_goes_to_its_memory_or_that_comes_to_it(machine, tmp_path, taken):
    """Away from its memory, by the prompt, a VCPU goes back by itself; by load, since another has its processor, it stays, and its memory comes. Never both."""
    vms = [vm("gates", "numa/engineering.elf", None, 16, "sweeps=1000000"), vm("rival", "net_storm.elf", None, 8, "role=3", node=0, manual=True, net0=net())]
    one = machine(write_scenario(tmp_path, vms, nodes=3, memory=512), "spread=1", ["-f", "l1=4,l2=64"])
    one.expect("vm: gates started")
    one.send("\r")
    one.until(lambda: has_run(one, "gates") >= 400, 60)  # it has filled in its memory, and works on it
    if taken:
        one.command("start rival")
        one.until(lambda: sum(counts(one, "migrated").values()) >= 64, 60)
        assert 0 not in counts(one, "VCPUs")
    else:
        one.command("move gates 2")
        one.until(lambda: 0 in counts(one, "VCPUs"), 60)
        assert sum(counts(one, "migrated").values()) < 32
    assert one.quit() == 0
