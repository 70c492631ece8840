# SPDX-License-Identifier: MIT
"""The bare-metal guest tests: each natively, each under the monitor, and the same output both ways.

A test is tests/guest/NAME.c; its head comment may say
  Needs: vcpus=N        the VM has N virtual processors; Needs: memory=N - megabytes of memory
  Needs: nodes=N        VCPU i lives on node i % N; few of these run in one boot
  Needs: identity       the VM has the identity device; disk - a copy-on-write disk
  Runs: rewritten       also linked for KSEG0, although it calls the monitor
  Runs: with neighbour  it shares one node with neighbour.c and with the other tests that say so
  Ends: killed          the monitor ends the VM after the verdict
  Ends: spins           it goes on for ever; resets - it starts anew; typed - it wants input; paired - it wants a peer: these have tests of their own
  Ends: anyhow          it may pass, be killed or go on for ever; its own test
  Ends: reported        check=1 finds a translation that is wrong by its own fault; its own test, too
Programs that draw random numbers get the seed of this run, machine.SEED, in their bootargs.
Many run in one boot of the monitor, two or three on a node, so that every test also sees time slices.
"""
import re
import subprocess
import time
from pathlib import Path

import pytest

from machine import LOGS, PATIENCE, PROMPT, SEED, TOP, disk, tail, vm, write_scenario

HERE = Path(__file__).resolve().parent
LIMIT = 180 # seconds for a boot with a batch of tests, which takes up to 15; a native run takes less than one
BATCH = 8
SPREAD = 3 # of those with VCPUs on several nodes
MEMORY = 8 # MB for each VM
# Words for the monitor: without what only saves time; and with its own check of its translations.
NATIVE_TRIES = 3
SLOW = "off=fast,walkfast,large,l2tlb,asid check=1"
CHECK = "check=1"
MOVES = "shuffle=1 check=1" # pages move at random
# Injected delays of remote memory, and on three nodes of sixteen more memory in use than they have. Not for numa_*, which wait for
# the delays of others only, half a minute, and have test_moves.
REMOTE = "latency=32"


class Case:
    def __init__(self, source):
        text = source.read_text()
        self.name = source.stem
        self.native = "need_monitor()" not in text
        self.vcpus = int((re.search(r"^ \* Needs:.* vcpus=(\d+)", text, re.M) or [0, 1])[1])
        self.nodes = int((re.search(r"^ \* Needs:.* nodes=(\d+)", text, re.M) or [0, 0])[1])
        self.memory = int((re.search(r"^ \* Needs:.* memory=(\d+)", text, re.M) or [0, MEMORY])[1])
        self.identity = re.search(r"^ \* Needs:.* identity", text, re.M) is not None
        self.disk = re.search(r"^ \* Needs:.* disk", text, re.M) is not None
        self.pair = re.search(r"^ \* Runs: with ", text, re.M) is not None
        self.rewritten = re.search(r"^ \* Runs: rewritten", text, re.M) is not None
        self.end = (re.search(r"^ \* Ends: (\w+)", text, re.M) or [0, "off"])[1]


TESTS = {source.stem: Case(source) for source in sorted(HERE.glob("*.c"))}
NAMES = list(TESTS)
NATIVE = [name for name in NAMES if TESTS[name].native]
REWRITTEN = [name for name in NAMES if TESTS[name].rewritten]
ENDING = [name for name in NAMES if TESTS[name].end in ("off", "killed")]
SMALL = [name for name in ENDING if TESTS[name].memory < 100]
TRANSLATING = [name for name in ENDING if re.match("walk_|special_|window_|seg_special|tlb_l2|smp_", name)]
DELAYED = [name for name in SMALL if not name.startswith("numa_")]
MOVING = [name for name in SMALL if re.match("smp_|vcpu_|walk_|llsc_|code_|pair_|tlb_torture|int_storm|special_", name)]


def batches(among=None):
    pairs = [name for name in among or NAMES if TESTS[name].pair]
    others = [name for name in among or ENDING if not TESTS[name].pair and not TESTS[name].nodes]
    spread = [name for name in among or ENDING if TESTS[name].nodes]
    yield from (others[i:i + BATCH] for i in range(0, len(others), BATCH))
    yield from (spread[i:i + SPREAD] for i in range(0, len(spread), SPREAD))
    yield pairs


def run(log, arguments):
    """QEMU through qemu/run.sh until it ends; the lines it printed. Everything is also in the log file."""
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"guest-{log}.log"
    with open(path, "wb") as out:
        code = subprocess.run(["timeout", "-k", "5", str(LIMIT * PATIENCE), "qemu/run.sh", "-q", *arguments], cwd=TOP,
                              stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=False).returncode
    text = path.read_text(encoding="utf-8", errors="replace").replace("\r", "").replace("\x1b[K", "")
    return code, text.replace(PROMPT, "").splitlines(), path


def vm_of(label, name, seed=SEED, **more):
    """The VM that a test needs."""
    case = TESTS[name]
    if case.pair:
        more["node"] = 1
    elif case.nodes:
        more["node"] = list(range(case.nodes))
    if case.identity:
        more["identity"] = True
    if case.disk:
        more["disk0"] = disk("root.img", serial="rules")
    return vm(label, f"{name}.elf", None, case.memory, f"seed={seed}", vcpus=case.vcpus, **more)


class Runs:
    """What has been run in this session, each thing once."""

    def __init__(self, folder):
        self.folder = folder
        self.native_lines = {}
        self.monitor_lines = {}

    def native(self, name):
        """The lines of a native run. On a busy host QEMU's own CP0 timer raises an interrupt twice now and then (qemu/README.md)."""
        for _ in range(NATIVE_TRIES):
            if name not in self.native_lines or f"PASS {name}" not in self.native_lines[name]:
                code, lines, path = run(f"native-{name}", ["-k", f"build/guests/native/{name}.elf", "-n", "2", "-m", "256"])
                assert code == 0, f"QEMU ended with {code}:\n{tail(path)}"
                self.native_lines[name] = lines
        return self.native_lines[name]

    def monitor(self, name, words="", among=None):
        """The lines of the test under the monitor, and the monitor's lines about its VM; its whole batch is run."""
        if (name, words) not in self.monitor_lines:
            index, batch = next((i, b) for i, b in enumerate(batches(among)) if name in b)
            self.run_batch("-".join(["monitor", *words.split("=")[:1], str(index)]), batch, words)
        return self.monitor_lines[name, words]

    def rewritten(self, name, kind, among):
        """As monitor, of the program in build/guests/KIND, with `rewrite`."""
        if (name, kind) not in self.monitor_lines:
            index = among.index(name) // BATCH
            batch = among[index * BATCH:(index + 1) * BATCH]
            vms = [{**vm_of(f"t{i}", one, rewrite=True), "kernel": f"{kind}/{one}.elf"} for i, one in enumerate(batch)]
            nodes = max(4, *(TESTS[one].nodes for one in batch))
            archive = write_scenario(self.folder, vms, nodes=nodes, memory=512, name=f"{kind}-{index}")
            self.keep(batch, kind, *run(f"{kind}-{index}", ["-a", "exit=1", str(archive)]))
        return self.monitor_lines[name, kind]

    def run_batch(self, log, names, words):
        remote = words == REMOTE
        vms = [vm_of(f"t{i}", name, **({"node": i % 3} if remote else {})) for i, name in enumerate(names)]
        nodes = 16 if remote else max(4, *(TESTS[name].nodes for name in names))
        archive = write_scenario(self.folder, vms, nodes=nodes, memory=256 if remote else 512, name=log)
        self.keep(names, words, *run(log, ["-a", f"exit=1 {words}", str(archive)]))

    def keep(self, names, words, code, lines, path):
        for i, name in enumerate(names):
            mine = [line[len(f"[t{i}] "):] for line in lines if line.startswith(f"[t{i}]")]
            about = [line for line in lines if re.match(rf"\[\d+\] (vm: t{i} |check: t{i}/)", line)]
            self.monitor_lines[name, words] = mine, about, code, path


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    return Runs(tmp_path_factory.mktemp("guest"))


def verdict(lines, name):
    """The one verdict of a run. Silence is an error, as are two of them."""
    tokens = [line for line in lines if re.match(r"(PASS|FAIL|SKIP) ", line)]
    assert tokens, f"{name} gave no verdict; its last lines:\n" + "\n".join(lines[-15:])
    assert len(tokens) == 1, f"{name} gave {len(tokens)} verdicts: {tokens}"
    return tokens[0]


@pytest.mark.parametrize("name", NATIVE)
def test_native(runs, name):
    lines = runs.native(name)
    assert verdict(lines, name) == f"PASS {name}", "\n".join(lines[-15:])


def check_monitor(name, lines, about, code, path):
    shown = "\n".join(lines[-15:] + about) + f"\n({path.relative_to(TOP)})"
    assert verdict(lines, name) == f"PASS {name}", shown
    assert not [line for line in about if " check: " in line], shown
    ended = {"off": "powered off, code 0", "killed": "killed: "}[TESTS[name].end]
    assert ended in about[-1], shown
    if TESTS[name].end == "off":
        assert code == 0, f"the machine ended with {code}:\n{tail(path, 15)}"
    else:
        assert lines[-1] == f"PASS {name}", "it went on after it should have ended:\n" + shown


@pytest.mark.parametrize("name", ENDING)
def test_monitor(runs, name):
    check_monitor(name, *runs.monitor(name))


@pytest.mark.parametrize("name", ENDING)
def test_monitor_slow(runs, name):
    check_monitor(name, *runs.monitor(name, SLOW))


@pytest.mark.parametrize("name", DELAYED)
def test_monitor_remote(runs, name):
    check_monitor(name, *runs.monitor(name, REMOTE, DELAYED))
    if name == "latency_charged":
        assert "delays" in runs.monitor(name, REMOTE, DELAYED)[0] and "no delays" in runs.monitor(name)[0]


@pytest.mark.parametrize("name", MOVING)
def test_monitor_moves(runs, name):
    check_monitor(name, *runs.monitor(name, MOVES, MOVING))


@pytest.mark.parametrize("name", TRANSLATING)
def test_monitor_check(runs, name):
    check_monitor(name, *runs.monitor(name, CHECK, TRANSLATING))


@pytest.mark.parametrize("name", NATIVE)
def test_same_output(runs, name):
    assert runs.monitor(name)[0] == runs.native(name)


# A kernel that knows nothing of the monitor: the native program, rewritten, as it is and with its relocations.
@pytest.mark.parametrize("name", NATIVE)
@pytest.mark.parametrize("kind", ["reloc", "native"])
def test_rewritten(runs, kind, name):
    lines, about, code, path = runs.rewritten(name, kind, NATIVE)
    assert lines == runs.native(name), f"{about} ({path.relative_to(TOP)})"
    assert "powered off, code 0" in about[-1] and code == 0, about


# The same of several VCPUs, which no native program has: they are started, and interrupt each other, by monitor calls.
@pytest.mark.parametrize("name", REWRITTEN)
@pytest.mark.parametrize("kind", ["kseg0-reloc", "kseg0"])
def test_rewritten_vcpus(runs, kind, name):
    check_monitor(name, *runs.rewritten(name, kind, REWRITTEN))


@pytest.mark.parametrize("kind, least, most", [("calls", 8, 500), ("jumps", 6, 450)])
def test_calls_and_jumps_become_branches(machine, tmp_path, kind, least, most):
    """Calls and jumps by a register that trapped once trap no longer, but for those whose slot may not come first, or that nothing led to."""
    one = machine(write_scenario(tmp_path, [vm("branches", f"native/code_{kind}.elf", None, MEMORY, rewrite=True)]))
    one.expect(rf"\[branches\] PASS code_{kind}\r*\n")
    one.expect(r"vm: branches powered off, code 0")
    told = "\n".join(one.command("stats branches"))
    assert int(re.search(rf"patched: [^\n]* (\d+) (of them )?{kind}", told)[1]) >= least, told
    assert int(re.search(r"(\d+) fetches", told)[1]) < most, told
    assert one.quit() == 0


def test_moves_of_cp0_become_branches(machine, tmp_path):
    """Half of the traps of code_moves are gone: 18,900 are there if nothing is patched. The others are what has to trap, and the first sixteen of each place."""
    one = machine(write_scenario(tmp_path, [vm("moves", "native/code_moves.elf", None, MEMORY, rewrite=True)]))
    one.expect(r"\[moves\] PASS code_moves\r*\n")
    one.expect(r"vm: moves powered off, code 0")
    told = "\n".join(one.command("stats moves"))
    assert int(re.search(r"(\d+) moves of CP0", told)[1]) >= 40, told
    assert int(re.search(r"CpU (\d+)", told)[1]) < 12000, told
    assert one.quit() == 0


@pytest.mark.parametrize("kind", ["native", "reloc"])
@pytest.mark.parametrize("unpatched", [False, True])
def test_code_reads_as_stored_if_nothing_is_patched(machine, tmp_path, kind, unpatched):
    """By addresses of csseg a patched place reads as a branch, unless the VM is `unpatched`."""
    more = {"unpatched": True} if unpatched else {}
    one = machine(write_scenario(tmp_path, [vm("reads", f"{kind}/code_reads.elf", None, MEMORY, "exact=1", rewrite=True, **more)]))
    one.expect(r"\[reads\] PASS code_reads\r*\n" if unpatched else r"\[reads\] FAIL code_reads: [^\n]*: found c8\w{6}, wanted dc830000\r*\n")
    one.expect(r"vm: reads powered off, code 0")
    assert ("patched: " in "\n".join(one.command("stats reads"))) == (not unpatched)
    assert one.quit() == 0


# What a hostile driver may do, and a rule that shows it: tests/guest's programs print each rule that they look at.
HOSTILE = {
    "virtio_rules": ["descriptor loop", "chain longer than the queue", "buffer of 2^32-1 bytes", "buffer far away",
                     "buffer behind the last byte of memory", "buffer over the end of memory", "indirect nested", "index jumps"],
    "virtio_order": ["used ring over the available one", "a buffer over the queue", "indirect tables over each other",
                     "queue set up twice", "notification of no queue", "features behind FEATURES_OK"],
    "virtio_flight": ["descriptor rewritten in flight", "reset in flight", "chain longer than any may be"],
    "disk_rules": ["reset with reads in flight", "a request over the end"],
    "hc_remap_given": ["pages put into the balloon under REMAP", "pages reported under REMAP", "remapped while a disk has it"],
    "disk_direct": ["pages rewritten in flight", "pages rewritten behind their write"],
}
HOSTILE_RULES = 34 # at least


def test_hostile_drivers_have_their_rules(runs):
    """One rule for each kind of hostility; their number is counted, not claimed."""
    rules = []
    for name, wanted in HOSTILE.items():
        found = [line[len("rule: "):] for line in runs.monitor(name)[0] if line.startswith("rule: ")]
        assert set(wanted) <= set(found), f"{name} looked at {found}"
        rules += found
    print(f"{len(rules)} rules")
    assert len(set(rules)) == len(rules) >= HOSTILE_RULES, rules


def test_spinning_vms_disturb_nobody(machine, tmp_path):
    """Ends: spins. Their neighbour on the same node does its work and finds its state untouched; then they can be stopped."""
    spinning = [name for name in NAMES if TESTS[name].end == "spins"]
    vms = [vm_of(f"s{i}", name, node=1) for i, name in enumerate(spinning)]
    vms.append(vm("good", "neighbour.elf", None, MEMORY, node=1))
    one = machine(write_scenario(tmp_path, vms), "exit=1")
    one.expect_all([rf"\[s{i}\] PASS {name}\r*\n" for i, name in enumerate(spinning)]
                   + [r"\[good\] PASS neighbour\r*\n", r"vm: good powered off, code 0"])
    for i in range(len(spinning)):
        one.send(f"stop s{i}\r")
    assert one.end() == 0


def test_vcpus_that_spin_get_on(tmp_path):
    """Processors that QEMU runs in turn give theirs away: VCPUs that spin at a barrier are sooner behind it. In instructions."""
    archive = write_scenario(tmp_path, [vm_of("spin", "smp_barrier")], nodes=8)
    took = []
    for words in ("", "off=turns"):
        code, lines, path = run("smp_barrier", ["-d", "-a", f"exit=1 {words}", str(archive)])
        found = re.search(r"^\[spin\] (\d+) us a barrier$", "\n".join(lines), re.M)
        assert code == 0 and found, tail(path)
        took.append(int(found.group(1)))
    assert 2 * took[0] < took[1], took


def test_waits_end_at_once(tmp_path):
    """A VCPU that WAITs is woken by the interrupt, not by the next tick of its node, 10 ms later. In instructions."""
    guest = vm("wakes", "litmus.elf", None, MEMORY, "ms=50", vcpus=2, node=[0, 1])
    code, lines, path = run("wakes", ["-d", "-a", "exit=1", str(write_scenario(tmp_path, [guest]))])
    found = re.search(r"^\[wakes\] (\d+) interrupts to a VCPU that looks", "\n".join(lines), re.M)
    assert code == 0 and "[wakes] PASS litmus" in lines and found and int(found[1]) > 200, tail(path)


@pytest.mark.parametrize("words", ["", "shuffle=1", MOVES], ids=["plain", "moves", "moves-checked"])
def test_hostile_vcpus_disturb_nobody(machine, tmp_path, words):
    """Ends: anyhow. Two VMs with VCPUs on four nodes, one tame and one wild, and on each of these nodes a neighbour that finds its own
    memory, registers and translations as they were; then they end, if they have not yet, and leave nothing behind."""
    hostile = {f"bad{i}": vm_of(f"bad{i}", "contain_smp", (SEED & ~1) + i) for i in range(2)}
    vms = [vm(f"good{node}", "neighbour.elf", None, MEMORY, node=node) for node in range(4)] + list(hostile.values())
    one = machine(write_scenario(tmp_path, vms, nodes=4, memory=512), words)
    one.expect_all([rf"\[good{node}\] PASS neighbour\r*\n" for node in range(4)]
                   + [rf"vm: good{node} powered off, code 0" for node in range(4)]
                   + [rf"\[bad{i}\] seed {(SEED & ~1) + i}\r*\n" for i in range(2)], 120)
    started = time.monotonic()
    while (left := {label: state for label, state in (line.split()[:2] for line in one.command("vms") if re.match(r"bad\d ", line))
                    if state != "stopped"}):
        assert time.monotonic() < started + 30 * PATIENCE, left
        if time.monotonic() > started + 4: # they spin
            for label in [label for label in left if left[label] == "running"]:
                one.send(f"stop {label}\r")
        time.sleep(0.2)
    lines = one.command("mem")
    assert any(re.search(r"guests use 0 KB", line) for line in lines), lines
    assert one.quit() == 0
    log = one.log_path.read_text()
    assert "panic" not in log and not re.search(r"check: good", log), f"see {one.log_path}"
    for label in hostile:
        assert len(re.findall(rf"vm: {label} (?:powered off|killed|stopped)", log)) == 1, f"{label}: see {one.log_path}"


@pytest.mark.parametrize("name", [name for name in NAMES if TESTS[name].end == "resets"])
def test_reset(machine, tmp_path, name):
    """Ends: resets. Five starts, each as good as new."""
    one = machine(write_scenario(tmp_path, [vm_of("again", name)], nodes=max(2, TESTS[name].nodes), memory=512))
    for _ in range(5):
        one.expect(rf"\[again\] (PASS {name}|FAIL[^\n]*|RESET came back)\r*\n")
        assert one.line.match[1] == f"PASS {name}"
    assert one.quit() == 0


def test_kill_on_several_nodes(machine, tmp_path):
    """A VM that is killed while its VCPUs work on eight nodes leaves nothing behind, can be started again, and disturbs none of
    those that share its processors."""
    vms = [vm_of("dies", "smp_kill"), vm_of("works", "smp_flush"), vm("alone", "neighbour.elf", None, MEMORY, node=5)]
    one = machine(write_scenario(tmp_path, vms, nodes=8, memory=512))
    wanted = [r"\[works\] PASS smp_flush\r*\n", r"vm: works powered off, code 0",
              r"\[alone\] PASS neighbour\r*\n", r"vm: alone powered off, code 0"]
    for _ in range(4):
        one.expect_all([r"\[dies\] PASS smp_kill\r*\n", r"vm: dies killed: exception 9 [^\n]*BEV"] + wanted)
        wanted = []
        one.send("start dies\r")
    one.expect(r"vm: dies killed")
    lines = one.command("mem")
    assert any(re.search(r"guests use 0 KB.*promised to VMs 0 KB", line) for line in lines), lines
    one.until(lambda: all("offline" in line for line in one.command("vcpus") if "dies" in line))
    assert one.quit() == 0


def test_stop_on_several_nodes(machine, tmp_path):
    """The prompt's reset and stop take effect on all nodes of a VM, even of one that resets itself all the time; `vms` and `vcpus` say
    which those are."""
    wide = vm("wide", memory=64, vcpus=8, node=list(range(8)))
    one = machine(write_scenario(tmp_path, [wide, vm_of("resets", "smp_reset", manual=True)], nodes=8, memory=512))
    for _ in range(3):
        one.expect(r"\[wide\] wide: Linux [^\n]* on 8 processor", 120)
        one.send("\r")
        one.expect(re.escape(PROMPT))
        lines = one.command("vms") + one.command("vcpus")
        assert any(re.match(r"wide +running +0-7 +8 ", line) for line in lines), lines
        assert all(any(re.match(rf"wide +/{i} +{i} ", line) for line in lines) for i in range(8)), lines
        one.send("reset wide\r")
        one.expect(r"vm: wide reset")
    one.expect(r"\[wide\] wide: Linux [^\n]* on 8 processor", 120)
    one.send("stop wide\r")
    one.expect(r"vm: wide stopped")
    one.send("start resets\r")
    one.expect(r"\[resets\] PASS smp_reset\r*\n")
    one.send("stop resets\r")
    one.until(lambda: any(re.match(r"resets +stopped ", line) for line in one.command("vms")))
    assert any("guests use 0 KB" in line for line in one.command("mem"))
    assert one.quit() == 0


def test_check_reports_a_stale_translation(machine, tmp_path):
    vms = [vm("stale", "check_stale.elf", None, MEMORY, node=1), vm("other", "neighbour.elf", None, MEMORY, node=1)]
    one = machine(write_scenario(tmp_path, vms), f"exit=1 {CHECK}")
    one.expect_all([r"check: stale/0: (L2TLB|TLB) maps 20000000 by ", r"\[stale\] PASS check_stale\r*\n", r"\[other\] PASS neighbour\r*\n"])
    assert one.end() == 0
    assert "maps f" not in one.log_path.read_text(), "the windows, too"


def test_check_reports_a_flush_that_flushes_nothing(machine, tmp_path):
    """forget=flush: a translation that is really left is found, on the caller's node and on the other."""
    one = machine(write_scenario(tmp_path, [vm_of("left", "smp_unmap")], nodes=4, memory=512), f"exit=1 {CHECK} forget=flush")
    one.expect_all([rf"check: left/{i}: L2TLB maps 200[0-9a-f]{{5}} after its flush" for i in range(2)])
    one.expect(r"vm: left (powered off|killed)")
    one.end()


def test_memory_of_an_ended_vm_is_zero_for_the_next(machine, tmp_path):
    """The neighbour fills its memory and ends; then pair_memory, whose VM was not started at boot, looks at its own."""
    vms = [vm("first", "neighbour.elf", None, MEMORY, node=1), vm("next", "pair_memory.elf", None, MEMORY, node=1, manual=True)]
    one = machine(write_scenario(tmp_path, vms))
    one.expect(r"vm: first powered off, code 0")
    one.send("start next\r")
    one.expect(r"\[next\] (PASS pair_memory|FAIL[^\n]*)\r*\n")
    assert one.line.match[1] == "PASS pair_memory"
    one.expect(r"vm: next powered off, code 0")
    assert one.quit() == 0


def test_console_keeps_the_order(runs):
    """A flood of lines arrives whole and in order; a line without end is cut, not lost; odd bytes do the terminal no harm."""
    lines = runs.monitor("hc_console")[0]
    assert [line for line in lines if line.startswith("flood")] == [f"flood {i}" for i in range(500)]
    assert "by characters" in lines
    assert sum(line.count("x") for line in lines if set(line) == {"x"}) == 256 + 5999  # one call more than the line needs
    odd = next(line for line in lines if line.startswith("odd"))
    assert odd.endswith("bytes") and odd.isprintable()


def test_typed_input(machine, tmp_path):
    """Ends: typed. What is typed at an attached guest reaches it whole, control characters too."""
    one = machine(write_scenario(tmp_path, [vm("in", "hc_input.elf", None, MEMORY)]), "exit=1 attach=in")
    one.expect(r"type\r*\n")
    one.send("first line\r")
    one.expect(r"type\r*\n")
    one.send("a longer line, 0123456789, with \x03 and \x01 in it\r")
    one.expect(r"(PASS hc_input|FAIL[^\n]*)\r*\n")
    assert one.line.match[1] == "PASS hc_input"
    assert one.end() == 0
