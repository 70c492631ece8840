# SPDX-License-Identifier: MIT
"""Equal runs are equal to the last bit: results and what came over the line, also while the host is busy; and skew changes them."""
import json
import subprocess
import sys

import pytest

from machine import PATIENCE, TOP, vm, write_scenario

NODES = 4
WORKLOADS = {"raytrace": "passes=4", "engineering": "sweeps=1", "shared_text": "calls=20", "phase_change": "phases=2 sweeps=1"}


@pytest.fixture(scope="session")
def archives(tmp_path_factory):
    """Four programs of four VCPUs, and two Linux guests."""
    folder = tmp_path_factory.mktemp("repeat")
    made = {"linux": TOP / "build/batch.cpio"}
    for name, words in WORKLOADS.items():
        guest = vm("guest", f"numa/{name}.elf", None, 24, words, vcpus=NODES, node=list(range(NODES)))
        made[name] = write_scenario(folder, [guest], nodes=NODES, memory=512, name=name)
    return made


def run(archive, out, options=""):
    """(the file of results, what came over the line)"""
    done = subprocess.run(["timeout", "-k", "5", str(180 * PATIENCE), "qemu/run.sh", "-q", "-a", "exit=1", "-f", f"out={out}{options}", archive],
                          cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"all VMs have ended" in done.stdout and b"killed" not in done.stdout, done.stdout[-2000:]
    return out.read_text(), done.stdout


def check_counts_by_vm(result):
    """Each guest's own, and all that are not the monitor's are somebody's."""
    for kind in ("kernel", "user"):
        parts = [row["insns"][kind] for row in result["vms"]]
        assert sum(parts) == result["total"]["insns"][kind]
        assert abs(parts[0] - parts[1]) < 0.02 * parts[0], "two guests that do the same"
        # each lives on a node of its own
        assert parts == [result["processors"][node]["insns"][kind] for node in (1, 2)]


@pytest.mark.parametrize("name", ["linux", *WORKLOADS])
def test_runs_are_equal(tmp_path, archives, name):
    first = run(archives[name], tmp_path / "1.json")
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)] if name in ("linux", "raytrace") else []
    try:
        second = run(archives[name], tmp_path / "2.json")
    finally:
        for one in busy:
            one.kill()
            one.wait()
    assert first == second
    result = json.loads(first[0])
    assert result["region"] == (name != "linux")
    if name == "linux":
        check_counts_by_vm(result)
    assert [row["vm"] for row in result["vms"]] == ([0, 1] if name == "linux" else [0])
    for cpu in result["processors"]:
        assert cpu["cycles"] == cpu["idle"] + sum(cpu["insns"].values()) + sum(cpu["stall"].values())
        assert sum(cpu["stall"].values()) == sum(cpu["stall_by"].values())


def test_skew_gives_another_run_of_the_same_kind(tmp_path, archives):
    plain, skewed = [json.loads(run(archives["engineering"], tmp_path / f"{i}.json", more)[0]) for i, more in enumerate(("", ",skew=300"))]
    assert plain["T"] != skewed["T"]
    assert abs(plain["T"] - skewed["T"]) < 0.1 * plain["T"]
