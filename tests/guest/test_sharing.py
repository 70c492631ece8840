# SPDX-License-Identifier: MIT
"""Images of the boot archive that several guests have in common lie in memory once, until one of them writes a page: the command mem
says how much of a guest that is. The same for blocks that they write alike, and what each then does to its own."""
import re
import shutil

import pytest

from machine import SEED, TOP, disk, vm, write_scenario


def shared(one):
    """{guest: KB that are shared}"""
    found = {}
    for line in one.command("mem"):
        match = re.match(r"(\w+) has \d+ KB, uses (\d+) KB, of these shared (\d+) KB", line)
        if match:
            assert int(match[3]) <= int(match[2])
            found[match[1]] = int(match[3])
    return found


def boot(machine, folder, words=""):
    """Two guests from one image, which touch all their memory but write their own text nowhere."""
    one = machine(write_scenario(folder, [vm(f"t{i}", "numa_full.elf", None, 8, node=i) for i in range(2)]), words)
    one.expect_all([rf"\[t{i}\] PASS numa_full\r*\n" for i in range(2)])
    return one


def test_text_of_two_guests_is_shared(machine, tmp_path):
    one = boot(machine, tmp_path)
    text = shared(one)
    assert text["t0"] == text["t1"] >= 16, text
    one.send("stop t0\r")
    one.expect("vm: t0 stopped")
    assert shared(one) == {"t0": 0, "t1": text["t1"]}
    one.send("start t0\r")
    one.expect(r"\[t0\] PASS numa_full\r*\n")
    assert shared(one) == text


def test_nothing_is_shared_where_remote_memory_costs_time(machine, tmp_path):
    assert shared(boot(machine, tmp_path, "latency=2")) == {"t0": 0, "t1": 0}


def test_memory_that_is_only_read_does_not_exist(machine, tmp_path):
    """Of 8 MB all but the block with the image, and what the loader wrote at the end; with off=zero next to all of it is given."""
    found = {}
    for words in ("", "off=zero"):
        one = machine(write_scenario(tmp_path, [vm("t0", "zero_kept.elf", None, 8, node=1)]), words)
        one.expect(r"\[t0\] PASS zero_kept\r*\n")
        lines = "\n".join(one.command("mem"))
        found[words] = [int(re.search(what, lines)[1]) for what in (r"t0 has 8192 KB, uses (\d+) KB", r"(\d+) KB were only read so far")]
        assert one.quit() == 0
    assert found[""][0] < 2200 and found[""][1] > 5900, found
    assert found["off=zero"][0] > 8000 and found["off=zero"][1] == 0, found


@pytest.mark.parametrize("words", ["", "shuffle=1"], ids=["plain", "pages-move"])
def test_a_storm_on_pages_finds_nobody_elses(machine, tmp_path, words):
    """zero_storm.c in three guests on the same four nodes and one image, each with a tag of its own."""
    vms = [vm(f"t{i}", "zero_storm.elf", None, 16, f"seed={SEED % 60000 + i}", vcpus=4, node=[(i + k) % 4 for k in range(4)],
              disk0=disk("root.img")) for i in range(3)]
    one = machine(write_scenario(tmp_path, vms, nodes=4, memory=256), words)
    one.expect_all([rf"vm: t{i} powered off" for i in range(3)], 60)
    log = one.log_path.read_text()
    assert all(f"[t{i}] PASS zero_storm" in log for i in range(3)), f"see {one.log_path}"
    lines = "\n".join(one.command("mem"))
    assert re.findall(r"uses (\d+) KB, of these shared (\d+) KB, private (\d+) KB", lines) == [("0", "0", "0")] * 3, lines
    assert one.quit() == 0


def test_what_memory_costs_is_its_owners_time(machine, tmp_path):
    """Beside zero_flood.c a guest that computes has its half of the node."""
    vms = [vm("flood", "zero_flood.elf", None, 16, node=1), vm("victim", "rivals/victim.elf", None, 8, "ms=200", node=1)]
    one = machine(write_scenario(tmp_path, vms, memory=128), options=("-d",))
    found = one.expect_all([r"\[victim\] share (\d+) per mille", r"zero_flood: goes on"], 60)
    share = int(found[0][1]) / 10
    print(f"beside the flood: {share} % of the node")
    assert share >= 45, f"{share} % of the node"


def test_two_kernels_are_one(machine, tmp_path):
    """Linux writes its data, and frees and writes the memory of its initial code and ramdisk; the rest of it is there once."""
    one = machine(write_scenario(tmp_path, [vm(label, node=node) for node, label in enumerate(("alpha", "beta"))], memory=256),
                  "check=1")
    one.expect_all([rf"\[{label}\] [^\r\n]*Run /init" for label in ("alpha", "beta")], 120)
    text = shared(one)
    assert min(text.values()) >= 2048, text
    assert " check: " not in one.log_path.read_text()


def test_a_write_is_what_its_end_promised(machine, tmp_path):
    """disk_direct.c in three guests at once: two copy-on-write disks of one image, so that a page of one becomes the other's block as well,
    and both rewrite theirs; and a persistent disk."""
    disks = {"t0": disk("root.img"), "t1": disk("root.img"), "t2": disk(tmp_path / "own.img", "persistent")}
    vms = [vm(label, "disk_direct.elf", None, 8, vcpus=2, node=[node, node + 1], disk0=it)
           for node, (label, it) in enumerate(disks.items())]
    shutil.copy(TOP / "build/root.img", tmp_path / "own.img")
    one = machine(write_scenario(tmp_path, vms, nodes=4, memory=256), "check=1")
    one.expect_all([rf"\[{label}\] PASS disk_direct\r*\n" for label in disks] + [rf"vm: {label} powered off, code 0" for label in disks])
    assert " check: " not in one.log_path.read_text()
    assert sum(map(int, re.findall(r"(\d+) KB written as another block had them", "\n".join(one.command("disks"))))) >= 32
    assert one.quit() == 0
