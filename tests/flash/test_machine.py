# SPDX-License-Identifier: MIT
"""The machine under the model: its timers follow the model's clock, MAGIC counts in its memory, wrong starts are refused."""
import json
import re
import subprocess
import time

import pytest

import counted
from machine import PATIENCE, TOP
from counted import address

CLOCK_NS = 2.5 # a cycle
COUNT_NS = 6   # of CP0 Count
GIC_NS = 10
HOST_TESTS = sorted(path.stem for path in (TOP / "tests/flash").glob("test_*.c"))

# Writes $4 in hexadecimal, and a newline.
PRINT = """	.text
	.balign 4096
print:
	dli $2, 0xffffffffb80003f8
	li $3, 60
1:	dsrlv $5, $4, $3
	andi $5, $5, 15
	sltiu $6, $5, 10
	bnez $6, 2f
	addiu $5, $5, 48
	addiu $5, $5, 39
2:	sb $5, 0($2)
	bnez $3, 1b
	addiu $3, $3, -4
	li $5, 10
	sb $5, 0($2)
	jr $31
	nop
"""


def numbers(text):
    return [int(line, 16) for line in re.findall(r"^[0-9a-f]{16}$", text.replace("\r", ""), re.M)]


def show(register):
    return f"\tjal print\n\tmove $4, ${register}\n"


@pytest.mark.parametrize("name", HOST_TESTS)
def test_host(name):
    done = subprocess.run([TOP / "build/host/flash" / name], capture_output=True, text=True, timeout=60 * PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_counters_follow_the_clock(tmp_path):
    """Count and the GIC's counter before and after 300,000 instructions, some misses among them."""
    setup = "\tdli $20, 0xffffffffbfbf8000\n\tdli $21, 0x1bdc0001\n\tsd $21, 0x80($20)\n\tdli $20, 0xffffffffbbdc0000\n"
    body = f"""	mfc0 $16, $9
	lw $18, 0x10($20)
	dli $8, {address(1, 2):#x}
	li $9, 100000
1:	addiu $9, $9, -1
	bnez $9, 1b
	lb $10, 0($8)
	mfc0 $17, $9
	lw $19, 0x10($20)
	b 2f
	nop
2:
"""
    source = counted.one(setup, body).replace(counted.END, counted.END + show(16) + show(17) + show(18) + show(19)) + PRINT
    result, output = counted.run(tmp_path, counted.build(tmp_path, source))
    count, count_after, gic, gic_after = numbers(output)
    cycles = result["processors"][0]["cycles"]
    assert cycles > 300000
    # what lies between the marks and the readings: some blocks, a few misses
    assert (count_after - count) * COUNT_NS == pytest.approx(cycles * CLOCK_NS, abs=600 * CLOCK_NS)
    assert (gic_after - gic) * GIC_NS == pytest.approx((count_after - count) * COUNT_NS, abs=40)


def test_an_idle_processor_wakes_on_time(tmp_path):
    """WAIT for Compare, a millisecond ahead, then the whole of a second: nobody runs meanwhile."""
    ticks = [10**6 // COUNT_NS, 10**9 // COUNT_NS]
    body = "".join(f"""	mfc0 $16, $9
	li $17, {t}
	addu $16, $16, $17
	mtc0 $16, $11
	ehb
	wait
	mfc0 $17, $9
	subu ${18 + i}, $17, $16
""" for i, t in enumerate(ticks))
    setup = "\tli $2, 0x80e0\n\tmtc0 $2, $12\n\tehb\n"
    source = counted.one(setup, body).replace(counted.END, counted.END + show(18) + show(19)) + PRINT
    result, output = counted.run(tmp_path, counted.build(tmp_path, source))
    cpu = result["processors"][0]
    assert cpu["idle"] * CLOCK_NS == pytest.approx(sum(ticks) * COUNT_NS, rel=0.001, abs=3000)
    assert all(0 <= late * COUNT_NS <= 1500 * CLOCK_NS for late in numbers(output)), output
    assert cpu["cycles"] == cpu["idle"] + cpu["insns"]["monitor"] + sum(cpu["stall"].values())


# ---- MAGIC ----

OFFSETS = """
#include <stdio.h>
#include "numa/magic.h"
#define O(type, field) printf("\\"" #field "\\": %zu, ", offsetof(struct type, field))
#include <stddef.h>
int main(void)
{
	printf("{");
	O(magic, id); O(magic, range); O(magic, pages); O(magic, rings); O(magic, trigger); O(magic, sharing); O(magic, forget);
	O(magic_page, sharers); O(magic_page, writes); O(magic_page, count); O(magic_ring, head); O(magic_ring, page);
	printf("\\"entry\\": %zu, \\"at\\": %lu, \\"magic\\": %llu}", sizeof(struct magic_page), MAGIC_AT, (unsigned long long)MAGIC_ID);
}
"""


@pytest.fixture(scope="session")
def offsets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("offsets")
    (folder / "o.c").write_text(OFFSETS)
    subprocess.run(["gcc", "-I", TOP, "-o", folder / "o", folder / "o.c"], check=True)
    return json.loads(subprocess.run([folder / "o"], check=True, capture_output=True, text=True).stdout)


PAGE = 0xa0000 # machine page: node 1's, 512 MB from the start of RAM


def counting(offsets):
    """Processor 0 reads six lines of a page, processor 1 writes two of them; MAGIC's words on that, before and after `forget`."""
    magic = "\tdli $20, 0xffffffff80001000\n"
    o = offsets
    page = f"\tdli $8, {0x9800000000000000 + PAGE * 4096:#x}\n"
    start = magic + f"\tli $9, 4\n\tsw $9, {o['trigger']}($20)\n\tli $9, 2\n\tsw $9, {o['sharing']}($20)\n" + page
    entry = f"""	dli $21, 0x9800000000000000
	ld $22, {o['pages']}($20)
	daddu $22, $22, $21
	dli $9, {(PAGE - 0x80000) * o['entry']}
	daddu $22, $22, $9
	ld $23, {o['rings']}($20)
	daddu $23, $23, $21
"""
    look = [f"\tlhu $16, {o['count'] + 2 * cpu}($22)\n" + show(16) for cpu in range(2)]
    look += [f"\tlhu $16, {o[field]}($22)\n" + show(16) for field in ("writes", "sharers")]
    ring = f"\tlw $16, {o['head']}($23)\n" + show(16) + f"\tld $16, {o['page']}($23)\n" + show(16)
    forget = f"\tli $9, {PAGE + 1}\n\tsd $9, {o['forget']}($20)\n"
    return [(0, start + "".join(f"\tld $9, {128 * line}($8)\n" for line in range(6))),
            (1, page + "\tsd $0, 0($8)\n\tsd $0, 128($8)\n\tsd $0, 0($8)\n"),
            (0, magic + f"\tld $16, {o['id']}($20)\n" + show(16) + entry + "".join(look) + ring + forget + "".join(look))]


def test_magic_counts_in_machine_memory(tmp_path, offsets):
    built = counted.build(tmp_path, counted.slots(counting(offsets), 2) + PRINT)
    _, output = counted.run(tmp_path, built, nodes=2, memory=1024)
    assert numbers(output) == [offsets["magic"], 6, 2, 2, 3, 1, PAGE, 0, 0, 0, 0]


def test_magic_is_silent_where_there_are_no_caches(tmp_path, offsets):
    """And nobody else has written to its page: all of it is zero."""
    page = f"""	dli $20, {offsets['at'] - 0x80000000 + 0xffffffff80000000:#x}
	li $16, 0
	li $2, 512
1:	ld $3, 0($20)
	or $16, $16, $3
	addiu $2, $2, -1
	bnez $2, 1b
	daddiu $20, $20, 8
"""
    built = counted.build(tmp_path, counted.one(page, "").replace(counted.END, counted.END + show(16)) + PRINT)
    _, output = counted.run(tmp_path, built, "cache=0", memory=1024)
    assert numbers(output) == [0]


@pytest.mark.parametrize("memory, options", [(1024, "magic=0"), (256, "")])
def test_magic_says_where_it_counts_no_pages(tmp_path, offsets, memory, options):
    magic = f"\tdli $20, {offsets['at'] - 0x80000000 + 0xffffffff80000000:#x}\n"
    magic += f"\tld $16, {offsets['id']}($20)\n\tld $17, {offsets['pages']}($20)\n"
    built = counted.build(tmp_path, counted.one(magic, "").replace(counted.END, counted.END + show(16) + show(17)) + PRINT)
    _, output = counted.run(tmp_path, built, options, memory=memory)
    assert numbers(output) == [offsets["magic"], 0]


@pytest.mark.parametrize("memory", [512, 2048])
def test_memory_of_any_size(tmp_path, memory):
    """The last megabyte below MAGIC's is the last node's; all of it can be used."""
    at = 0x9800000080000000 + (memory << 20) * 31 // 32
    built = counted.build(tmp_path, counted.one(f"\tdli $4, {at:#x}\n", "\tsd $4, 0($4)\n\tld $5, 0($4)\n\tld $5, 8($4)\n"))
    result, _ = counted.run(tmp_path, built, nodes=4, memory=memory)
    assert result["processors"][0]["data_misses"] == {"local": 0, "remote": 1}


# ---- what is refused ----


@pytest.fixture(scope="session")
def anything(tmp_path_factory):
    return counted.build(tmp_path_factory.mktemp("anything"), counted.one("", ""))


def refused(anything, plugin="", *arguments):
    """What QEMU said; it must have ended by itself, and not well."""
    done = subprocess.run(["timeout", "-k", "5", str(20 * PATIENCE), "qemu-system-mips64el", "-M", "malta", "-cpu", "I6500", "-smp", "2",
                           "-display", "none", "-monitor", "none", "-serial", "null", "-no-reboot", "-kernel", anything,
                           "-plugin", f"build/flash.so{plugin}", *(arguments or ("-accel", "tcg,thread=single"))],
                          cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode not in (0, 124), done.stderr
    return done.stderr


def test_a_wrong_option_is_refused_with_the_right_ones(anything):
    text = refused(anything, ",colour=red")
    assert "flash: found option 'colour=red'" in text
    assert all(name in text for name in ("out=FILE", "cache=", "remote=", "topology=", "skew="))
    assert "allowed: 0 to 100000" in refused(anything, ",remote=fast")


def test_another_scheduling_than_the_models_is_refused(anything):
    assert "thread=multi" in refused(anything, "", "-accel", "tcg,thread=multi")


def test_another_clock_is_refused(anything):
    assert "-icount" in refused(anything, "", "-accel", "tcg,thread=single", "-icount", "shift=0")


def test_two_clocks_are_refused_before_the_start():
    done = subprocess.run(["qemu/run.sh", "-f", "", "-d", "one"], cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "-d and -f" in done.stderr


def test_a_file_that_cannot_be_written_is_named(anything, tmp_path):
    assert "none/x.json" in refused(anything, f",out={tmp_path}/none/x.json")


def test_a_person_at_the_console(machine):
    """make run FLASH=...: paced, time passes as it does outside."""
    m = machine("one", "", ("-f", "cache=0,pace=1"))
    m.expect(r"\[alpha\] alpha: Linux", 60)
    m.attach("alpha")
    assert "hello" in m.shell("alpha", "echo hello")
    began = time.monotonic()
    m.shell("alpha", "sleep 2")
    # the guest sleeps two seconds of the machine's time, and no less outside but for what typing overlaps
    assert 1.8 < time.monotonic() - began < 20 * PATIENCE
    m.detach()
    assert m.quit() == 0
