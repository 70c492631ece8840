# SPDX-License-Identifier: MIT
"""Small bare programs under the timing model, counted by hand.

A program is assembly for each processor. Processor 0 comes from the boot ROM, starts the others and puts the marks of the region
of interest; what is to happen in an order on several processors is done in slots of time, as each waits in a loop of registers,
so that nothing but the code under test touches data.
"""
import json
import subprocess

from machine import PATIENCE, TOP

CROSS = "mipsisa64r6el-linux-gnuabi64-"
MEMORY = 256 # MB; no more, so that MAGIC keeps no counters and nodes are equal parts of it
SLOT = 10000 # turns of three instructions
LINE, LINE2 = 64, 128
LOCAL, REMOTE, L2HIT = 120, 360, 10 # cycles
BEGIN, END = "\taddiu $0, $0, 0x5101\n", "\taddiu $0, $0, 0x5102\n"
OFF = "\tlui $2, 0xbf00\n\tli $3, 0x42\n\tsw $3, 0x500($2)\n9:\tb 9b\n\tnop\n"
STOP = "9:\twait\n\tb 9b\n\tnop\n"

HEAD = """
	.set	noreorder
	.set	noat
	.text
	.globl __start
	.balign 4096
__start:
	lui	$2, 0x0040		/* BEV while EBase is written */
	ori	$2, $2, 0xe0
	mtc0	$2, $12
	ehb
	dla	$3, vectors
	mtc0	$3, $15, 1
	ehb
	li	$2, 0xe0		/* kernel mode, 64-bit addresses */
	mtc0	$2, $12
	mtc0	$0, $13
	ehb
	mfc0	$4, $15, 1
	andi	$4, $4, 0x3ff
	dla	$5, table
	dsll	$6, $4, 3
	daddu	$5, $5, $6
	ld	$5, 0($5)
	jr	$5
	nop
	.balign 4096
vectors:
"""


def address(node, nodes, offset=0):
    """Of memory of a node, 16 MB from its start: cached, without translation."""
    return 0x9800000080000000 + MEMORY * (1 << 20) // nodes * node + (16 << 20) + offset


def delay(slots):
    return f"\tli $2, {slots * SLOT}\n1:\taddiu $2, $2, -1\n\tbnez $2, 1b\n\tnop\n" if slots else ""


def start_others(nodes):
    text = "\tdli $8, 0xffffffffbfbf8000\n\tdli $9, 0x1bde0001\n\tsd $9, 0x88($8)\n\tdli $9, 0xffffffffbbde0000\n"
    for cpu in range(1, nodes):
        text += f"\tli $10, {cpu}\n\tsd $10, 0x2018($8)\n\tdla $11, __start\n\tlui $12, 0x2000\n\tor $11, $11, $12\n\tsll $11, $11, 0\n"
        text += f"\tsd $11, 0x4020($8)\n\tsd $0, 0x2018($8)\n\tli $10, {1 << cpu}\n\tsd $10, 0x2028($9)\n"
    return text


def one(setup, body, vectors=""):
    """The source of a program of one processor: body is the region of interest, in lines of its own, with three instructions more."""
    return HEAD + vectors + f"\t.balign 4096\ncpu0:\n{setup}{BEGIN}\tb body\n\tnop\n\t.balign 128\nbody:\n{body}{END}{OFF}" \
        "\t.data\n\t.balign 8\ntable:\t.dword cpu0, 0\n"


def slots(actions, nodes):
    """The source of a program of several: actions are (processor, assembly), one a slot."""
    text = HEAD
    for cpu in range(nodes):
        text += f"\t.balign 4096\ncpu{cpu}:\n"
        if cpu == 0:
            text += start_others(nodes) + delay(1) + BEGIN
        since = 1 if cpu == 0 else 0
        for slot, (who, body) in enumerate(actions, 2):
            if who == cpu:
                text += delay(slot - since) + body
                since = slot
        text += delay(len(actions) + 2 - since) + END + OFF if cpu == 0 else STOP
    return text + "\t.data\n\t.balign 8\ntable:\t.dword " + ", ".join(f"cpu{i}" for i in range(nodes)) + "\n"


def build(folder, source, name="p"):
    path, program = folder / f"{name}.S", folder / f"{name}.elf"
    path.write_text(source)
    subprocess.run([CROSS + "gcc", "-march=mips64r6", "-mabi=64", "-EL", "-mno-abicalls", "-fno-pic", "-msym32", "-nostdlib", "-static",
                    "-Wl,-Ttext=0xffffffff80100000,-Tdata=0xffffffff80180000,--build-id=none,-e,__start", "-o", program, path], check=True)
    return program


def run(folder, program, options="", nodes=2, memory=MEMORY, out="out.json"):
    """(results, what the program wrote)."""
    result = folder / out
    done = subprocess.run(["timeout", "-k", "5", str(30 * PATIENCE), "qemu/run.sh", "-q", "-k", program, "-n", str(nodes), "-m", str(memory), "-f",
                           f"out={result}" + ("," + options if options else "")], cwd=TOP, stdin=subprocess.DEVNULL, check=False,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(result.read_text()), done.stdout


def region(folder, source, options="", nodes=2):
    """Results of processor 0, or of all, in the region of interest."""
    result, _ = run(folder, build(folder, source), options, nodes)
    assert result["region"]
    return result["processors"]
