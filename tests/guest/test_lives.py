# SPDX-License-Identifier: MIT
"""VMs that are created, started, stopped, reset and destroyed in a loop while others run, and afterwards the machine's accounts are what they
were. DISCO_LIVES=500 for how often; `make lives`."""
import os
import re
import time

from machine import net, vm, write_scenario
from test_vcpus_move import accounts

LIVES = int(os.environ.get("DISCO_LIVES", "6"))


def states(one):
    return {line.split()[0]: line.split()[1] for line in one.command("vms") if len(line.split()) >= 6}


def until(on, **wanted):
    on.until(lambda: {name: state for name, state in states(on).items() if name in wanted} == wanted)


def free(one):
    """Free pages of each node, in MB, and what each node's monitor has; the VCPUs on it."""
    return [line.split()[3:6] for line in one.command("nodes") if re.match(r" +\d", line)]


def do(one, command, *lines):
    """A command, and what the log says of it."""
    one.do(command, *(f"vm: {line}" for line in lines))


def quiet(one):
    """Both, when the guest that stays has what it needs."""
    seen = []
    while len(seen) < 4 or len(set(map(str, seen[-4:]))) > 1:
        seen.append((accounts(one), free(one)))
        time.sleep(0.15)
    return seen[-1]


def settled(one, before):
    one.until(lambda: (accounts(one), free(one)) == before)


def test_lives(machine, tmp_path):
    """Each ends in another way: by itself, stopped, while it loads, paused, on the move, and is destroyed as it is."""
    vms = [vm("stays", "net_storm.elf", None, 8, "role=1", node=0, net0=net()),
           vm("wide", memory=32, bootargs="console=hvc0 quiet hostname=wide", vcpus=4, node=[1, 2, 3], on_demand=True, net0=net()),
           vm("one", "net_storm.elf", None, 8, "role=1", node=2, on_demand=True, manual=True, time_stops=True, net0=net())]
    one = machine(write_scenario(tmp_path, vms, nodes=4, memory=256), "check=1")
    one.up()
    one.send("\r")
    until(one, stays="running", wide="absent", one="absent")
    before = quiet(one)
    assert "wide: it is absent, and has no VCPUs; create makes them" in one.command("regs wide")
    assert "wide: it is absent; start needs one that is stopped" in one.command("start wide")
    assert "wide: it is absent; destroy needs one that is there" in one.command("destroy wide")
    assert "stays: it is running; create needs one that is absent" in one.command("create stays")
    for life in range(LIVES):
        do(one, "create wide", "wide created", *["wide started"] * (life % 3 > 0))
        do(one, "create one", "one created")
        if life % 3:
            do(one, "start one", "one started")
        if life % 3 == 2:
            do(one, "move wide 0,2")
            do(one, "pause one", "one paused")
            do(one, "reset wide", "wide reset")
        if life % 2 and life % 3:
            do(one, "stop one", "one stopped")
        if life % 4 == 3:
            do(one, "move wide 3,0,1")
        one.send("destroy one\rdestroy wide\r")
        one.expect_all(["vm: one destroyed", "vm: wide destroyed"])
        if life % 10 < 4:
            settled(one, before)
    settled(one, before)
    text = one.log_path.read_text()
    assert " check: " not in text
    assert one.quit() == 0


def test_no_room(machine, tmp_path):
    """What a VM needs of a node's memory is not there: it is absent, says why, and can be made when there is room; as at boot, so later."""
    vms = [vm("big", "neighbour.elf", None, 1024, vcpus=16, node=1),
           *(vm(f"v{i}", "neighbour.elf", None, 4, vcpus=12, node=2, on_demand=True, manual=True) for i in range(3))]
    one = machine(write_scenario(tmp_path, vms, nodes=16, memory=128))
    one.expect(r"disco.dtb: /vms/vm0: memory-mb: found 1024, which needs \d+ KB of node 1's \d+ left", 20)
    one.up()
    one.send("\r")
    until(one, big="absent")
    before = accounts(one), free(one)
    one.send("create big\r")
    one.expect(r"big not created: disco.dtb: /vms/vm0: memory-mb: found 1024, which needs \d+ KB of node 1's \d+ left")
    one.send("\r")
    for name in ("v0", "v1"):
        one.command(f"create {name}")
        until(one, **{name: "stopped"})
    one.send("create v2\r")
    one.expect(r"v2 not created: disco.dtb: /vms/vm3: vcpus: found 12, node 2 has 24 of 32 already")
    one.send("\r")
    until(one, v2="absent")
    one.command("destroy v0")
    until(one, v0="absent")
    one.command("create v2")
    until(one, v2="stopped")
    one.command("destroy v1")
    one.command("destroy v2")
    until(one, v1="absent", v2="absent")
    settled(one, before)
    assert one.quit() == 0
