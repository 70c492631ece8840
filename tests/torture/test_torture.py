# SPDX-License-Identifier: MIT
"""Two Linux guests, one of them with two VCPUs, share a processor and do everything at once (guests/linux/torture.c); what they do is checked by
themselves. Then one of them has a VCPU on each of four nodes, or eight. DISCO_TORTURE=seconds, DISCO_SEED=number; `make torture` runs longer."""
import os

import pytest

from machine import vm, write_scenario

SECONDS = int(os.environ.get("DISCO_TORTURE", "12"))
SEED = int(os.environ.get("DISCO_SEED", "1"))


@pytest.mark.parametrize("words", ["check=1", "off=fast,l2tlb,walkfast,large,asid,renew", "check=1 shuffle=1"],
                         ids=["fast-paths", "without", "pages-move"])
def test_torture(machine, tmp_path, words):
    guests = [("one", 1, SEED), ("two", 2, SEED + 1000)]
    vms = [vm(name, ramdisk="torture.cpio", memory=48, vcpus=vcpus, node=1, bootargs=f"console=hvc0 TORTURE={SECONDS} SEED={seed}")
           for name, vcpus, seed in guests]
    torture(machine(write_scenario(tmp_path, vms, nodes=2, memory=256), f"exit=1 {words}".strip()), [name for name, _, _ in guests])


@pytest.mark.parametrize("nodes, words", [(4, "check=1"), (8, "check=1 shuffle=1")], ids=["four", "eight-pages-move"])
def test_torture_over_nodes(machine, tmp_path, nodes, words):
    wide = {"vcpus": nodes, "node": list(range(nodes))}
    vms = [vm(name, ramdisk="torture.cpio", memory=64, bootargs=f"console=hvc0 TORTURE={SECONDS} SEED={SEED + 2000}", **more)
           for name, more in (("wide", wide), ("one", {"node": 1}))]
    torture(machine(write_scenario(tmp_path, vms, nodes=nodes, memory=512), f"exit=1 {words}"), ["wide", "one"])


def torture(one, names):
    for match in one.expect_all([rf"\[{name}\] torture: (ok|FAIL)" for name in names], 60 + 6 * SECONDS):
        assert match[1] == "ok", f"see {one.log_path}"
    assert one.end(60) == 0
    wrong = [line for line in one.log_path.read_text(errors="replace").splitlines() if " check: " in line]
    assert not wrong, "\n".join(wrong[:10])
