# SPDX-License-Identifier: MIT
"""Misses, stall cycles and instructions of small programs, against counts made by hand from the rules of docs/flash.md."""
import subprocess

import pytest

import counted
from counted import L2HIT, LINE, LINE2, LOCAL, REMOTE, address

NODES = 2
HERE = {0: "local", 1: "remote"}
TAIL = 6 # instructions from the end mark to the end of its block


def one(tmp_path, setup, body, options="", vectors=""):
    return counted.region(tmp_path, counted.one(setup, body, vectors), options)[0]


def check(cpu, insns, words, misses=0, l1=0, upgrades=0, writebacks=0, node=0, cost=None):
    """insns: executed in the body; words: of straight code in it. The rest: of data on that node."""
    cost = cost if cost is not None else (LOCAL, REMOTE)[node]
    other = {0: "remote", 1: "local"}[node]
    code_lines, code_lines2 = -(-(words + TAIL) * 4 // LINE), -(-(words + TAIL) * 4 // LINE2)
    l2_hits = l1 - misses + code_lines - code_lines2
    expected = {
        "insns": insns + 3,
        "fetch_misses": {"local": code_lines2, "remote": 0}, "l1": {"fetch": code_lines, "data": l1},
        "data_misses": {HERE[node]: misses, other: 0}, "upgrades": {HERE[node]: upgrades, other: 0},
        "l2_hits": l2_hits, "writebacks": writebacks, "invalidations": 0, "idle": 0,
    }
    found = {key: cpu[key] for key in expected}
    found["insns"] = cpu["insns"]["monitor"]
    assert found == expected
    stall = code_lines2 * LOCAL + (misses + upgrades) * cost + l2_hits * L2HIT
    assert sum(cpu["stall"].values()) == stall
    assert cpu["cycles"] == insns + 3 + stall


def sweep(start, size, step, rounds=1, store=False):
    setup = f"\tdli $4, {start:#x}\n\tli $7, {rounds}\n\tli $8, {size // step}\n\tli $9, {step}\n"
    return setup, f"""1:	move $5, $8
	move $6, $4
2:	{"sd $0" if store else "ld $2"}, 0($6)
	addiu $5, $5, -1
	bnez $5, 2b
	daddu $6, $6, $9
	addiu $7, $7, -1
	bnez $7, 1b
	nop
""", rounds * (5 + 4 * (size // step)), 9


@pytest.mark.parametrize("node", [0, 1])
def test_cold_sweep(tmp_path, node):
    setup, body, insns, words = sweep(address(node, NODES), 65536, 8)
    check(one(tmp_path, setup, body), insns, words, misses=65536 // LINE2, l1=65536 // LINE, node=node)


def test_uma_makes_remote_misses_cost_what_local_ones_do(tmp_path):
    setup, body, insns, words = sweep(address(1, NODES), 65536, 8)
    check(one(tmp_path, setup, body, "uma=1"), insns, words, misses=512, l1=1024, node=1, cost=LOCAL)


def test_stalls_may_be_left_out(tmp_path):
    setup, body, insns, words = sweep(address(1, NODES), 65536, 8)
    cpu = one(tmp_path, setup, body, "stalls=0")
    assert cpu["cycles"] == cpu["insns"]["monitor"] == insns + 3
    assert cpu["data_misses"] == {"local": 0, "remote": 512}


def test_what_fits_hits(tmp_path):
    """16 KB three times: in the first level from the second time on."""
    setup, body, insns, words = sweep(address(0, NODES), 16384, 64, rounds=3)
    check(one(tmp_path, setup, body), insns, words, misses=128, l1=256)


def test_twice_the_first_level_never_hits_it(tmp_path):
    """64 KB in a circle, least recently used out: each line of 64 bytes is gone when it comes again."""
    setup, body, insns, words = sweep(address(0, NODES), 65536, 64, rounds=3)
    check(one(tmp_path, setup, body), insns, words, misses=512, l1=3 * 1024)


@pytest.mark.parametrize("lines, rounds, l1", [(2, 10, 2), (3, 10, 30)])
def test_first_level_conflict(tmp_path, lines, rounds, l1):
    """Lines 16 KB apart share a set of two."""
    setup, body, insns, words = sweep(address(0, NODES), lines * 16384, 16384, rounds)
    check(one(tmp_path, setup, body), insns, words, misses=lines, l1=l1)


@pytest.mark.parametrize("lines, rounds, misses, writebacks", [(2, 10, 2, 0), (3, 10, 30, 28)])
def test_second_level_conflict(tmp_path, lines, rounds, misses, writebacks):
    """Lines 512 KB apart share a set of two; two written lines stay, the others were written back."""
    setup, body, insns, words = sweep(address(1, NODES), lines << 19, 1 << 19, rounds, store=True)
    check(one(tmp_path, setup, body), insns, words, misses=misses, l1=misses, writebacks=writebacks, node=1)


def test_first_write_to_a_line_read_is_an_upgrade(tmp_path):
    """Read, write, write; then the other half of the line: it comes writable."""
    setup = f"\tdli $4, {address(1, NODES):#x}\n"
    body = "\tld $2, 0($4)\n\tsd $0, 8($4)\n\tsd $0, 0($4)\n\tsd $0, 64($4)\n\tsd $0, 72($4)\n"
    check(one(tmp_path, setup, body), 5, 5, misses=1, l1=2, upgrades=1, node=1)


def test_instructions_are_fetched_by_line(tmp_path):
    """16 KB of code, run through twice: the second time it is there."""
    words = 4096
    setup = "\tli $7, 2\n"
    body = "".join("\tnop\n" * 511 + f"\tb {i}f\n\tnop\n{i}:\n" for i in range(1, 9))[:-3] + "8:\taddiu $7, $7, -1\n\tbnez $7, body\n\tnop\n"
    words = 8 * 513 + 3
    check(one(tmp_path, setup, body), 2 * words, words)


# ---- several processors ----

X = f"\tdli $4, {address(0, NODES):#x}\n"
LOAD, STORE = X + "\tld $3, 0($4)\n", X + "\tsd $0, 0($4)\n"


def data(cpu):
    """Misses, upgrades and lines lost, of data."""
    sum_of = lambda key: cpu[key]["local"] + cpu[key]["remote"]
    return sum_of("data_misses"), sum_of("upgrades"), cpu["invalidations"]


def test_readers_share(tmp_path):
    cpus = counted.region(tmp_path, counted.slots([(0, LOAD), (1, LOAD), (0, LOAD), (1, LOAD)], NODES))
    assert [data(cpu) for cpu in cpus] == [(1, 0, 0), (1, 0, 0)]
    assert cpus[0]["data_misses"] == {"local": 1, "remote": 0} and cpus[1]["data_misses"] == {"local": 0, "remote": 1}
    assert cpus[1]["stall"]["local"] // LOCAL == cpus[1]["fetch_misses"]["local"]


def test_a_write_takes_the_line_from_a_reader(tmp_path):
    """0 writes, 1 reads: 0 may only read now, so that its next write is an upgrade and takes the line from 1."""
    cpus = counted.region(tmp_path, counted.slots([(0, STORE), (1, LOAD), (0, LOAD), (0, STORE), (1, LOAD)], NODES))
    assert [data(cpu) for cpu in cpus] == [(1, 1, 0), (2, 0, 1)]


def test_ping_pong(tmp_path):
    cpus = counted.region(tmp_path, counted.slots([(0, STORE), (1, STORE)] * 8, NODES))
    assert [data(cpu) for cpu in cpus] == [(8, 0, 8), (8, 0, 7)]
    assert cpus[1]["stall"]["remote"] == (8 + cpus[1]["fetch_misses"]["remote"]) * REMOTE


def test_false_sharing(tmp_path):
    """Two words of one line of 128 bytes are one line to the directory."""
    far = X + "\tsd $0, 120($4)\n"
    cpus = counted.region(tmp_path, counted.slots([(0, STORE), (1, far)] * 4, NODES))
    assert [data(cpu) for cpu in cpus] == [(4, 0, 4), (4, 0, 3)]


def test_latency_follows_the_hops(tmp_path):
    """Hypercube of eight: node 7 is one, two and three hops from 6, 4 and 0."""
    nodes = 8
    actions = [(7, f"\tdli $4, {address(home, nodes):#x}\n\tld $3, 0($4)\n") for home in (7, 6, 4, 0)]
    options = "topology=hypercube,hop=100"
    cpus = counted.region(tmp_path, counted.slots(actions, nodes), options, nodes)
    without = counted.region(tmp_path, counted.slots(actions[:1], nodes), options, nodes)
    more = cpus[7]["stall"]["remote"] - without[7]["stall"]["remote"]
    code = cpus[7]["fetch_misses"]["remote"] - without[7]["fetch_misses"]["remote"] # at home on node 0: three hops
    assert more - code * (360 + 80) == 360 + (360 + 40) + (360 + 80)


@pytest.mark.parametrize("home, writer, reader, ns", [(0, 1, 0, 1160), (1, 0, 1, 1160), (0, 0, 1, 340), (1, 1, 0, 340), (2, 0, 1, 800)])
def test_a_line_that_another_cache_may_have_written(tmp_path, home, writer, reader, ns):
    """FLASH's latencies less those of a clean line; the second read finds it clean. A read of a line that was only read is no such miss."""
    line = f"\tdli $4, {address(home, 3):#x}\n"
    clean = f"\tdli $4, {address(home, 3, 4096):#x}\n"
    actions = [(writer, line + "\tsd $0, 0($4)\n"), (writer, clean + "\tld $3, 0($4)\n"), (reader, line + "\tld $3, 0($4)\n"),
               (reader, clean + "\tld $3, 0($4)\n"), (writer, line + "\tld $3, 64($4)\n")]
    source = counted.slots(actions, 3)
    without, with_it = (counted.region(tmp_path, source, options, 3) for options in ("dirty=0", "dirty=1"))
    assert [cpu["dirty_misses"] for cpu in with_it] == [int(cpu == reader) for cpu in range(3)]
    more = [sum(b["stall_by"].values()) - sum(a["stall_by"].values()) for a, b in zip(without, with_it)]
    assert more == [ns * 400 // 1000 if cpu == reader else 0 for cpu in range(3)]
    uma = counted.region(tmp_path, source, "dirty=1,uma=1", 3)
    assert uma[reader]["stall"]["local"] + uma[reader]["stall"]["remote"] == LOCAL * sum(
        sum(uma[reader][kind].values()) for kind in ("fetch_misses", "data_misses", "upgrades"))


def test_a_node_that_everybody_asks(tmp_path):
    """Three processors read lines as fast as they can, processor 0 begins last. If all are lines of node 3, 360 cycles away, its controller
    is what all wait for, 200 cycles a line; if each reads its own node's, 120 cycles a line and 4 for the loop, its controller takes
    longer than it."""
    nodes, lines, begins = 4, 2000, 5 * counted.SLOT * 3

    def sweep_of(cpu, home):
        return f"""	dli	$4, {address(home, nodes, cpu << 19):#x}
	li	$5, {lines}
1:	ld	$2, 0($4)
	addiu	$5, $5, -1
	bnez	$5, 1b
	daddiu	$4, $4, {LINE2}
"""

    def cycles(options, home):
        actions = [(cpu, sweep_of(cpu, cpu if home is None else home)) for cpu in (1, 2, 0)]
        cpus = counted.region(tmp_path, counted.slots(actions, nodes), options, nodes)
        return cpus[0]["cycles"] - begins, [cpu["queued"] for cpu in cpus[:3]]

    free, none = cycles("", 3)
    hot, queued = cycles("occupancy=500", 3)
    apart, _ = cycles("occupancy=500", None)
    assert none == [0] * 3 and min(queued) > lines * (600 - 364) * 0.9
    assert abs(free / (lines * 364) - 1) < 0.05
    assert abs(hot / (lines * 600) - 1) < 0.1
    assert abs(apart / (lines * 200) - 1) < 0.1


def test_pages_are_the_nodes_in_turn(tmp_path):
    """Sixteen pages, each other one of node 1."""
    setup, body, insns, _ = sweep(address(0, NODES), 16 * 4096, LINE2)
    cpu = one(tmp_path, setup, body, "interleave=1")
    assert cpu["data_misses"] == {"local": 256, "remote": 256}
    assert cpu["stall"]["local"] + cpu["stall"]["remote"] >= 256 * (LOCAL + REMOTE)
    assert cpu["insns"]["monitor"] == insns + 3


def test_cycles_of_spin_locks(tmp_path):
    """A hundred calls of twelve instructions that are said to be a lock's, six of them, behind a branch, to be elsewhere."""
    body = "\tli $5, 100\n1:\tbal locked\n\tnop\n\taddiu $5, $5, -1\n\tbnez $5, 1b\n\tnop\n\tb over\n\tnop\n"
    body += "\t.globl locked, spins\nlocked:\n" + "\tnop\n" * 4 + "\tb spins\n\tnop\n\tnop\nspins:\n" + "\tnop\n" * 4 + "\tjr $31\n\tnop\nover:\n"
    program = counted.build(tmp_path, counted.one("", body))
    listing = subprocess.run([counted.CROSS + "nm", program], check=True, capture_output=True, text=True).stdout
    at = {name: int(address, 16) for address, _, name in map(str.split, listing.splitlines())}
    lock, spin = f"lock={at['locked']:#x},lock_bytes=24", f"spin={at['spins']:#x},spin_bytes=24"
    for options, cycles in ((lock, 600), (f"{lock},{spin}", 1200)):
        result, _ = counted.run(tmp_path, program, f"stalls=0,{options}")
        assert result["processors"][0]["lock"] == {"monitor": cycles, "kernel": 0}


# ---- instructions that an exception cuts off ----

# Refill at 0x80: every page is page 0 of node 0's; general at 0x180: skip the instruction.
REFILL_INSNS, SKIP = 7, 5
VECTORS = """	.org vectors + 0x80
	dli $26, 0x200001f
	nop
	dmtc0 $26, $2
	dmtc0 $26, $3
	tlbwr
	eret
	.org vectors + 0x180
	dmfc0 $26, $14
	daddiu $26, $26, 4
	dmtc0 $26, $14
	ehb
	eret
"""
EMPTY_TLB = "\tli $2, 0xe0\n\tmtc0 $2, $12\n\t.word 0x42000004\n\tehb\n"


def count(tmp_path, setup, body):
    cpu = one(tmp_path, setup, body, vectors=VECTORS)
    assert cpu["cycles"] == cpu["insns"]["monitor"] + sum(cpu["stall"].values())
    return cpu["insns"]["monitor"] - 3


def test_a_load_that_misses_the_tlb_is_counted_when_it_succeeds(tmp_path):
    """Twenty pairs of pages, one refill each, in the middle of a block."""
    body = "1:\taddiu $5, $5, -1\n\tld $2, 0($4)\n\tdaddu $4, $4, $6\n\tnop\n\tbnez $5, 1b\n\tnop\n"
    setup = EMPTY_TLB + "\tdli $4, 0x10000000\n\tli $6, 8192\n\tli $5, 20\n"
    assert count(tmp_path, setup, body) == 20 * (6 + REFILL_INSNS)


def test_a_delay_slot_that_misses_takes_its_branch_along(tmp_path):
    """The branch is executed, its slot is not; then both are."""
    body = "1:\taddiu $5, $5, -1\n\tdaddu $4, $4, $6\n\tbnez $5, 1b\n\tld $2, 0($4)\n"
    setup = EMPTY_TLB + "\tdli $4, 0x10000000\n\tli $6, 8192\n\tli $5, 20\n"
    assert count(tmp_path, setup, body) == 20 * (4 + 1 + REFILL_INSNS)


def test_traps_in_the_middle(tmp_path):
    """teq traps at the first and third of three; neither these nor what lies behind them is counted too early."""
    body = "\tnop\n\tteq $5, $6\n\tnop\n\tteq $0, $5\n\tnop\n\tteq $5, $6\n\tnop\n\tnop\n"
    assert count(tmp_path, "\tli $5, 1\n\tli $6, 1\n", body) == 8 - 2 + 2 * SKIP


def test_a_trap_known_beforehand_is_executed(tmp_path):
    """As a system call is."""
    assert count(tmp_path, "", "\tnop\n\tteq $0, $0\n\tbreak\n\tnop\n") == 4 + 2 * SKIP


def test_a_system_call_is_executed(tmp_path):
    assert count(tmp_path, "", "\tnop\n\tsyscall\n\tnop\n") == 3 + SKIP


def test_overflow(tmp_path):
    body = "\tadd $3, $5, $0\n\tadd $3, $5, $5\n\tnop\n"
    assert count(tmp_path, "\tli $5, 0x7fffffff\n", body) == 2 + SKIP


def test_forbidden_slots(tmp_path):
    """Executed when the branch is not taken: once."""
    body = "1:\taddiu $5, $5, -1\n\tbnezc $5, 1b\n\taddiu $6, $6, 1\n"
    assert count(tmp_path, "\tli $5, 50\n", body) == 2 * 50 + 1


def test_store_conditional(tmp_path):
    """A failing SC accesses nothing, and is executed all the same."""
    setup = f"\tdli $4, {address(0, NODES):#x}\n\tli $5, 1\n"
    body = "\tll $2, 0($4)\n\tsc $5, 0($4)\n\tnop\n\tsc $5, 0($4)\n\tnop\n"
    assert count(tmp_path, setup, body) == 5
