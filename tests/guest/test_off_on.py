# SPDX-License-Identifier: MIT
"""VCPUs that go off and come back all the time (smp_off_on.c), while a person pauses, resumes and moves their VM, and stops, resets and
starts another one in the middle of it. DISCO_OFF_ON=10000 for how often they go off; `make off-on`. DISCO_SEED repeats the random numbers."""
import os
import random
import re
import time

from machine import PATIENCE, SEED, vm, write_scenario
from test_guest import MEMORY
from test_vcpus_move import accounts, settle

TIMES = int(os.environ.get("DISCO_OFF_ON", "400"))
NODES = 8


def off_on(label, times, **more):
    return vm(label, "smp_off_on.elf", None, MEMORY, f"lives={times}", vcpus=8, node=list(range(NODES)), manual=True, **more)


def test_off_and_on_under_a_person(machine, tmp_path):
    chance = random.Random(SEED)
    vms = [vm("here", "neighbour.elf", None, MEMORY, node=0, manual=True), off_on("steady", TIMES), off_on("dies", 10 ** 9, time_stops=True)]
    one = machine(write_scenario(tmp_path, vms, nodes=NODES, memory=512), "check=1")
    one.up()
    one.send("\r")
    before = accounts(one)[0]
    one.send("start steady\rstart dies\r")
    one.expect_all([r"vm: steady started", r"vm: dies started"])
    for _ in range(TIMES // 20):
        nodes = ",".join(str(chance.randrange(NODES)) for _ in range(chance.randint(1, NODES)))
        for command in (f"move steady {nodes}", "pause steady", f"move dies {nodes}", "resume steady",
                        chance.choice(["stop dies", "reset dies", "pause dies"]), "resume dies", "start dies"):
            one.send(command + "\r")
            time.sleep(chance.choice([0, 0.002, 0.02]))
    one.send("resume dies\rstop dies\r")
    one.expect(r"\[steady\] (PASS smp_off_on|FAIL[^\n]*)\r*\n", 60 + TIMES / 20)
    assert one.line.match[1] == "PASS smp_off_on"
    one.expect(r"vm: steady powered off, code 0")
    deadline = time.monotonic() + 60 * PATIENCE
    while not any(re.match(r"dies +stopped ", line) for line in one.command("vms")):
        assert time.monotonic() < deadline
    for label in ("steady", "dies"):
        one.command(f"move {label} 0-{NODES - 1}")
    settle(one, [before, 0, 0])
    log = one.log_path.read_text(errors="replace")
    assert " check: " not in log and "[dies] FAIL" not in log, f"see {one.log_path}"
    assert one.quit() == 0
