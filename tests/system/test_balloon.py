# SPDX-License-Identifier: MIT
"""Memory that a guest has no use for is the machine's again: free pages that Linux reports, and what its balloon takes."""
import itertools
import re
import time

from machine import PATIENCE, PROMPT, vm, write_scenario

marks = itertools.count(1)


def memory(one):
    """{guest: {what: KB}}"""
    found = {}
    for line in one.command("mem"):
        if guest := re.match(r"(\w+) has (?P<has>\d+) KB, uses (?P<uses>\d+) KB, of these shared (?P<shared>\d+) KB, private "
                             r"(?P<private>\d+) KB; replicas \d+ KB, ballooned (?P<ballooned>\d+) KB, reported (?P<reported>\d+) KB", line):
            found[guest[1]] = {name: int(value) for name, value in guest.groupdict().items()}
            assert found[guest[1]]["uses"] == found[guest[1]]["shared"] + found[guest[1]]["private"]
    return found


def wait_for(one, label, condition):
    """What `mem` says of the guest once the condition holds of it."""
    deadline = time.monotonic() + 30 * PATIENCE
    while not condition(now := memory(one)[label]):
        assert time.monotonic() < deadline, now
        time.sleep(0.5)
    return now


def run(one, guest, command):
    """The command in the guest's shell, from the prompt and back to it."""
    mark = next(marks)
    one.attach(guest)
    one.send(f"\r{command}; echo do''ne-{mark}\r")
    one.expect(rf"done-{mark}\r*\n", 60)
    one.detach()


def placed(one):
    """MB of guests' memory on each node."""
    return [int(row[1]) / 256 for line in one.command("numa") if (row := re.match(r" +\d+(?: +\d+){3} +(\d+)(?: +\d+){4}$", line))]


def boot(machine, folder, vms, memory_mb, words=""):
    one = machine(write_scenario(folder, vms, memory=memory_mb), words)
    one.expect(r"tux: Linux [^\n]*\n", 120)
    one.send("\r")
    one.expect(re.escape(PROMPT))
    return one


def test_memory_of_removed_files_and_ended_programs_comes_back(machine, tmp_path):
    one = boot(machine, tmp_path, [vm("tux", node=1, memory=128)], 256, "check=1")
    before = memory(one)["tux"]["uses"]
    for fill, free in (("dd if=/dev/zero of=/tmp/f bs=1M count=56", "rm /tmp/f"),
                       ("head -c 40000000 /dev/zero | tail -n 1 >/dev/null", "true")):
        run(one, "tux", fill)
        run(one, "tux", free)
        reported = memory(one)["tux"]["reported"]
        now = wait_for(one, "tux", lambda tux: tux["uses"] < before + 12 * 1024)
        assert now["reported"] >= reported
    assert now["reported"] > 60 * 1024 and now["ballooned"] == 0
    run(one, "tux", "dd if=/dev/zero bs=1M count=56 | md5sum >/tmp/1; dd if=/dev/zero of=/tmp/f bs=1M count=56; md5sum </tmp/f | cmp - /tmp/1 "
                    "&& echo sa''me")
    assert "same" in one.log_path.read_text()
    assert " check: " not in one.log_path.read_text()
    assert one.quit() == 0


def test_pages_of_ended_programs_begin_anew_where_the_next_one_is(machine, tmp_path):
    """Programs on two nodes fill 80 MB each in turn. The guest has 128, so half of what the second finds at home was on the first's."""
    one = boot(machine, tmp_path, [vm("tux", node=[0, 1], vcpus=2, memory=128)], 512, "policy=first-touch check=1")
    run(one, "tux", "mount -t tmpfs -o size=80% turns /mnt")
    before = memory(one)["tux"]["uses"]
    for node in (0, 1):
        left = (wait_for(one, "tux", lambda tux: tux["uses"] < before + 12 * 1024)["uses"] - before) / 1024  # free, but not reported yet
        begun = placed(one)
        run(one, "tux", f"taskset {1 << node} dd if=/dev/zero of=/mnt/f bs=1M count=80")
        grown = [now - then for now, then in zip(placed(one), begun)]
        assert grown[node] > 75 - left and grown[1 - node] < 4, (grown, left)
        run(one, "tux", "rm /mnt/f")
    assert " check: " not in one.log_path.read_text()
    assert one.quit() == 0


def test_what_the_balloon_takes_is_for_others(machine, tmp_path):
    """Two guests that the machine has no memory for at the same time, until one does with less."""
    one = boot(machine, tmp_path, [vm("tux", node=1, memory=128), vm("two", memory=96, manual=True)], 192)
    assert "two: it is stopped; balloon needs one that is running" in one.command("balloon two 20")
    assert "tux: balloon: found 129, allowed 1..128 MB" in one.command("balloon tux 129")
    one.send("start two\r")
    one.expect(r"two not started: [^\n]*memory-mb: found 96")
    one.send("\r")
    assert "tux: asked to do with 48 of 128 MB" in one.command("balloon tux 48")
    wait_for(one, "tux", lambda tux: tux["ballooned"] > 79 * 1024)  # a page that moves just then is not taken
    one.send("start two\r")
    one.expect(r"two: Linux [^\n]*\n", 120)
    one.send("\r")
    run(one, "two", "dd if=/dev/zero of=/tmp/f bs=1M count=40")
    assert memory(one)["two"]["uses"] > 40 * 1024
    assert any(re.match(r"tux: it needs (79|80) MB more, of which \d\d are not promised", line) for line in one.command("balloon tux 128"))
    run(one, "tux", "free; echo still-he''re")
    one.send("stop two\r")
    one.expect(r"vm: two stopped")
    one.send("\r")
    assert "tux: asked to do with 128 of 128 MB" in one.command("balloon tux 128")
    wait_for(one, "tux", lambda tux: tux["ballooned"] == 0)
    run(one, "tux", "dd if=/dev/zero of=/tmp/f bs=1M count=56; rm /tmp/f")
    assert "balloon tux 20" and one.command("balloon tux 20")
    wait_for(one, "tux", lambda tux: tux["ballooned"] > 64 * 1024)
    one.send("reset tux\r")  # starts with all its memory
    one.expect(r"vm: tux started")
    one.expect(r"tux: Linux [^\n]*\n", 120)
    one.send("\r")
    assert memory(one)["tux"]["ballooned"] == 0
    one.send("stop tux\r")
    one.expect(r"vm: tux stopped")
    assert any("guests use 0 KB" in line and "promised to VMs 0 KB" in line for line in one.command("mem"))
    assert one.quit() == 0


def test_nobody_is_killed_for_want_of_pages_that_are_being_reported(machine, tmp_path):
    """Programs that need most of a small guest's memory begin while free pages are on their way: the guest has them back in time."""
    one = boot(machine, tmp_path, [vm("tux", node=[0, 1], vcpus=2, memory=48)], 256, "check=1")
    run(one, "tux", "i=0; while [ $i -lt 70 ]; do sleep 0.0$((i % 10)); taskset 2 dd if=/dev/zero of=/dev/null bs=28M count=1 2>/dev/null "
                    "|| echo sho''rt-of; i=$((i + 1)); done")
    assert memory(one)["tux"]["reported"] > 20 * 1024
    log = one.log_path.read_text()
    assert "short-of" not in log and "Out of memory" not in log and " check: " not in log
    assert one.quit() == 0
