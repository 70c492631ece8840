# SPDX-License-Identifier: MIT
"""net_rules.c with its peer: what it sends in vain is counted, each frame for the right reason; and two subnets that know nothing of
each other. net_pages.c with its own: what is not copied is as if it were."""
import re

import pytest

from machine import SEED, disk, net, vm, write_scenario

MTU = 16000
BUFFERS = 16  # of a receive queue of guests/lib/virtio.h, unless a program wants more


def drops(one):
    """{VM: {reason: frames}} of what each VM's first port has sent."""
    found, port = {}, None
    for line in one.command("net"):
        if match := re.match(r"(\S+) net0: ", line):
            port = match[1]
        elif match := re.match(r"  dropped (\d+) of its frames(.*)", line):
            found[port] = {why: int(n) for n, why in re.findall(r", (\d+) ([a-z ]+)", match[2])}
            assert sum(found[port].values()) == int(match[1])
    return found


@pytest.mark.parametrize("words", ["check=1", "shuffle=1"])
def test_rules_of_network_devices(machine, tmp_path, words):
    vms = [vm("peer", "net_rules.elf", None, 8, "role=1", node=1, net0=net("a", mtu=MTU)),
           vm("rules", "net_rules.elf", None, 8, f"seed={SEED}", node=2, net0=net("a", mtu=MTU)),
           vm("other", "net_rules.elf", None, 8, "role=1", node=3, net0=net("b", mtu=MTU))]
    one = machine(write_scenario(tmp_path, vms, nodes=4), words)
    one.expect(r"(PASS net_rules|FAIL[^\n]*)\r*\n", 240)
    assert one.line.match[1] == "PASS net_rules", f"see {one.log_path}"
    found = drops(one)
    assert {why: found["rules"].get(why) for why in ("malformed", "too long", "from a false address")} == {
        "malformed": 21, "too long": 2, "from a false address": 7}
    assert found["rules"]["to nobody"] >= 6 and found["peer"]["no buffer at the receiver"] >= 25
    assert found["other"] == {}
    assert any(re.match(r"  sent 0 frames of 0 KB: ", line) for line in one.command("net"))
    log = one.log_path.read_text()
    assert "panic" not in log and " check: " not in log, f"see {one.log_path}"


@pytest.mark.parametrize("words", ["", "shuffle=1"])
def test_what_is_written_after_a_reset_reaches_nobody(machine, tmp_path, words):
    """Network, disk, entropy and console, taken away by a VCPU on another node while home works for them."""
    vms = [vm("peer", "net_rules.elf", None, 8, "role=1", node=1, net0=net("a", mtu=MTU)),
           vm("resets", "virtio_reset.elf", None, 8, f"seed={SEED}", vcpus=2, node=[2, 3], net0=net("a", mtu=MTU), disk0=disk("root.img"))]
    one = machine(write_scenario(tmp_path, vms, nodes=4), words)
    one.expect(r"(PASS virtio_reset|FAIL[^\n]*)\r*\n", 120)
    assert one.line.match[1] == "PASS virtio_reset", f"see {one.log_path}"
    log = one.log_path.read_text()
    assert "##" not in log and "panic" not in log and " check: " not in log, f"see {one.log_path}"


def kilobytes(one, guest):
    """{("sent" or "received", "remapped" or "copied"): KB} of the guest's first port."""
    shown = "\n".join(one.command("net"))
    port = re.search(rf"^{guest} net0: .*\n  (sent) .*: (\d+) KB remapped, (\d+) KB copied\n  (received) .*: (\d+) KB remapped, (\d+) KB",
                     shown, re.M)
    return {(port[i], what): int(port[i + k]) for i in (1, 4) for k, what in ((1, "remapped"), (2, "copied"))}


def rates(one):
    """What each port has sent and received a second since the last look: frames and KB of each."""
    return [[int(n) for n in line.groups()] for line in
            re.finditer(r"a second, in the last .*: sent (\d+) frames, (\d+) KB; received (\d+) frames, (\d+) KB", "\n".join(one.command("net")))]


def accounts_of(one, guest):
    """What the guest uses and shares, in KB."""
    shown = "\n".join(one.command("mem"))
    return tuple(map(int, re.search(rf"(?m)^{guest} has \d+ KB, uses (\d+) KB, of these shared (\d+) KB", shown).groups()))


def accounts(one):
    """What the machine's guests use, have promised and share, in KB."""
    shown = "\n".join(one.command("mem"))
    return [int(n) for n in re.search(r"guests use (\d+) KB.*promised to VMs (\d+) KB", shown).groups()], shown


@pytest.mark.parametrize("words", ["check=1 off=habit", "check=1 off=habit shuffle=1"])
def test_pages_are_as_they_were_when_they_were_sent(machine, tmp_path, words):
    vms = [vm("peer", "net_pages.elf", None, 8, "role=1", node=1, net0=net()),
           vm("pages", "net_pages.elf", None, 8, f"seed={SEED}", node=2, net0=net())]
    one = machine(write_scenario(tmp_path, vms, nodes=4), words)
    one.expect(r"(PASS net_pages|FAIL[^\n]*)\r*\n", 240)
    assert one.line.match[1] == "PASS net_pages", f"see {one.log_path}"
    one.expect("vm: pages powered off")
    one.send("\r")
    sent = kilobytes(one, "pages")
    assert sent["sent", "remapped"] > 10 * sent["sent", "copied"] and sent["received", "remapped"] > 10 * sent["received", "copied"], sent
    rates(one)
    assert rates(one) == [[0] * 4] * 2  # it is over
    one.send("stop peer\r")
    one.expect("vm: peer stopped")
    assert accounts(one)[0] == [0, 0]
    log = one.log_path.read_text()
    assert "panic" not in log and " check: " not in log, f"see {one.log_path}"


@pytest.mark.parametrize("words", ["", "check=1 shuffle=1"])
def test_pages_that_are_written_in_flight(machine, tmp_path, words):
    """By another VCPU of the sender's, on another node, with the habit on: pages are copied and passed in turn."""
    vms = [vm("peer", "net_flight.elf", None, 8, "role=1", node=0, net0=net()),
           vm("flight", "net_flight.elf", None, 8, f"seed={SEED}", node=[1, 2], vcpus=2, net0=net())]
    one = machine(write_scenario(tmp_path, vms, nodes=3), words)
    one.expect(r"(PASS net_flight|FAIL[^\n]*)\r*\n", 240)
    assert one.line.match[1] == "PASS net_flight", f"see {one.log_path}"
    one.expect("vm: flight powered off")
    one.send("\r")
    sent = kilobytes(one, "flight")
    assert min(sent["sent", "remapped"], sent["sent", "copied"]) > 40, sent
    one.send("stop peer\r")
    one.expect("vm: peer stopped")
    assert accounts(one)[0] == [0, 0]
    log = one.log_path.read_text()
    assert "check failed" not in log and "panic" not in log and " check: " not in log, f"see {one.log_path}"


def test_frames_go_nowhere_else(machine, tmp_path):
    """Into a page that its guest remaps all the time, from guests on other nodes."""
    vms = [vm(f"peer{n}", "net_remap.elf", None, 8, "role=1", node=n, net0=net()) for n in (0, 2)]
    vms.append(vm("target", "net_remap.elf", None, 8, "rounds=4000", node=1, net0=net()))
    one = machine(write_scenario(tmp_path, vms, nodes=3), "check=1")
    one.expect(r"(PASS net_remap|FAIL[^\n]*)\r*\n", 240)
    assert one.line.match[1] == "PASS net_remap", f"see {one.log_path}"
    one.expect("vm: target powered off")
    for guest in ("peer0", "peer2"):
        one.send(f"stop {guest}\r")
        one.expect(f"vm: {guest} stopped")
    found, shown = accounts(one)
    assert found == [0, 0], shown


GUESTS = 8


def frames(one):
    """{guest: (frames sent, frames received)} of each guest's first port."""
    shown = "\n".join(one.command("net"))
    return {guest: (int(sent), int(received)) for guest, sent, received in
            re.findall(r"(?m)^(\S+) net0: .*\n  sent (\d+) .*\n  received (\d+) ", shown)}


def others_do_without(one, paused):
    """A guest that is paused in the middle: frames for it are drops of their senders, who are held up by nothing; it goes on where it was."""
    others = [guest for guest in frames(one) if guest != paused]
    full = lambda: [drops(one)[guest].get("no buffer at the receiver", 0) for guest in others]  # noqa: E731
    one.send(f"pause {paused}\r")
    one.expect(f"vm: {paused} paused")
    one.send("\r")
    first, lost = frames(one), full()
    one.until(lambda: all(frames(one)[guest][i] >= first[guest][i] + 20 for guest in others for i in (0, 1)))
    one.until(lambda: all(now >= was + 4 for was, now in zip(lost, full())))
    now = frames(one)[paused]
    assert now[0] - first[paused][0] <= 1 and now[1] - first[paused][1] <= BUFFERS, (first[paused], now)
    one.send(f"resume {paused}\r")
    one.expect(f"vm: {paused} resumed")
    one.send("\r")
    one.until(lambda: min(after - was for was, after in zip(now, frames(one)[paused])) >= 20)


def all_stop(one):
    for i in range(GUESTS):
        one.do(f"stop g{i}", f"vm: g{i} stopped")
    found, shown = accounts(one)
    assert found == [0, 0], shown


def left(one):
    """Of the machine: free MB and the monitor's KB of every node."""
    return [line.split()[3:5] for line in one.command("nodes") if re.match(r" +\d", line)]


@pytest.mark.parametrize("words", ["shuffle=1", "check=1 off=remap"])
def test_all_pairs_of_guests_at_once(machine, tmp_path, words):
    """Frames with whole pages and without, into whole pages and into others, with checksums for the receiver or the monitor; one guest is
    reset, one ends and one is paused in the middle. All others go on, and when all have ended nothing of them is left, and no less is
    free than when they had ended the time before."""
    arguments = ["skip=0", "skip=0 sums=1", "skip=64", "skip=1 sums=1"]
    vms = [vm(f"g{i}", "net_pairs.elf", None, 8, f"seed={SEED + i} peers={GUESTS - 1} {arguments[i % 4]}", node=i % 4,
              net0=net(any_source=True) if i == 7 else net()) for i in range(GUESTS)]
    one = machine(write_scenario(tmp_path, vms, nodes=4), words)
    enough = [rf"\[g{i}\] enough from {GUESTS - 1}" for i in range(GUESTS)]
    one.expect_all(enough, 120)
    rates(one)
    one.send("stop g4\r")
    one.expect("vm: g4 stopped")
    one.send("reset g1\r")
    one.expect("vm: g1 started")
    one.send("start g4\r")
    one.expect_all([enough[1], enough[4]], 120)
    assert all(min(port) > 0 for port in rates(one))
    ports = [kilobytes(one, f"g{i}") for i in range(GUESTS)]
    for i, port in enumerate(ports):
        assert port["received", "copied"] > 0
        assert (port["received", "remapped"] > 0) == (arguments[i % 4].startswith("skip=0") and "off=remap" not in words), (i, port)
    others_do_without(one, "g2")
    all_stop(one)
    before = left(one)
    if "shuffle=1" not in words:  # it moves what the monitor has of VMs, too
        for i in range(GUESTS):
            one.send(f"start g{i}\r")
        one.expect_all(enough, 120)
        all_stop(one)
        one.until(lambda: left(one) == before)
    log = one.log_path.read_text()
    assert "check failed" not in log and "panic" not in log and " check: " not in log, f"see {one.log_path}"


@pytest.mark.parametrize("words", ["", "check=1 shuffle=1"])
def test_devices_that_are_disturbed_while_they_send(machine, tmp_path, words):
    """By resets, remaps and the balloon, from another node, with frames that come all the time: nothing else is written, and nothing is left."""
    vms = [vm("fill", "net_resets.elf", None, 8, "role=1", node=0, net0=net()),
           vm("good", "neighbour.elf", None, 8, node=1),
           vm("bad", "net_resets.elf", None, 8, f"seed={SEED}", node=[1, 2], vcpus=2, net0=net())]
    one = machine(write_scenario(tmp_path, vms, nodes=3), words)
    one.expect_all([r"\[bad\] (PASS net_resets|FAIL[^\n]*)\r*\n", r"\[good\] PASS neighbour", "vm: good powered off",
                    "vm: bad powered off"], 240)
    one.send("stop fill\r")
    one.expect("vm: fill stopped")
    assert accounts(one)[0] == [0, 0]
    log = one.log_path.read_text()
    assert "PASS net_resets" in log and "check failed" not in log and "panic" not in log and " check: " not in log, f"see {one.log_path}"


def test_work_of_devices_is_their_guests_time(machine, tmp_path):
    """Frames in 256 parts for buffers of as many, queued again by a VCPU on another node while home sends them: who computes on that node
    has half of it, and waits no longer than for one that computes; and when home is node 0 with nobody else, the prompt answers."""
    catch = vm("catch", "net_splinters.elf", None, 8, "role=1", node=1, net0=net())
    for home, others in (3, [vm("victim", "rivals/victim.elf", None, 8, "ms=150", node=3)]), (0, []):
        vms = [vm("throw", "net_splinters.elf", None, 8, "role=2", node=[home, 2], vcpus=2, net0=net()), catch, *others]
        one = machine(write_scenario(tmp_path, vms, nodes=4, name=f"splinters-{home}"),
                      options=("-f", "cache=0"))  # processors in step
        if others:
            found = one.expect(r"\[victim\] share (\d+) per mille, gap (\d+) us", 60)
            assert int(found[1]) >= 450 and int(found[2]) <= 12000, found[0]
            one.expect("victim powered off", 60)
            one.send("\r")
        else:
            one.expect("the storm begins", 60)
        before = int(re.search(r"sent (\d+) frames of", "\n".join(one.command("net")))[1])
        assert int(re.search(r"sent (\d+) frames of", "\n".join(one.command("net")))[1]) > before > 1
        assert "check failed" not in one.log_path.read_text(), f"see {one.log_path}"
        one.kill()


UPLINK = '\tuplink { compatible = "disco,uplink"; subnet = "lan"; };\n'


def beside(machine, folder, third, *others, ms=400, more="", options=("-d",)):
    """(trips of two that talk in 100 ms, how many more had to be asked again, percent of its node that a third's neighbour has, the machine)
    while the third goes on; in instructions, or under the timing model, so that it repeats."""
    vms = [vm("third", "net_storm.elf", None, 8, third, node=3, net0=net()),
           vm("victim", "rivals/victim.elf", None, 8, f"ms={ms}", node=3),
           vm("answer", "net_storm.elf", None, 8, "role=1", node=2, net0=net()),
           vm("talk", "net_storm.elf", None, 8, "ms=100", node=1, net0=net()), *others]
    one = machine(write_scenario(folder, vms, nodes=4, name=re.sub(r"\W", "-", third), more=more), options=options)
    one.expect(r"\[talk\] \d+ trips", 60)  # until they have found each other
    trips = one.expect(r"\[talk\] (\d+) trips, (\d+) lost", 60)
    share = one.expect(r"\[victim\] share (\d+) per mille", 60)
    return int(trips[1]), int(trips[2]), int(share[1]) / 10, one


def test_a_storm_takes_its_share(machine, tmp_path):
    """Frames of a page, and frames that need all buffers of a receiver, without a pause: two others go on with at least half of what
    they do beside a VM that computes, and who shares its processor has his half of that. So it is beside frames that go out by the uplink."""
    calm, _, _, one = beside(machine, tmp_path, "role=3")
    one.kill()
    assert calm > 4 # a hand-over waits for a turn of 10 ms of who computes
    for third, ms, more in ("role=2 storm=1", 400, ""), ("role=2 storm=15", 400, ""), ("role=4 storm=0", 100, UPLINK):
        trips, lost, share, one = beside(machine, tmp_path, third, ms=ms, more=more)
        ports = "\n".join(one.command("net"))
        one.kill()
        if more:
            assert int(re.search(r"uplink on lan, .*\n.*\n  received (\d+) frames", ports)[1]) > 1000, ports
        elif "storm=15" in third:  # frames of a page are taken as fast as they come
            assert "beyond its share of the buffers" in ports
        print(f"beside {third}: {trips} trips of {calm}, {lost} lost; its neighbour has {share} % of the node")
        assert trips >= 0.5 * calm and lost <= trips, f"{trips} trips, {lost} lost beside {third}; {calm} beside none"
        assert share >= 45, f"{share} % of the node beside {third}"


def test_who_does_not_look_slows_nobody(machine, tmp_path):
    """A VM that offers buffers and then looks at nothing any more, as one that is stopped by a debugger of its own: it gets as many frames as
    it has buffers for, the others are counted drops of their sender, and those who talk do as much as beside the same VMs when nobody
    sends to it; so it is while it is paused. Processors are in step here, so that a trip takes some more of their steps or fewer: by the
    VMs that there are alone, a quarter."""
    sleeper = vm("sleeper", "net_storm.elf", None, 8, "role=5", node=0, net0=net())
    calm, _, _, one = beside(machine, tmp_path, "role=3", sleeper, ms=100, options=("-f", ""))
    one.kill()
    trips, lost, share, one = beside(machine, tmp_path, "role=6", sleeper, ms=100, options=("-f", ""))
    assert trips >= 0.8 * calm and lost == 0, f"{trips} trips, {lost} lost; {calm} without"
    assert share >= 45, f"{share} % of the node"
    one.send("pause sleeper\r")
    one.expect("vm: sleeper paused")
    for _ in range(2):  # the first had begun before
        trips, lost = map(int, one.expect(r"\[talk\] (\d+) trips, (\d+) lost", 60).groups())
    assert trips >= 0.8 * calm and lost == 0, f"{trips} trips, {lost} lost beside one that is paused; {calm} without"
    one.send("resume sleeper\r")
    one.expect("vm: sleeper resumed")
    one.send("\r")
    before, ports = drops(one)["third"], "\n".join(one.command("net"))
    assert before["no buffer at the receiver"] > 1000
    assert 0 < int(re.search(r"sleeper net0: .*\n.*\n  received (\d+) frames", ports)[1]) <= 128, ports
    one.send("stop sleeper\r")
    one.expect("vm: sleeper stopped")
    one.send("\r")
    assert drops(one)["third"]["to nobody"] > 0 and "to nobody" not in before
    assert accounts_of(one, "sleeper") == (0, 0)
