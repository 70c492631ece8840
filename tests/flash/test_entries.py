# SPDX-License-Identifier: MIT
"""Units, and why the vectors were entered: a program at a user's or a supervisor's address, every entry counted by hand."""
import pytest

import counted
from counted import LOCAL, REMOTE

MISS, GENERAL = 6, 5 # instructions of the handlers
# All of the program's pages are one page of memory, which has its code. $26: how much further a system call returns.
VECTORS = """
	.org	vectors + 0x80
	dmtc0	$24, $2
	dmtc0	$24, $3
	mtc0	$0, $5
	ehb
	tlbwr
	eret
	.org	vectors + 0x180
	dmfc0	$27, $14
	daddu	$27, $27, $26
	dmtc0	$27, $14
	ehb
	eret
	.org	vectors + 0x1000
below:
	sltiu	$0, $0, 0x5107		/* unit 7 */
	syscall
	syscall
	lb	$2, 0x4000($25)
	lb	$2, 0x6000($25)
	ori	$26, $0, 0x8004
	syscall				/* returns to another page */
	li	$26, 4
	sltiu	$0, $0, 0x5207
	dla	$2, back
	jr	$2
	nop
"""
SETUP = """
	.word	0x42000004		/* tlbinvf */
	ehb
	dla	$24, below
	dext	$24, $24, 0, 29
	dsrl	$24, $24, 12
	dsll	$24, $24, 6
	ori	$24, $24, 0x1f
	li	$26, 4
	dli	$25, {base:#x}
"""
BODY = "\tjr\t$25\n\tnop\n\t.balign 64\nback:\n"


def run(folder, base, options, setup="", vectors=VECTORS):
    source = counted.one(setup + SETUP.format(base=base), BODY, vectors)
    result, _ = counted.run(folder, counted.build(folder, source), options, 2)
    return result


@pytest.mark.parametrize("base, who, miss", [(0x10000, "user", "user_miss"), (0x4000000000010000, "kernel", "kernel_miss")])
def test_each_entry_has_its_cause(tmp_path, base, who, miss):
    (unit,) = run(tmp_path, base, "stalls=0")["units"]
    assert (unit["unit"], unit["runs"]) == (7, 1)
    assert unit["entries"] == {"syscall": [3, 3 * GENERAL], miss: [2, 2 * MISS], "fetch_miss": [1, MISS]}
    assert unit["insns"][who] == 8
    assert unit["insns"]["monitor"] == 3 * GENERAL + 3 * MISS
    assert unit["cycles"] == 8 + 3 * GENERAL + 3 * MISS


def test_exceptions_are_part_of_their_entries(tmp_path):
    (unit,) = run(tmp_path, 0x10000, "stalls=0,eret=20")["units"]
    assert unit["entries"] == {"syscall": [3, 3 * (GENERAL + 20)], "user_miss": [2, 2 * (MISS + 20)], "fetch_miss": [1, MISS + 20]}


def test_a_unit_can_be_the_region_of_interest(tmp_path):
    result = run(tmp_path, 0x10000, "stalls=0,unit=7")
    (unit,) = result["units"]
    assert result["region"] and result["T"] == unit["cycles"]
    other = run(tmp_path, 0x10000, "stalls=0,unit=8")
    assert not other["region"] and other["T"] > result["T"]


def test_what_an_entry_touches(tmp_path):
    """Each refill reads a line of node 1's that is in no cache, and writes it; and one of node 0's. Their text is what else they miss on."""
    touch = "\tld\t$23, 0($22)\n\tsd\t$0, 0($22)\n\tsd\t$0, 0($21)\n\tdaddiu\t$22, $22, 128\n\tdaddiu\t$21, $21, 128\n"
    vectors = VECTORS.replace("+ 0x80\n", "+ 0x80\n" + touch)
    (unit,) = run(tmp_path, 0x10000, "", f"\tdli\t$22, {counted.address(1, 2):#x}\n\tdli\t$21, {counted.address(0, 2):#x}\n", vectors)["units"]
    for cause, number in (("user_miss", 2), ("fetch_miss", 1)):
        touched = unit["touched"][cause]
        assert touched["guest"] == [0, number, number, 0, number, number * (LOCAL + 2 * REMOTE)]
        assert not any(touched["l2tlb"] + touched["pmap"] + touched["monitor"])
        entries, cycles = unit["entries"][cause]
        assert entries == number and cycles == number * (MISS + 5) + sum(row[-1] for row in touched.values())
