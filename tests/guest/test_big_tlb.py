# SPDX-License-Identifier: MIT
"""A TLB of 64 entries with nothing behind them, as the timing model makes it: the monitor takes translations back one by one there
(arch/mips/tlb.c), and must take all of them back and nothing of its own."""
import subprocess

from machine import LOGS, PATIENCE, TOP, vm, write_scenario

NAMES = ("walk_flush", "walk_half", "tlb_torture", "tlb_asid_many", "tlb_tlbinv", "seg_special", "seg_window")
WINDOWS = "window_all"  # with pairs of 1 MB: memory=7
LIMIT = 180


def test_translations_are_taken_back(tmp_path):
    names = (*NAMES, WINDOWS)
    vms = [vm(f"t{i}", f"{name}.elf", None, 7 if name == WINDOWS else 8, node=i % 4) for i, name in enumerate(names)]
    archive = write_scenario(tmp_path, vms, nodes=4, memory=512)
    LOGS.mkdir(parents=True, exist_ok=True)
    with open(LOGS / "guest-big-tlb.log", "w+", encoding="utf-8", errors="replace") as log:
        subprocess.run(["timeout", "-k", "5", str(LIMIT * PATIENCE), "qemu/run.sh", "-q", "-f", "preset=paper,cache=0", "-a", "exit=1 check=1",
                        str(archive)], cwd=TOP, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False)
        log.seek(0)
        text = log.read()
    for i, name in enumerate(names):
        assert f"[t{i}] PASS {name}\n" in text.replace("\r", ""), text[-2000:]
    assert " check: " not in text
