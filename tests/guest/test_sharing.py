# SPDX-License-Identifier: MIT
"""Images of the boot archive that several guests have in common lie in memory once, until one of them writes a page: the command mem
says how much of a guest that is."""
import re

from machine import vm, write_scenario


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


def test_two_kernels_are_one(machine, tmp_path):
    """Linux writes its data, and frees and writes the memory of its initial code and ramdisk; the rest of it is there once."""
    one = machine(write_scenario(tmp_path, [vm(label, node=node) for node, label in enumerate(("alpha", "beta"))], memory=256),
                  "check=1")
    one.expect_all([rf"\[{label}\] [^\r\n]*Run /init" for label in ("alpha", "beta")], 120)
    text = shared(one)
    assert min(text.values()) >= 2048, text
    assert " check: " not in one.log_path.read_text()
