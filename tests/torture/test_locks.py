# SPDX-License-Identifier: MIT
"""A Linux guest whose threads lock, wait, interrupt and free (guests/linux/locks.c), with one, two and four VCPUs for each processor, while
VCPUs and pages move at random, and while processors go off and come back. Its kernel says nothing of stalls or of its clock.
Time is instructions executed, so that no stall is the host's doing. DISCO_LOCKS=seconds for all of it; `make locks`."""
import os
import re

import pytest

from machine import vm, write_scenario

SECONDS = int(os.environ.get("DISCO_LOCKS", "0"))
VCPUS = 8
SHUFFLE = "shuffle=1"
CASES = [(many, plug, words) for many in (1, 2, 4) for plug in ("", "plug") for words in ("", SHUFFLE)] if SECONDS else [(4, "plug", SHUFFLE)]
COMPLAINTS = re.compile(r"stall|lockup|clocksource.*(unstable|skew)|BUG|WARNING|Oops|did not stop|failed to start|panic")


@pytest.mark.parametrize("many, plug, words", CASES)
def test_locks(machine, tmp_path, many, plug, words):
    nodes = VCPUS // many
    guest = vm("locks", ramdisk="locks-root.cpio", memory=48, vcpus=VCPUS, node=[vcpu % nodes for vcpu in range(VCPUS)],
               bootargs=f'console=hvc0 hostname=locks disco.run="locks {SECONDS or 1} {plug}"')
    one = machine(write_scenario(tmp_path, [guest], nodes=nodes, memory=512), f"exit=1 {words}".strip(), ["-d"])
    assert one.expect(r"\[locks\] locks: (ok|FAIL)[^\n]*\n", 120 + 20 * SECONDS)[1] == "ok", f"see {one.log_path}"
    assert one.end(60) == 0
    wrong = [line for line in one.log_path.read_text(errors="replace").splitlines() if COMPLAINTS.search(line)]
    assert not wrong, "\n".join(wrong[:10])
