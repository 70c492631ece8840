# SPDX-License-Identifier: MIT
"""Numbers that a document states and the code knows are equal. A row of NUMBERS is

    (document, what stands there, file of the code, expression)

where the second is a regular expression in which a blank stands for any white space and whose one group is the number, and
the last an expression of that file's own #defines and of those that only one file of the tree has; or, behind a "~", a regular
expression again, for what is no #define. A row that no longer matches is an error too: a document that is reworded takes its
row along."""
import functools
import re

import pytest

import tree

ABI = "docs/guest-abi.md"
TOUR = "docs/tour.md"
CONFIGS = "configs/README.md"
VMDESC = "kernel/vm/vmdesc.h"
NUMBERS = [
    (ABI, r"Config1 has (\d+) TLB entries", "arch/mips/arch.h", "VTLB_ENTRIES"),
    (ABI, r"(\d+) dual entries", "arch/mips/arch.h", "VTLB_ENTRIES"),
    (ABI, r"Count is the machine's: ([\d,]+) ticks a second", "arch/mips/arch.h", "COUNT_HZ"),
    (ABI, r"wraps every ([\d.]+) s", "arch/mips/arch.h", "round(2**32 / COUNT_HZ, 1)"),
    (ABI, r"slices of (\d+) ms", "kernel/sched/tick.h", "TICK_MS"),
    (ABI, r"bytes taken, at most (\d+)", "drivers/dev.h", "VCONS_WRITE"),
    (ABI, r"physical 0 \.\. (\d+) MB, without TLB entries", "kernel/abi/disco.h", "DISCO_CSSEG_WINDOW >> 20"),
    (ABI, r"csseg, (0x\w+)|`(0x\w+) \.\. 0x\w+` \(csseg\)", "kernel/abi/disco.h", "DISCO_CSSEG_BASE"),
    (ABI, r"virtual CP0 registers at `(0x\w+)`", "kernel/abi/disco.h", "DISCO_SPECIAL_PAGE"),
    (ABI, r"`\+(0x\w+)`, 32 bits, pending", "kernel/abi/disco.h", "DISCO_SP_PENDING"),
    (ABI, r"`\+(0x\w+)`, 64 bits, steal", "kernel/abi/disco.h", "DISCO_SP_STEAL"),
    (ABI, r"DISCO_ALL_ASIDS \((0x\w+)\)", "kernel/abi/disco.h", "DISCO_ALL_ASIDS"),
    (ABI, r"EINVAL: ASID above (0x\w+)", "arch/mips/asid.h", "ASID_COUNT - 1"),
    (ABI, r"HYPCALL \(`(0x\w+)`\)", "kernel/abi/disco.h", "DISCO_HYPCALL_INSN"),
    (ABI, r"0 VERSION \| \| (\d+) \|", "kernel/abi/disco.h", "DISCO_ABI_VERSION"),
    (ABI, r"timer-interrupt = <(\d+)>", "kernel/abi/disco.h", "DISCO_IRQ_TIMER"),
    (ABI, r"console-interrupt = <(\d+)>", "kernel/abi/disco.h", "DISCO_IRQ_CONSOLE"),
    (ABI, r"The last (\d+) KB are kept", "drivers/dev.h", "VCONS_REPLAY >> 10"),
    (ABI, r"Longer lines than (\d+) bytes are cut", "drivers/dev.h", "VCONS_LINE"),
    (ABI, r"may show (\d+) KB a second", "drivers/dev.h", "VCONS_BYTES_PER_SECOND >> 10"),
    (ABI, r"and (\d+) KB at once", "drivers/dev.h", "VCONS_BURST >> 10"),
    (ABI, r"if that is more than (\d+) bytes", "drivers/dev.h", "VCONS_IN_ORDER"),
    (ABI, r"Input\*\* waits in (\d+) KB", "drivers/dev.h", "VCONS_INPUT >> 10"),
    (ABI, r"taken nothing for (\d+) ms", "drivers/vcons.c", "HOLD_MS"),
    (ABI, r"at most (\d+) bytes in 10 ms", "drivers/vcons.c", "READ_PER_TICK"),
    (ABI, r"queues have up to (\d+) descriptors", "drivers/virtio/queue.h", "VQUEUE_SIZE_MAX"),
    (ABI, r"a buffer gets up to (\d+) random bytes", "drivers/virtio/rng.c", "CHAIN_BYTES"),
    (ABI, r"SEG_MAX of (\d+),", "drivers/virtio/blk.c", "SEGMENTS"),
    (ABI, r"one segment of up to ([\d,]+) sectors", "drivers/virtio/blk.c", "ZEROES_LIMIT"),
    (ABI, r"(\d+) requests are under way at a time", "drivers/virtio/blk.c", "REQUESTS"),
    (ABI, r"with MRG_RXBUF at most (\d+), else one", "drivers/virtio/net.h", "NET_BUFFERS_MAX"),
    (ABI, r"buffers of one frame: at most (\d+)\.", "drivers/virtio/net.h", "NET_PIECES_MAX"),
    (ABI, r"as it is for the next (\d+) of its places", "kernel/reloc/patch.h", "PATCH_ASKED"),
    (ABI, r"may fail ([\d,]+) times in a row", "kernel/reloc/patch.h", "PATCH_ALONE"),
    (ABI, r"at most (\d+) instructions behind an access", "kernel/reloc/jump.h", "JUMP_NEAR"),
    (ABI, r"no LL in the (\d+) words before it", "kernel/reloc/pair.h", "PAIR_NEAR"),
    (ABI, r"an SC within (\d+) KB", "kernel/reloc/pair.c", "REGION * 4 >> 10"),
    ("docs/thin.md", r"(\d+) files and sockets together", "guests/thin/files.h", "FILES_MAX"),
    ("docs/thin.md", r"Below a stack are (\d+) KB", "guests/thin/thin.h", "GUARD_BYTES >> 10"),
    ("docs/thin.md", r"waits up to (\d+) s for what was sent", "guests/thin/sockets.c", "END_MS // 1000"),
    ("docs/thin.md", r"take turns of (\d+) ms", "guests/thin/sched.c", "SLICE_NS // 1000000"),
    (CONFIGS, r"`/vms`\. At most (\d+)", VMDESC, "VMDESC_MAX_VMS"),
    (CONFIGS, r"\| nodes \| (\d+)\.\.", VMDESC, "VMDESC_NODES_MIN"),
    (CONFIGS, r"\| nodes \| \d+\.\.(\d+)", VMDESC, "VMDESC_NODES_MAX"),
    (CONFIGS, r"\| memory-mb \| (\d+)\.\.\d+ \| memory of the whole", VMDESC, "VMDESC_MACHINE_MB_MIN"),
    (CONFIGS, r"\| memory-mb \| \d+\.\.(\d+) \| memory of the whole", VMDESC, "VMDESC_MACHINE_MB_MAX"),
    (CONFIGS, r"\| memory-mb \| (\d+)\.\.\d+ \| its memory", VMDESC, "VMDESC_VM_MB_MIN"),
    (CONFIGS, r"\| memory-mb \| \d+\.\.(\d+) \| its memory", VMDESC, "VMDESC_VM_MB_MAX"),
    (CONFIGS, r"bootargs \| at most (\d+) characters", VMDESC, "VMDESC_BOOTARGS_MAX"),
    (CONFIGS, r"\| vcpus \| 1\.\.(\d+)", VMDESC, "VMDESC_VCPUS_MAX"),
    (CONFIGS, r"begins with `disk`\. At most (\d+)", VMDESC, "VMDESC_DISKS_MAX"),
    (CONFIGS, r"begins with `net`\. At most (\d+)", VMDESC, "VMDESC_NETS_MAX"),
    (CONFIGS, r"\| mtu \| (\d+)\.\.", VMDESC, "VMDESC_MTU_MIN"),
    (CONFIGS, r"\| mtu \| \d+\.\.(\d+)", VMDESC, "VMDESC_MTU_MAX"),
    (CONFIGS, r"\| mtu \| \d+\.\.\d+, default (\d+)", VMDESC, "VMDESC_MTU_DEFAULT"),
    (CONFIGS, r"\| image \| 1\.\.(\d+) characters", VMDESC, "VMDESC_IMAGE_MAX"),
    (CONFIGS, r"\| serial \| 1\.\.(\d+) of", VMDESC, "VMDESC_SERIAL_MAX"),
    (CONFIGS, r"\| limit-mb \| 0\.\.(\d+)", VMDESC, "VMDESC_DISK_LIMIT_MAX"),
    (CONFIGS, r"\| seek-us \| 0\.\.(\d+)", VMDESC, "VMDESC_SEEK_US_MAX"),
    (CONFIGS, r"\| kb-per-second \| 0\.\.(\d+)", VMDESC, "VMDESC_KB_SECOND_MAX"),
    (CONFIGS, r"numbers (\d+)\.\.\d+; default", VMDESC, "VMDESC_LATENCY_NS_MIN"),
    (CONFIGS, r"numbers \d+\.\.(\d+); default", VMDESC, "VMDESC_LATENCY_NS_MAX"),
    ("README.md", r"a machine of (\d+) to \d+ nodes", VMDESC, "VMDESC_NODES_MIN"),
    ("README.md", r"a machine of \d+ to (\d+) nodes", VMDESC, "VMDESC_NODES_MAX"),
    ("qemu/README.md", r"`-smp` (\d+)\.\.\d+", VMDESC, "VMDESC_NODES_MIN"),
    ("qemu/README.md", r"`-smp` \d+\.\.(\d+)", VMDESC, "VMDESC_NODES_MAX"),
    ("qemu/README.md", r"`-m` (\d+)\.\.\d+", VMDESC, "VMDESC_MACHINE_MB_MIN"),
    ("qemu/README.md", r"`-m` \d+\.\.(\d+)", VMDESC, "VMDESC_MACHINE_MB_MAX"),
    (TOUR, r"hit in the L2TLB \| (\d+) \|", "arch/mips/vectors.S", r"~Budget: (\d+) instructions from a hit"),
    (TOUR, r"large page, xsseg; csseg \| (\d+);", "arch/mips/vectors.S", r"~ASID 0. Budget: (\d+) instructions"),
    (TOUR, r"ERETNC to user mode \| (\d+) \|", "arch/mips/fast.S", r"~ERETNC to user mode\? Budget: (\d+) instructions"),
    (TOUR, r"SYSCALL delivered \| (\d+) \|", "arch/mips/fast.S", r"~in guest user mode\. Budget: (\d+) instructions"),
    (ABI, r"from user mode is delivered in (\d+)", "arch/mips/fast.S", r"~in guest user mode\. Budget: (\d+) instructions"),
    (TOUR, r"that was here before \| (\d+) \|", "arch/mips/fast.S", r"~view shows\. Budget: (\d+) instructions"),
    (ABI, r"to user mode by ERETNC is (\d+) instructions", "arch/mips/fast.S", r"~ERETNC to user mode\? Budget: (\d+) instructions"),
    (TOUR, r"walk that fills two pages \| (\d+) \|", "arch/mips/walk_fast.S", r"~(\d+) instructions for a fill"),
    (TOUR, r"page fault delivered \(not present\) \| (\d+) \|", "arch/mips/walk_fast.S", r"~(\d+) for a delivery"),
    ("docs/machine.md", r"\| GCR \| (0x\w+)", "arch/mips/cps.c", "GCR"),
    ("docs/machine.md", r"\| CPC \| (0x\w+)", "arch/mips/cps.c", "CPC"),
    ("docs/machine.md", r"\| GIC \| (0x\w+)", "arch/mips/cps.c", "GIC"),
    (TOUR, r"takes longer than (\d+) s .`disklate", "drivers/host/disk.h", "HOST_LATE_MS // 1000"),
    ("docs/machine.md", r"- (\d+) dual entries, ten bits of ASID", "arch/mips/dump.c", "MACHINE_TLB_ENTRIES"),
    ("docs/machine.md", r"up to (\d+) bytes of words", "qemu/run.sh", r"~WORDS_MAX=(\d+)"),
    ("docs/machine.md", r"words at physical (0x\w+)", "qemu/run.sh", r"~WORDS_ADDRESS=(0x\w+)"),
    ("qemu/README.md", r"limited to (\d+) MB and", "qemu/cap_log.py", r"~LIMIT = (\d+) << 20"),
    (TOUR, r"the VCPU's L2TLB \((\d+) pairs, direct-mapped\)", "kernel/mem/l2tlb.h", "L2TLB_ENTRIES"),
    (TOUR, r"tick`[^,]*, every (\d+) ms", "kernel/sched/tick.h", "TICK_MS"),
    (TOUR, r"the rest goes to rings of (\d+) KB", "kernel/console/line.h", "LOGRING_BYTES >> 10"),
    (TOUR, r"TLBINV when address spaces are switched and (\d+) ms", "arch/mips/mmu.c", "RENEW_MS"),
]

DEFINE = re.compile(r"^#define[ \t]+(\w+)[ \t]+((?:[^\n\\/]|/(?!\*))+)", re.M)
CODE = ("kernel/", "arch/", "numa/", "drivers/", "boot/", "qemu/")


def defines(name):
    return {m.group(1): m.group(2).strip() for m in DEFINE.finditer(tree.text(name))}


@functools.cache
def everywhere():
    """The constants whose name only one file defines."""
    found = {}
    for name in tree.with_suffix(".c", ".h"):
        if name.startswith(CODE):
            for constant, text in defines(name).items():
                found.setdefault(constant, []).append(text)
    return {constant: texts[0] for constant, texts in found.items() if len(texts) == 1}


def value(expression, constants, depth=0):
    """A C or Python expression of integers and constants as a number."""
    assert depth < 20, f"{expression} goes round in circles"
    text = re.sub(r"\b(0x[0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", expression)
    names = {word: value(constants[word], constants, depth + 1)
             for word in re.findall(r"\b[A-Z_][A-Z0-9_]*\b", text) if word in constants}
    return eval(text.replace("/", "//") if depth else text, {"round": round}, names)  # the tree's own text


def stated(document, pattern):
    body = tree.text(document)
    found = re.findall(pattern.replace(" ", r"\s+"), body)
    assert found, f"{document}: nothing there matches {pattern!r}: reworded? The row wants to follow"
    texts = ["".join(match) if isinstance(match, tuple) else match for match in found]
    return [float(t) if "." in t else int(t.replace(",", ""), 0) for t in texts]


@pytest.mark.parametrize("document, pattern, source, expression", NUMBERS, ids=[f"{row[0]}-{row[3]}" for row in NUMBERS])
def test_documents_state_what_the_code_does(document, pattern, source, expression):
    if expression.startswith("~"):
        wanted = stated(source, expression[1:])[0]
    else:
        wanted = value(expression, {**everywhere(), **defines(source)})
    for number in stated(document, pattern):
        assert number == wanted, f"{document} says {number} where {source} has {expression} = {wanted} ({pattern!r})"


def test_the_errors_of_the_guest_abi():
    sentence = re.search(r"EAGAIN is [^.]*\.", tree.text(ABI)).group(0)
    said = {name: int(number) for name, number in re.findall(r"(E[A-Z]+) (?:is )?(\d+)", sentence)}
    code = defines("kernel/abi/disco.h")
    assert said and all(int(code[f"DISCO_{name}"]) == number for name, number in said.items()), said


def test_the_defaults_of_the_timing_model():
    """Every option of the plugin stands in its README's table with its default, and no other does."""
    presets = dict(re.findall(r"\{ AT\((\w+)\), (\w+),", tree.text("qemu/flash/options.c")))
    presets |= {"topology": "crossbar", "magic": "by memory", "tlb": "qemu", "unit": "none"}  # names for 0 and 2
    said = {}
    table = re.search(r"^\| option \|.*?\n\n", tree.text("qemu/flash/README.md"), re.M | re.S).group(0)
    for names, default in re.findall(r"^\| (\w+=[\w=, ]*) \| ([^|]+) \|", table, re.M):
        options = re.findall(r"(\w+)=", names)
        said |= dict(zip(options, default.split(", ") if len(options) > 1 else [default]))
    assert (said.pop("out"), said.pop("preset")) == ("none", "plain")
    assert said == presets


def test_the_table_of_machines():
    """configs/README.md names each description's nodes and memory as they are."""
    for name, nodes, memory, unit in re.findall(r"^\| (\w+\.dts) \| (\d+) \| (\d+) (MB|GB) \|", tree.text(CONFIGS), re.M):
        text = tree.text(f"configs/{name}")
        for included in re.findall(r'^/include/ "(.*)"', text, re.M):
            text += tree.text(f"configs/{included}")
        megabytes = int(memory) * (1024 if unit == "GB" else 1)
        assert f"nodes = <{nodes}>" in text, name
        assert re.search(r"memory-mb = <(\d+)>", text).group(1) == str(megabytes), name


def test_the_checker_itself():
    assert value("A * 2", {"A": "(1u << B)", "B": "3"}) == 16
    assert value("HZ / 1000", {"HZ": "166666667ul"}) == 166666.667
    assert value("MS", {"HZ": "166666667ul", "MS": "(HZ / 1000)"}) == 166666
