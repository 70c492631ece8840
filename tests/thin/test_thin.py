# SPDX-License-Identifier: MIT
"""The thin OS (guests/thin): threads and malloc on one, two and eight VCPUs, stdio, ways to end, and what `make thin` refuses."""
import os
import re
import subprocess

import pytest

from machine import LOGS, PATIENCE, PROMPT, SEED, TOP, vm, write_scenario

MOVES = "shuffle=1 check=1" # pages move at random, and the monitor checks its translations
LAPS = int(os.environ.get("DISCO_THIN_LAPS", "0"))
LIMIT = 120 + 4 * LAPS


def thin(label, program, words="", vcpus=1, memory=64, first=0, nodes=8, **more):
    """A VM with VCPUs on nodes from `first` on, round and round."""
    return vm(label, f"thin/tests/{program}.elf", None, memory, words, vcpus=vcpus, node=[(first + i) % nodes for i in range(vcpus)], **more)


def run(folder, name, vms, words="", nodes=8, memory=1024):
    """A machine until all VMs have ended: for each label its lines and its exit code, None if it did not end by itself."""
    archive = write_scenario(folder, vms, nodes=nodes, memory=memory, name=name)
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"thin-{name}.log"
    with open(path, "wb") as out:
        code = subprocess.run(["timeout", "-k", "5", str(LIMIT * PATIENCE), "qemu/run.sh", "-q", "-a", f"exit=1 {words}", str(archive)], cwd=TOP,
                              stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=False).returncode
    text = path.read_text(encoding="utf-8", errors="replace").replace("\r", "").replace("\x1b[K", "").replace(PROMPT, "")
    said = {}
    for one in vms:
        label = one["label"]
        ended = re.search(rf"vm: {label} powered off, code (\d+)", text)
        said[label] = re.findall(rf"^\[{label}\] (.*)$", text, re.M), int(ended.group(1)) if ended else None
    shown = text[-3000:] + f"\n({path})"
    assert code in (0, 1), shown
    assert not re.search(r"\] check: ", text), shown
    return said, shown


# VCPUs, and on how many nodes.
SIZES = [(1, 1), (2, 2), (8, 8), (5, 2)]


@pytest.mark.parametrize("words, sizes", [("", SIZES), (MOVES, SIZES[2:] if not LAPS else SIZES)], ids=["plain", "moves"])
def test_torture(tmp_path, words, sizes):
    """Threads, what they wait on, and malloc, at random, in several sizes at once."""
    vms = []
    for i, (vcpus, nodes) in enumerate(sizes):
        random = f"seed={SEED + i}" + (f" laps={LAPS}" if LAPS else "")
        for program in ("threads", "sync", "heap"):
            shown = {"show_nodes": True} if program == "heap" and words else {}
            vms.append(thin(f"{program}{vcpus}", program, random, vcpus, memory=24, first=i, nodes=nodes, **shown))
    said, shown = run(tmp_path, f"torture{'-moves' if words else ''}", vms, words)
    for label, (lines, code) in said.items():
        assert code == 0 and re.match(r"PASS \w+: \d{3,} checks$", lines[-1]), f"{label}: {lines[-10:]}\n{shown}"


@pytest.mark.parametrize("vcpus", [1, 2])
def test_nobody_sleeps_while_there_is_work(tmp_path, vcpus):
    """By a clock of instructions: a thread that ends wakes its joiner at once, not at the end of a slice of 4 ms."""
    archive = write_scenario(tmp_path, [thin("quick", "quick", vcpus=vcpus, nodes=2)], nodes=2, memory=256)
    done = subprocess.run(["timeout", "-k", "5", str(LIMIT * PATIENCE), "qemu/run.sh", "-q", "-d", "-a", "exit=1", str(archive)], cwd=TOP,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True, errors="replace")
    found = re.search(r"us: join (\d+), turn (\d+), barrier (\d+)", done.stdout)
    assert found and max(map(int, found.groups())) < 1000, done.stdout


ENDS = { # word: exit code, what is said
    "return": (42, []),
    "exit": (300 & 0xff, ["exit, without a newlinea function of atexit()"]),
    "last": (0, ["last, without a newlinea function of atexit()"]),
    "thread": (0, ["a function of atexit()"]),
    "COLOUR=\"dark blue\" environment x \"two words\"": (7, []),
    "handled": (9, ["handled signal "]),
    "abort": (134, ["thin: thread 0 on VCPU 0: abort()", "called from main+0x"]),
    "assert": (134, ['assertion "zero == 1" failed', "called from main+0x"]),
    "null": (139, ["load from 0x0, where there is nothing: a null pointer", "at main+0x"]),
    "wild": (139, ["thread 1 on VCPU 1: store to 0x123456789abc, where there is nothing", "at store_at+0x", "called from other_thread+0x"]),
    "beyond": (139, ["store to 0x4000000080000000, where there is nothing", "called from main+0x"]),
    "jump": (139, ["jump to 0x1000", "called from main+0x"]),
    "divide": (136, ["division by zero", "at main+0x"]),
    "instruction": (132, ["an instruction that does not exist", "instruction 0x7fffffff"]),
    "deadlock": (134, ["thin: deadlock: all 2 threads wait for each other", "thread 0 on VCPU 0 waits", "thread 1 on VCPU 1 waits",
                       "called from crosswise+0x", "called from main+0x"]),
    "alone": (134, ["thin: deadlock: the only thread waits, and nobody is there to end that", "called from main+0x"]),
    "stack": (139, ["thread 1 on VCPU 1 has used more than its stack", "pthread_attr_setstacksize()", "at deep+0x", "called from deep+0x"]),
    "main-stack": (139, ["thread 0 on VCPU 0 has used more than its stack", "at deep+0x"]),
    "own-stack": (139, ["thread 1 on VCPU 1 has used more than its stack"]),
    "free": (134, ["thin: free() of 0x", "which is inside of a block", "called from main+0x"]),
    "twice": (134, ["thin: free() of 0x", "which is free already", "called from main+0x"]),
    "memory": (139, ["store to 0x0", "malloc() had no memory left 1 times"]),
    "nothing": (0, ["a function of atexit()"]),
}


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    vms = [thin(f"e{i}", "ends", words, 2, memory=6) for i, words in enumerate(ENDS)]
    folder = tmp_path_factory.mktemp("ends")
    said = {}
    for i in range(0, len(vms), 12):
        said.update(run(folder, f"ends-{i}", vms[i:i + 12], nodes=2, memory=256)[0])
    return said


@pytest.mark.parametrize("words", ENDS, ids=[words.split()[0].split("=")[0] for words in ENDS])
def test_ends(ends, words):
    """The VM's exit code is the program's, or 128 and the signal that another system would have sent; a fault says what and where."""
    lines, code = ends[f"e{list(ENDS).index(words)}"]
    assert code == ENDS[words][0], lines
    for text in ENDS[words][1]:
        assert any(text in line for line in lines), f"no {text!r} in {lines}"


def test_lines(machine, tmp_path):
    """What six threads print stays whole; what is typed comes as lines, with rubbing out and an end."""
    archive = write_scenario(tmp_path, [thin("lines", "lines", "read=1", 4)], nodes=4, memory=256)
    one = machine(archive, "attach=lines exit=1")
    wanted = [rf"thread {i} line {j} of 20: whole\r*\n" for i in range(6) for j in range(20)]
    one.expect_all(wanted)
    one.expect(r"name\? ")
    one.send("ann\x7fother\r")
    one.expect(r"got 8 bytes: another\r*\n")
    one.send("x" * 150 + "\r")
    one.expect(rf"got 99 bytes: {'x' * 99}")
    one.expect(r"got 52 bytes: x{51}\r*\n")
    one.send("\x04")
    one.expect("end of input")
    one.expect(r"PASS lines: \d+ checks")
    one.expect("lines powered off, code 0")
    assert one.end() == 0


def test_control_c(machine, tmp_path):
    archive = write_scenario(tmp_path, [thin("lines", "lines", "read=1", 2)], nodes=2, memory=256)
    one = machine(archive, "attach=lines exit=1")
    one.expect(r"name\? ")
    one.send("\x03")
    one.expect(r"thin: thread 0 on VCPU 0 (waits for a device or a key|runs)") # it may not have come to wait yet
    one.expect("lines powered off, code 130")
    one.end()


SIZES_OF = {"radix": "4 20000", "own": "4 20000 own", "fft": "4 4096", "lu": "4 96", "barnes": "4 256"}


def test_parallel_programs(tmp_path):
    """Radix, FFT, LU and Barnes as they are: the sums are this host's."""
    program = {name: "radix" if name == "own" else name for name in SIZES_OF}
    vms = [vm(name, f"thin/parallel/{program[name]}.elf", None, 32, words, vcpus=4, node=[0, 1, 2, 3]) for name, words in SIZES_OF.items()]
    said, shown = run(tmp_path, "parallel", vms, nodes=4, memory=512)
    for name, words in SIZES_OF.items():
        host = subprocess.run([TOP / f"build/host/parallel/{program[name]}", *words.split()[:2]], check=True, capture_output=True, text=True).stdout
        wanted = re.search(r"sum ([0-9a-f]{16})", host)[1]
        assert said[name][1] == 0 and f"sum {wanted}" in said[name][0][-1], shown


def make(*words):
    done = subprocess.run(["make", "-s", "thin", *words], cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60 * PATIENCE, text=True, errors="replace")
    return done.returncode, done.stdout


@pytest.mark.parametrize("words, said", [
    ([], "FILE: found nothing, needed: the C file of a program"),
    (["FILE=tests/thin/ends.c", "NODES=17"], "NODES: found 17, allowed: 1..16"),
    (["FILE=tests/thin/ends.c", "VCPUS=17"], "VCPUS: found 17, allowed: 1..16"),
    (["FILE=tests/thin/ends.c", "MEMORY=much"], "MEMORY: found much, allowed: 4..1024"),
    (["FILE=tests/thin/no-such.c"], "FILE: found no tests/thin/no-such.c, allowed: C files that exist"),
    (["FILE=tests/thin/ends.c", "DISK=docs no-such"], "DISK: found no no-such, allowed: a folder, or an image of a disk"),
    (["FILE=tests/thin/ends.c", "DISK=docs docs docs docs docs"], "DISK: found 5, allowed: at most 4"),
    (["FILE=tests/thin/ends.c", "PORTS=80 http"], "PORTS: found http, allowed: 1..65535"),
])
def test_refused(words, said):
    status, text = make(*words)
    assert status == 2 and said in text, text


def test_no_main(tmp_path):
    (tmp_path / "part.c").write_text("int mine(void) { return 1; }\n")
    status, text = make(f"FILE={tmp_path}/part.c")
    assert status == 2 and re.search(r"found no main\(\) in \S+part.c, needed: int main\(void\)", text), text


def test_too_little_memory(tmp_path):
    """A program that does not fit, and one that fits with nothing left."""
    (tmp_path / "large.c").write_text("#include <stdio.h>\nchar room[3 << 20];\nint main(void) { puts(room); return 0; }\n")
    status, text = make(f"FILE={tmp_path}/large.c", "MEMORY=4", "NODES=1")
    assert status == 134 and re.search(r"thin: found 4096 KB of memory, needed \d+: raise memory-mb", text), text
