# SPDX-License-Identifier: MIT
"""VMs that stand still for a while, in the middle of what they do with disks and network, and on the way to another node: what they were
at goes on as if nothing had been, but for their clock, which goes on or stands still by their description, and frames that nobody took."""
import random
import re
import time

from machine import SEED, disk, net, vm, write_scenario
from test_subnet import run

def uptime(one, guest):
    return float(re.search(r"^(\d+\.\d+) ", run(one, guest, "cat /proc/uptime"), re.M)[1])


def pause(one, guest):
    one.send(f"pause {guest}\r")
    one.expect(rf"vm: {guest} paused")
    one.send("\r")


def resume(one, guest):
    """How long it was, in ms of the machine's clock."""
    one.send(f"resume {guest}\r")
    ms = int(one.expect(rf"vm: {guest} resumed after (\d+) ms, which (it knows nothing of|its clock has gone on)")[1])
    one.send("\r")
    return ms


def dropped(one, guest):
    """Frames of the guest that those they are for had no buffer for, or that are dropped for another reason."""
    found = re.search(rf"^{guest} net0: .*?dropped (\d+) of its frames", "\n".join(one.command("net")), re.M | re.S)
    return int(found[1])


def state(one, guest):
    return next(line.split()[1] for line in one.command("vms") if line.split()[:1] == [guest])


def until(one, guest, wanted):
    one.until(lambda: state(one, guest) == wanted)


def test_pause_and_resume(machine, tmp_path):
    image = tmp_path / "data.img"
    image.write_bytes(random.Random(SEED).randbytes(4 << 20))
    vms = [vm("still", memory=48, vcpus=2, node=[1, 2], time_stops=True, net0=net(), disk0=disk(image)),
           vm("on", memory=48, node=3, net0=net())]
    one = machine(write_scenario(tmp_path, vms, nodes=4, memory=256), "check=1")
    one.expect_all([rf"\[{name}\] {name}: Linux [^\n]*shell after" for name in ("still", "on")], 180)
    one.send("\r")
    assert "still: it is running; resume needs one that is paused" in one.command("resume still")

    # The clocks: one goes on, the other stands still: by the first one's, which is asked before and after, it misses the pause.
    for guest, stands in (("still", True), ("on", False)):
        earliest, before = uptime(one, "on"), uptime(one, guest)
        pause(one, guest)
        assert f"{guest}: it is paused; pause needs one that is running" in one.command(f"pause {guest}")
        assert state(one, guest) == "paused"
        time.sleep(1.2)
        ms = resume(one, guest)
        assert ms >= 1000
        seen = uptime(one, guest) - before
        most = uptime(one, "on") - earliest
        assert (seen <= most - ms / 1000 + 0.05) if stands else (seen >= ms / 1000 - 0.02), (guest, seen, most, ms)

    # In the middle of what it does with its disk and its network, and on the way to other nodes.
    run(one, "still", "(while [ ! -e /tmp/stop ]; do md5sum </dev/vda; done >/tmp/sums) & echo")
    run(one, "on", "ping -q -c 1 still")
    before = dropped(one, "on")
    for number in range(6):
        one.command(f"move still {number % 4},{(number + 1) % 4}")
        pause(one, "still")
        if number == 2:  # who sends to it is not held up by that
            run(one, "on", "(for i in $(seq 75); do ping -q -c 5 -W 1 still >/dev/null & done; wait)", 120)
        ms = resume(one, "still")
    lost = dropped(one, "on") - before
    assert 75 * 5 > lost > 20, lost
    run(one, "on", "ping -q -c 2 still")  # among the late answers to those before, which fill its socket
    answer = run(one, "on", "ping -q -c 3 still")
    assert " 0% packet loss" in answer, answer
    sums = run(one, "still", "touch /tmp/stop; wait; sort -u /tmp/sums; wc -l </tmp/sums", 120).split("\n")
    assert len(sums) == 2 and int(sums[1]) > 0, sums
    assert sums[0] == run(one, "still", "md5sum </dev/vda")

    # The end of one that is paused.
    pause(one, "on")
    one.do("reset on", r"\[on\] on: Linux [^\n]*shell after", timeout=120)
    pause(one, "on")
    one.send("stop on\r")
    one.expect("vm: on stopped")
    one.send("\r")
    until(one, "on", "stopped")
    assert "on: it is stopped; pause needs one that is running" in one.command("pause on")
    text = one.log_path.read_text()
    for wrong in (" check: ", "soft lockup", "rcu_sched", "passed without us", "unstable"):
        assert wrong not in text, wrong
    assert one.quit() == 0
