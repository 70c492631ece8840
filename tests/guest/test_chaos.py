# SPDX-License-Identifier: MIT
"""Whatever a person asks for, at any time, of guests that are on several nodes, do wrong, drive their devices at random, reset and start
themselves: `create`, `destroy`, `start`, `stop`, `reset`, `pause`, `resume`, `move`, `weight` and `cap` in any order. The machine goes on,
translations are right, and in the end its accounts are what they were. DISCO_CHAOS=2000 commands; DISCO_SEED repeats them."""
import os
import random
import re
import time

import pytest

from machine import SEED, disk, net, vm, write_scenario
from test_guest import vm_of

COMMANDS = int(os.environ.get("DISCO_CHAOS", "80"))
NODES = 8
IMAGE_KB = 64


def command(chance, label):
    """One of them; those that end and begin are seldom, so that guests come to do something."""
    name = chance.choices(["create", "destroy", "start", "stop", "reset", "pause", "resume", "move", "weight", "cap"],
                          [8, 1, 8, 1, 2, 5, 10, 8, 1, 1])[0]
    more = {"move": ",".join(str(chance.randrange(NODES)) for _ in range(chance.randint(1, 8))),
            "weight": str(chance.choice([64, 1024, 16384])), "cap": str(chance.choice([1, 50, 100]))}
    return f"{name} {label} {more.get(name, '')}".strip()


def accounts(one):
    """KB that the monitor has, and that VMs were promised, but for replicas; pages move at random, the one that stays has them anywhere."""
    text = "\n".join(one.command("mem"))
    monitor, promised = re.search(r"monitor (\d+) KB, .*promised to VMs (\d+) KB", text).groups()
    return int(monitor), int(promised) - sum(map(int, re.findall(r"replicas (\d+) KB", text)))


def quiet(one):
    """The least of both when it has not become less for two seconds: what nobody needs any more is given back by and by, and a page that
    moves takes some for a moment."""
    least, same = accounts(one), 0
    while same < 10:
        time.sleep(0.2)
        now = tuple(map(min, least, accounts(one)))
        least, same = now, same + 1 if now == least else 0
    return least


@pytest.mark.parametrize("words", ["check=1 shuffle=1", "spread=1"], ids=["shuffled", "spread"])
def test_chaos(machine, tmp_path, words):
    chance = random.Random(SEED)
    image = tmp_path / "image"
    image.write_bytes(bytes(IMAGE_KB << 10))
    vms = [vm("stays", "net_storm.elf", None, 8, "role=1", node=0, net0=net()),
           vm_of("dies", "smp_kill", on_demand=True, time_stops=True), vm_of("resets", "smp_reset"),
           vm_of("races", "smp_race", on_demand=True, time_stops=True, gang=True),
           vm("drives", "virtio_fuzz.elf", None, 8, f"seed={SEED} ops={10 ** 9}", vcpus=2, on_demand=True, disk0=disk(image), net0=net()),
           vm("roams", memory=32, bootargs="console=hvc0 quiet hostname=roams", vcpus=3, time_stops=True, net0=net())]
    labels = ["dies", "resets", "races", "drives", "roams"]
    one = machine(write_scenario(tmp_path, vms, nodes=NODES, memory=512), words)
    one.up()
    for _ in range(COMMANDS):
        one.send(command(chance, chance.choice(labels)) + "\r")
        one.expect(r"disco> ")
        time.sleep(chance.choice([0, 0, 0.002, 0.02, 0.2]))
    for label in labels:  # those that are absent refuse; the last request counts
        one.send(f"create {label}\rdestroy {label}\r")

    def all_absent():
        for label in labels:
            one.send(f"destroy {label}\r")
        return sum(bool(re.match(rf"({'|'.join(labels)}) +absent ", line)) for line in one.command("vms")) == len(labels)

    one.until(all_absent, 60)
    before = quiet(one)
    for label in labels:  # each can be made again, and leaves what it found
        one.do(f"create {label}", f"vm: {label} created")
        one.do(f"destroy {label}", f"vm: {label} destroyed")
    one.until(lambda: all(map(int.__le__, accounts(one), before)))
    assert 8192 <= before[1] <= 8192 + 4 * IMAGE_KB, before  # blocks of the image stay in memory, and maps of them
    assert " check: " not in one.log_path.read_text(errors="replace")
    assert one.quit() == 0
