# SPDX-License-Identifier: MIT
"""The counting plugin counts what a program executes that was counted by hand."""
import json
import subprocess

from machine import PATIENCE, TOP

CROSS = "mipsisa64r6el-linux-gnuabi64-"
# Unit 7: two li; 100 turns of three with a delay slot, 50 of two with a compact branch (its forbidden slot is executed
# once, behind the loop), five privileged, the end marker itself. Unit 8 is only its end marker. Then power off.
PROGRAM = """
	.set	noreorder
	.globl	__start
__start:
	li	$8, 100
	sltiu	$0, $0, 0x5107
	li	$9, 0
	li	$10, 50
1:	addiu	$8, $8, -1
	bnez	$8, 1b
	addiu	$9, $9, 1
2:	addiu	$10, $10, -1
	bnezc	$10, 2b
	nop
	mfc0	$2, $12
	di
	ei
	dmfc0	$2, $15
	mtc0	$0, $11
	sltiu	$0, $0, 0x5207
	sltiu	$0, $0, 0x5108
	sltiu	$0, $0, 0x5208
	lui	$8, 0xbf00
	li	$9, 0x42
	sw	$9, 0x500($8)
3:	b	3b
	nop
"""


def test_counts_are_exact(tmp_path):
    source, program, out = tmp_path / "p.S", tmp_path / "p.elf", tmp_path / "out.json"
    source.write_text(PROGRAM)
    subprocess.run([CROSS + "gcc", "-march=mips64r6", "-mabi=64", "-EL", "-mno-abicalls", "-fno-pic", "-nostdlib", "-static",
                    "-Wl,-Ttext=0xffffffff80100000,--build-id=none", "-o", program, source], check=True)
    subprocess.run(["qemu/run.sh", "-q", "-k", program, "-n", "2", "-m", "128", "-p", f"build/count.so,out={out}"], cwd=TOP,
                   stdin=subprocess.DEVNULL, timeout=60 * PATIENCE, check=True)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["unit"] for row in rows] == [7, 8]
    assert rows[0]["insns"] == {"kernel": 2 + 100 * 3 + 50 * 2 + 1 + 5 + 1, "supervisor": 0, "user": 0}
    assert rows[0]["kernel_privileged"] == {"mfc0": 1, "dmfc0": 1, "mtc0": 1, "di": 1, "ei": 1}
    assert rows[1]["insns"]["kernel"] == 1


def test_wrong_options_are_named(tmp_path):
    result = subprocess.run(["qemu/run.sh", "-q", "-k", "build/linux/vmlinux", "-n", "2", "-m", "128", "-p", "build/count.so,colour=red"],
                            cwd=TOP, stdin=subprocess.DEVNULL, timeout=60 * PATIENCE, check=False, capture_output=True, text=True)
    assert result.returncode != 0
    assert "found option 'colour=red', expected" in result.stderr
