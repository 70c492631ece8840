# SPDX-License-Identifier: MIT
"""From reset to guests that run: machines of every size, and scenarios that end by themselves."""
import re
import time

import pytest

from machine import PROMPT, vm, write_scenario

QUICK = {"kernel": "exc_sys.elf", "ramdisk": None, "memory": 16}


def test_first_line_and_way_out(machine):
    """The monitor introduces itself first, and says how to leave before anything else could need it."""
    one = machine("one")
    one.expect(r"Disco[ ,][^\n]*\n", 20)
    assert "\n" not in one.before, f"a line came before the monitor's first: {one.before!r}"
    one.up(2)
    one.expect(r"quit leaves", 20)


def test_words_that_nobody_knows(machine):
    """They are named, with those that there are; the machine comes up all the same."""
    one = machine("one", "shufle=1 spread=yes off=larg check=1")
    for found, allowed in (("shufle=1", r"attach=, [^\n]*, tty="), ("spread=yes", r"attach=, [^\n]*spread=1, "), ("larg", r"fast, [^\n]*large, ")):
        one.expect(rf"found {found}, allowed {allowed}", 20)
    one.up(2)
    assert "found check" not in one.log_path.read_text()


@pytest.mark.parametrize("nodes", [2, 3, 8, 9, 16])
def test_every_machine_size_comes_up(machine, tmp_path, nodes):
    """Nodes 8..15 come up another way than 1..7: both, and the borders between."""
    archive = write_scenario(tmp_path, [vm("last", node=nodes - 1, **QUICK)], nodes=nodes, memory=32 * nodes + 128)
    one = machine(archive, "exit=1")
    one.up(nodes)
    one.expect(r"\[last\] PASS exc_sys")
    one.expect(rf"\[{nodes - 1}\] vm: last powered off, code 0")
    assert one.end() == 0


def test_counters_wrap_in_silence(machine, tmp_path):
    """Count wraps after 25 s, the GIC's counter after 43, where its compare register, unmasked after reset, once began an
    interrupt without end. Time is instructions here, so that an idle machine is through a minute at once."""
    one = machine(write_scenario(tmp_path, [vm("quick", **QUICK)]), options=["-d"])
    one.expect(r"vm: quick powered off, code 0")
    one.send("\r")
    one.expect(re.escape(PROMPT))
    ticks = [0]
    while ticks[0] < 6500:  # of 10 ms
        nodes = [text.split() for text in one.command("nodes")[1:3]]
        ticks = [int(fields[7]) for fields in nodes]
        time.sleep(0.3)  # while somebody types, time goes at the host's pace
    assert min(ticks) > 600, f"nodes that rest tick ten times a second: {nodes}"
    assert all(int(fields[8]) < 100 for fields in nodes), f"IPIs that nobody sent: {nodes}"


def test_batch(machine):
    """Two Linux guests run the command of their command line and power off; the machine follows by itself."""
    one = machine("batch", "exit=1")
    one.up(8)
    one.expect_all([r"\[alpha\] smoke-ok alpha", r"\[beta\] smoke-ok beta",
                    r"vm: alpha powered off, code 0", r"vm: beta powered off, code 0"], 120)
    assert one.end() == 0


def test_crowded(machine):
    """Seven VCPUs on two processors: guests with two and four VCPUs at work together, a third started by hand."""
    one = machine("crowded")
    one.expect_all([r"\[alpha\] alpha: Linux [^\n]* on 2 processor", r"\[beta\] beta: Linux [^\n]* on 4 processor"], 180)
    one.send("\r")
    one.expect(re.escape(PROMPT))
    assert any(re.search(r"\bgamma\b", text) for text in one.command("vms"))
    one.send("start gamma\r")
    one.expect(r"\[gamma\] gamma: Linux [^\n]* on 1 processor", 120)
    one.send("\r")
    one.expect(re.escape(PROMPT))
    one.attach("beta")
    work = "for i in 1 2 3 4; do (j=0; while [ $j -lt 300 ]; do j=$((j+1)); done; echo worker $i $j) & done; wait; echo all-$((40+2))"
    answer = one.shell("beta", work, 120)
    for number in range(1, 5):
        assert f"worker {number} 300" in answer
    assert "all-42" in answer


def test_smp(machine):
    """A Linux guest with its VCPUs on four nodes, which it uses, and a bare-metal one on all eight, once and once again."""
    one = machine("smp")
    one.up(8)
    one.expect(r"\[alpha\] alpha: Linux [^\n]* on 4 processor", 120)
    sums = set()
    for _ in range(2):
        one.send("start rays\r")
        sums.add(one.expect(r"\[rays\] raytrace: 8 workers, sum (\w+)\r*\n", 120)[1])
        one.expect(r"vm: rays powered off, code 0")
    assert len(sums) == 1
    one.send("\r")
    one.expect(re.escape(PROMPT))
    lines = one.command("vms")
    assert any(re.match(r"alpha +running +1-4 +4 ", line) for line in lines), lines
    one.attach("alpha")
    assert one.shell("alpha", "nproc") == "4"
    work = "for i in 1 2 3 4; do (dd if=/dev/zero bs=64k count=100 2>/dev/null | md5sum) & done; wait"
    assert one.shell("alpha", work, 120).count("-") == 4
    one.detach()
    runs = [line.split() for line in one.command("vcpus") if line.startswith("alpha")]
    assert [fields[2] for fields in runs] == ["1", "2", "3", "4"]


def test_large(machine):
    """Sixteen nodes, 2 GB, a guest of eight VCPUs with half a gigabyte, more than any node has."""
    one = machine("large")
    one.up(16)
    one.expect_all([r"\[alpha\] alpha: Linux [^\n]* on 8 processor", r"\[beta\] beta: Linux "], 240)
    one.send("\r")
    one.expect(re.escape(PROMPT))
    one.attach("alpha")
    assert int(one.shell("alpha", "awk '/MemTotal/ { print $2 }' /proc/meminfo")) > 450 * 1024
    # More memory than one node has, really used.
    assert one.shell("alpha", "dd if=/dev/zero of=/tmp/big bs=1M count=140 2>/dev/null; wc -c </tmp/big", 240) == "146800640"
