# SPDX-License-Identifier: MIT
"""spread=1: more VMs than processors, and each has of the whole machine what its weight says, wherever the description or chance put it."""
import json
import time

from machine import PATIENCE, net, vm, write_scenario

WEIGHTS = {"a": 1024, "b": 1024, "c": 1024, "d": 2048, "e": 512}
SECONDS = 3


def top(one):
    return json.loads(next(line for line in one.command("top json") if line.startswith("{")))


def test_parts_follow_weights(machine, tmp_path):
    """Five that compute all the time, on two processors. The bounds are wide: a busy host stops processors when it likes."""
    vms = [vm(name, "net_storm.elf", None, 8, "role=3", weight=weight, net0=net()) for name, weight in WEIGHTS.items()]
    one = machine(write_scenario(tmp_path, vms, nodes=2, memory=128), "spread=1 check=1")
    one.expect_all([rf"vm: {name} started" for name in WEIGHTS])
    one.send("\r")
    time.sleep(0.5 * PATIENCE)
    top(one)
    time.sleep(SECONDS)
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
