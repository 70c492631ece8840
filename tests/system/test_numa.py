# SPDX-License-Identifier: MIT
"""Remote memory: injected delays as the description has them, what the prompt shows of misses and moves, and that nothing is charged twice."""
import json
import re
import subprocess
import sys
import time
from xml.etree import ElementTree

import pytest

from machine import PATIENCE, TOP, vm, write_scenario

UNIFORM, ZIPF = 4, 7 # patterns of guests/numa/patterns.c


def pattern(label, number, nodes, kb=4096, rounds=2, **more):
    """VCPU 1, on the second of the nodes, uses memory that lies on the first."""
    bootargs = f"pattern={number} kb={kb} rounds={rounds}"
    return vm(label, "numa/patterns.elf", None, 16, bootargs=bootargs, vcpus=len(nodes), node=nodes, **more)


def charged(one, label):
    one.expect(rf"\[{label}\] patterns: charged (\d+), (\d+) ns")
    count, ns = int(one.line.match[1]), int(one.line.match[2])
    one.expect(rf"vm: {label} powered off, code 0")
    return count, ns


def rows(one):
    """The table of `numa`: per node its misses, local share, charged us, pages, migrated, replicated, collapsed, refused."""
    lines = one.command("numa")
    return [list(map(int, line.split())) for line in lines if re.match(r" +\d+( +\d+){8}$", line)], lines


def test_the_charge_is_the_descriptions_each_way(machine, tmp_path):
    """From 1 to 0 a miss takes 500 ns longer than at home, from 0 to 1 1000; two misses to a charge."""
    vms = [pattern("up", UNIFORM, [0, 1]), pattern("down", UNIFORM, [1, 0], manual=True)]
    more = "\tlatency-ns = <300 1300 800 300>;\n"
    one = machine(write_scenario(tmp_path, vms, more=more), "latency=2 policy=none")
    count, ns = charged(one, "up")
    assert count > 10000 and abs(ns - count * 1000) <= 4000
    one.send("start down\r")
    count, ns = charged(one, "down")
    assert count > 10000 and abs(ns - count * 2000) <= 8000
    table, _ = rows(one)
    assert [row[0] for row in table] == [0, 1]
    assert all(row[1] > 10000 and row[2] < 50 and row[3] > 10000 for row in table)
    assert [line.split()[-1] for line in one.command("nodes")[1:3]] == [str(row[2]) for row in table]
    assert "2.00 cache misses" in "\n".join(one.command("latency"))
    assert one.quit() == 0


def test_nothing_is_charged_without_delays(machine, tmp_path):
    vms = [pattern("p", UNIFORM, [0, 1])] + [pattern(label, UNIFORM, [0, 1], manual=True) for label in ("again", "off")]
    one = machine(write_scenario(tmp_path, vms), "latency=off policy=none")
    assert charged(one, "p") == (0, 0)
    table, lines = rows(one)
    assert all(row[1] == 0 and row[3] == 0 for row in table)
    assert "nobody counts misses" in lines[0]
    assert "nobody counts misses" in one.command("numa map once")[-1]
    assert one.command("nodes")[1].split()[-1] == "-"
    assert "injected delays are on; 1.00" in one.command("latency scattered")[0]
    one.send("start again\r")
    assert charged(one, "again")[0] > 10000
    assert "injected delays are off" in one.command("latency off")[0]
    one.send("start off\r")
    assert charged(one, "off") == (0, 0)
    assert one.quit() == 0


def test_delays_need_memory_from_the_start(machine, tmp_path):
    one = machine(write_scenario(tmp_path, [pattern("p", UNIFORM, [0, 1])]))
    one.expect(r"vm: p powered off, code 0")
    assert "start with latency=on" in one.command("latency on")[0]
    assert "found yes, allowed on, off" in one.command("latency yes")[0]
    assert one.quit() == 0


def test_the_prompt_shows_what_is_hot(machine, tmp_path):
    """A page that VCPU 1 keeps using shows with its owner, its home and who misses on it; with a policy it goes there."""
    one = machine(write_scenario(tmp_path, [pattern("busy", ZIPF, [0, 1], kb=8192, rounds=100000)]), "latency=scattered policy=none")
    one.up()

    def is_hot():
        table, lines = rows(one)
        hot = [line.split() for line in lines if re.match(r" +[0-9a-f]{5} +0 +busy ", line)]
        # The table is printed first; the interval may end between the search for pages and the look at their misses.
        return table[1][1] > 0 and hot and int(hot[0][-1]) > 0 and (table, hot)

    table, hot = one.until(is_hot)
    assert hot[0][4] == "master" and hot[0][7:8] == ["never"]
    assert int(hot[0][-2]) == 0, "node 1 misses, node 0 does not"
    assert table[1][2] < 50 and table[1][5] == 0
    one.command("policy migrate trigger=8 risk=1000")  # though a move costs more than it brings, by the clock of QEMU

    def have_moved():
        table, lines = rows(one)
        return table[1][5] > 20 and table[1][4] > 20 and lines  # and are there

    assert "policy migrate" in one.until(have_moved)[0]
    assert one.quit() == 0


def test_the_map(machine, tmp_path):
    """Once, as text; live, until a key is typed, and then the prompt is back; with the VCPUs where they are."""
    vms = [pattern("p", UNIFORM, [0, 1]), vm("goes", "rivals/neighbour.elf", None, 8, "habit=0", node=2, manual=True)]
    one = machine(write_scenario(tmp_path, vms, nodes=4), "latency=1 policy=none")
    charged(one, "p")
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in one.command("numa map once")]
    head = re.match(r"misses of processor \(row\) on memory of \(column\): (\d+), (\d+) % local", lines[0])
    cells = [line.split() for line in lines[2:6]]
    assert [row[0] for row in cells] == ["0", "1", "2", "3"]
    assert int(cells[1][1]) > 10000 and cells[1][3:5] == ["0", "0"]
    assert sum(int(cell) for row in cells for cell in row[1:5]) == int(head[1])
    lines = one.command("numa map once")
    assert re.search(r": 0, 100 % local", lines[0]), "nothing since the last look"
    one.send("numa map\r")
    for _ in range(3):
        one.expect(r"\x1b\[H\x1b\[J.*any key ends it", 10)
    one.send("q")
    one.expect(r"disco> ")
    assert one.command("numa map 5") == ["numa map: found 5, allowed once or 10..10000 ms"]
    one.send("numa map 200\r")
    for _ in range(3):
        one.expect(r"each 200 ms; any key ends it", 10)
    one.send("q")
    one.expect(r"disco> ")
    for command, node in (("start goes", 2), ("move goes 3", 3)):
        one.command(command)
        deadline = time.monotonic() + 30 * PATIENCE
        while not re.search(rf"^ *{node} .* goes/0$", "\n".join(one.command("numa map once")), re.M):
            assert time.monotonic() < deadline, f"not on node {node}"
    assert one.quit() == 0


@pytest.mark.parametrize("memory", [256, 512])
def test_never_together_with_the_timing_model(machine, tmp_path, memory):
    """Where the model makes misses cost time nothing else does, whether it counts pages or, on a small machine, does not."""
    archive = write_scenario(tmp_path, [pattern("p", UNIFORM, [0, 1], rounds=1)], memory=memory)
    one = machine(archive, "latency=on policy=none", ("-f", ""))
    one.expect("latency=: stays off: the timing model makes misses cost time")
    assert charged(one, "p") == (0, 0)
    table, lines = rows(one)
    assert "by MAGIC" in lines[0] and table[1][1] > 10000 and table[1][2] < 50 and table[1][3] == 0
    assert "stays off" in one.command("latency on")[0]
    assert one.quit() == 0


def test_the_log_adds_up(machine, tmp_path):
    """numa-log: misses of each line add up to what `numa` shows."""
    one = machine(write_scenario(tmp_path, [pattern("p", UNIFORM, [0, 1], rounds=20)]), "latency=1 policy=none numa-log=50")
    charged(one, "p")
    for _ in range(4): # of two nodes: the whole of the VM's life is in it
        one.expect(r"numa-log: \d+")
    table, _ = rows(one)
    assert one.quit() == 0
    # whole lines: the machine may end in the middle of one
    log = [list(map(int, found)) for found in re.findall(r"numa-log:" + 8 * r" (\d+)" + r"\b", one.log_path.read_text())]
    assert len(log) > 10 and {line[1] for line in log} == {0, 1}
    remote = sum(line[3] for line in log if line[1] == 1)
    assert remote == pytest.approx(table[1][1] * (100 - table[1][2]) / 100, rel=0.02)


def test_a_wrong_interval_is_told(machine, tmp_path):
    one = machine(write_scenario(tmp_path, []), "numa-log=5")
    one.expect(r"numa-log=: found something else than a number 10..10000")
    one.up()
    assert one.quit() == 0


def test_calibration(tmp_path):
    """A stream misses on all 32 lines of each page it is charged for; accesses anywhere on little more than one."""
    out = tmp_path / "calibration.json"
    subprocess.run([sys.executable, "tests/bench/calibrate.py", "--patterns", "stream,scan,uniform,chase", "--sizes", "2048", "--out", out],
                   cwd=TOP, check=True, capture_output=True, timeout=200 * PATIENCE)
    value = {row["name"]: row["value"] for row in json.loads(out.read_text())}
    assert value["calibration.sequential.misses"] == pytest.approx(32, rel=0.02)
    assert value["calibration.scattered.misses"] == pytest.approx(1.04, rel=0.05)
    assert value["calibration.error_pct"] < 5 < 50 < value["calibration.single.error_pct"]


def test_report(tmp_path):
    """A page with a drawing for each policy; the drawing's points are in it, and begin and end with the samples."""
    subprocess.run(["tools/numa-report", "--workload", "patterns", "--policies", "none,both", "--out", tmp_path], cwd=TOP, check=True,
                   capture_output=True, timeout=200 * PATIENCE)
    page = (tmp_path / "index.html").read_text()
    assert page.count("<svg ") == 2 and page.count("<tr>") == 3
    for policy in ("none", "both"):
        root = ElementTree.parse(tmp_path / f"{policy}.svg").getroot()
        wide, high = int(root.get("width")), int(root.get("height"))
        shapes = [one.get("points") for one in root.iter() if one.get("points")]
        assert len(shapes) == 2 + 8 + 3 # misses; pages of each node; moves
        for points in shapes:
            places = [tuple(map(float, place.split(","))) for place in points.split()]
            assert len(places) >= 2 and all(0 <= x <= wide and 0 <= y <= high for x, y in places)
