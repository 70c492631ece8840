# SPDX-License-Identifier: MIT
"""TLBs of a given size: hits and misses of small programs, against the same counted here, entry by entry."""
import re

import pytest

import counted

# Pages from address 0 on, all of them of one page of memory: pair i is 8 KB at i * 8 KB. $27 counts refills.
VECTORS = """
	.org	vectors + 0x80
	daddiu	$27, $27, 1
	dmtc0	$24, $2
	dmtc0	$25, $3
	mtc0	$0, $5
	ehb
	tlbwr
	eret
"""
START = """
	.word	0x42000004		/* tlbinvf */
	ehb
	li	$24, (1 << 6 << 12 | 0x1f)
	move	$25, $24
	move	$27, $0
	mtc0	$0, $6			/* Wired */
	mfc0	$16, $16, 1
	ext	$16, $16, 25, 6
	mfc0	$3, $16, 4
	ext	$3, $3, 24, 4
	sll	$3, $3, 6
	addu	$16, $16, $3
	addiu	$16, $16, 1		/* $16: entries, as Config1 and Config4 say */
	dla	$17, results
	sd	$16, 0($17)
	daddiu	$17, $17, 8
"""
# One pair in each entry, by index.
FILL = """
	move	$4, $0
	move	$5, $0
1:	mtc0	$4, $0
	dmtc0	$5, $10
	dmtc0	$24, $2
	dmtc0	$25, $3
	mtc0	$0, $5
	ehb
	tlbwi
	daddiu	$5, $5, 0x2000
	addiu	$4, $4, 1
	bne	$4, $16, 1b
	nop
	mtc0	$0, $10
	ehb
"""
# What is in $27 is a result.
NOTE = "\tsd $27, 0($17)\n\tdaddiu $17, $17, 8\n\tmove $27, $0\n"
# Results as hexadecimal numbers on the serial line.
PRINT = """
	dla	$18, results
	dli	$8, 0xffffffffb80003f8
1:	ld	$19, 0($18)
	li	$20, 28
2:	lbu	$9, 5($8)
	andi	$9, $9, 0x20
	beqz	$9, 2b
	nop
	dsrlv	$10, $19, $20
	andi	$10, $10, 15
	sltiu	$11, $10, 10
	bnez	$11, 3f
	addiu	$10, $10, 0x30
	addiu	$10, $10, 0x27
3:	sb	$10, 0($8)
	addiu	$20, $20, -4
	bgez	$20, 2b
	nop
4:	lbu	$9, 5($8)
	andi	$9, $9, 0x20
	beqz	$9, 4b
	li	$10, 0x20
	sb	$10, 0($8)
	daddiu	$18, $18, 8
	bne	$18, $17, 1b
	nop
"""
RESULTS = "\t.data\n\t.balign 8\nresults:\t.space 256\n"


def touch(first, pairs, rounds=1):
    return f"""
	li	$6, {rounds}
1:	li	$4, {pairs}
	dli	$5, {first << 13}
2:	lb	$7, 0($5)
	addiu	$4, $4, -1
	bnez	$4, 2b
	daddiu	$5, $5, 0x2000
	addiu	$6, $6, -1
	bnez	$6, 1b
	nop
""" + NOTE


class Tlb:
    """The same, here. Which entry TLBWR replaces is QEMU's row of random numbers, never the last one again."""

    def __init__(self, entries):
        self.pairs = list(range(entries))
        self.seed, self.last = 1, 0

    def random(self):
        while True:
            self.seed = (1103515245 * self.seed + 12345) % 2**32
            index = (self.seed >> 16) % len(self.pairs)
            if index != self.last:
                self.last = index
                return index

    def touch(self, first, pairs, rounds=1):
        misses = 0
        for pair in rounds * list(range(first, first + pairs)):
            if pair not in self.pairs:
                misses += 1
                self.pairs[self.random()] = pair
        return misses


def run(folder, entries, options, touches):
    source = counted.one(START + FILL + "".join(touch(*one) for one in touches), PRINT, VECTORS) + RESULTS
    result, out = counted.run(folder, counted.build(folder, source), options, 2)
    numbers = [int(number, 16) for number in re.findall(r"[0-9a-f]{8} ", out)]
    assert numbers[0] == entries
    return result, numbers[1:]


def touches_of(entries):
    """All are there; one more, and all again, of which at least one misses; one and a half times as many, and a few many times."""
    return (0, entries, 3), (entries, 1), (0, entries), (0, entries * 3 // 2, 4), (entries * 5, entries // 2, 9)


@pytest.mark.parametrize("entries", [16, 32, 64, 128])
def test_misses_are_those_of_so_many_entries(tmp_path, entries):
    touches = touches_of(entries)
    _, found = run(tmp_path, entries, f"tlb={entries}", touches)
    tlb = Tlb(entries)
    expected = [tlb.touch(*one) for one in touches]
    assert found == expected
    assert expected[:2] == [0, 1] and expected[2] >= 1


def test_the_papers_machine_has_64(tmp_path):
    """Config1 says so, and the misses are those of so many."""
    _, found = run(tmp_path, 64, "preset=paper", touches_of(64))
    tlb = Tlb(64)
    assert found == [tlb.touch(*one) for one in touches_of(64)]


def test_qemu_keeps_what_is_replaced(tmp_path):
    """Why the option exists: 16 entries are seen, and 24 pairs do not miss a second time."""
    _, found = run(tmp_path, 16, "tlb=qemu", ((0, 16), (100, 24, 5)))
    assert found == [0, 24]


def entry0(lo1):
    """Writes the pair of entry 0 anew, with lo1 for its odd page; wired, and XI and RI are there."""
    return f"""
	li	$8, 1
	mtc0	$8, $6			/* Wired */
	dli	$8, 0xe0000000
	mtc0	$8, $5, 1		/* PageGrain: RIE, XIE, ELPA */
	dli	$9, {lo1}
	ehb
	mtc0	$0, $0
	dmtc0	$0, $10
	dmtc0	$24, $2
	dmtc0	$9, $3
	mtc0	$0, $5
	ehb
	tlbwi
"""


@pytest.mark.parametrize("absent, fewest", [("3 << 62", 0), ("0", 24 - 15)])
def test_what_an_entry_gains_costs_others_nothing(tmp_path, absent, fewest):
    """24 pairs of which QEMU keeps 9 behind the TLB. Then entry 0 gets its odd page, which nobody may execute: so the entry loses a
    right that it had, if absent is 0, and TLBWI drops what is kept: arch/mips/regs.h, ENTRYLO_NONE."""
    page = f"(1 << 62) | {1 << 6 << 12 | 0x1e}"
    source = counted.one(START + FILL + entry0(absent) + touch(100, 24) + entry0(page) + touch(100, 24), PRINT, VECTORS) + RESULTS
    _, out = counted.run(tmp_path, counted.build(tmp_path, source), "tlb=qemu", 2)
    _, first, again = (int(number, 16) for number in re.findall(r"[0-9a-f]{8} ", out))
    assert first == 24
    assert again >= fewest if fewest else again == 0


def test_equal_runs_are_equal(tmp_path):
    results = [run(tmp_path, 64, "tlb=64,eret=20", touches_of(64))[0]["processors"] for _ in range(2)]
    assert results[0] == results[1]


def test_an_exception_costs_what_eret_says(tmp_path):
    """Each of the misses ends in one ERET."""
    body = touch(50, 40, 3)
    cheap, dear = (counted.region(tmp_path, counted.one(START + FILL, body, VECTORS) + RESULTS, f"tlb=16,eret={cost}")[0] for cost in (0, 25))
    misses = Tlb(16).touch(50, 40, 3)
    assert cheap["exceptions"] == dear["exceptions"] == misses
    assert dear["cycles"] - cheap["cycles"] == 25 * misses
