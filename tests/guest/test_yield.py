# SPDX-License-Identifier: MIT
"""VCPUs that wait for each other by YIELD, on two nodes, each beside a VM that computes all the time. Time is instructions executed, so that the same comes
out each time."""
import pytest

from machine import vm, write_scenario

ROUNDS = 200  # in half a second; 22 if who gives way has the end of its slice taken by the others


@pytest.mark.parametrize("more", [{}, {"gang": True}], ids=["", "gang"])
def test_who_yields_has_its_part(machine, tmp_path, more):
    passes = vm("passes", "smp_pass.elf", None, 8, "seed=1", vcpus=2, node=[1, 2], **more)
    rivals = [vm(f"rival{node}", "rivals/neighbour.elf", None, 8, "habit=0", node=node) for node in (1, 2)]
    one = machine(write_scenario(tmp_path, [passes, *rivals], nodes=3, memory=128), "", ["-d"])
    rounds = int(one.expect(r"smp_pass: (\d+) rounds")[1])
    one.expect(r"\[passes\] PASS smp_pass")
    assert one.quit() == 0
    assert rounds > ROUNDS
