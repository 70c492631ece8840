# SPDX-License-Identifier: MIT
"""Two Linux guests, one of them with two VCPUs, share a processor and do everything at once (guests/linux/torture.c); what they do is checked by
themselves. DISCO_TORTURE=seconds, DISCO_SEED=number; `make torture` runs longer."""
import os

import pytest

from machine import vm, write_scenario

SECONDS = int(os.environ.get("DISCO_TORTURE", "12"))
SEED = int(os.environ.get("DISCO_SEED", "1"))


@pytest.mark.parametrize("words", ["check=1", "off=fast,l2tlb,walkfast,large,asid", "check=1 shuffle=1"],
                         ids=["fast-paths", "without", "pages-move"])
def test_torture(machine, tmp_path, words):
    guests = [("one", 1, SEED), ("two", 2, SEED + 1000)]
    vms = [vm(name, ramdisk="torture.cpio", memory=48, vcpus=vcpus, node=1, bootargs=f"console=hvc0 TORTURE={SECONDS} SEED={seed}")
           for name, vcpus, seed in guests]
    one = machine(write_scenario(tmp_path, vms, nodes=2, memory=256), f"exit=1 {words}".strip())
    for match in one.expect_all([rf"\[{name}\] torture: (ok|FAIL)" for name, _, _ in guests], 60 + 6 * SECONDS):
        assert match[1] == "ok", f"see {one.log_path}"
    assert one.end(60) == 0
    wrong = [line for line in one.log_path.read_text(errors="replace").splitlines() if " check: " in line]
    assert not wrong, "\n".join(wrong[:10])
