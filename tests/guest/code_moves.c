/* SPDX-License-Identifier: MIT */
/*
 * Rule: a kernel that was linked for KSEG0 finds in CP0 what it finds on the machine, and takes interrupts where it takes them there,
 * also after the monitor has put branches in place of its moves to and from CP0 (docs/guest-abi.md). Elsewhere nothing is patched,
 * and all is the same.
 *
 * Method: each move is made many times, with values of Status of every kind and an interrupt that waits or does not, while the other
 * registers hold the same number for some rounds, and then another. A line that comes up by itself is seen in Cause without an interrupt.
 */
#include "tests/guest/test.h"

#define ROUNDS 120

extern char p_ei_at[], p_ie_at[], p_restore_at[], p_many_at[];
#define QUIET "\n\tdi\n\tehb"

/* Reads, of what probe's caller has set. */
PROBE(p_reads,
      "mfc0 $2, $12\n\tsd $2, 0($4)\n\tmfc0 $2, $13\n\tsd $2, 8($4)\n\tdmfc0 $2, $14\n\tsd $2, 16($4)\n\t"
      "dmfc0 $2, $31, 4\n\tsd $2, 24($4)\n\tmfc0 $2, $31, 4\n\tsd $2, 32($4)\n\tmfc0 $2, $15, 0\n\tsd $2, 40($4)");
PROBE(p_writes, "dmtc0 $4, $14\n\tdmtc0 $5, $31, 4\n\tehb");

/* Enabling: where the interrupt comes. */
PROBE(p_ei, "ei" AT(p_ei) "ehb" QUIET);
PROBE(p_ie, "mtc0 $4, $12" AT(p_ie) "ehb" QUIET);
PROBE(p_di, "di $2\n\tehb");
/* As Linux sets interrupts back: off in the slot, and on again if they were. */
PROBE(p_restore, "beqz $4, 1f\n\tdi\n\tei" AT(p_restore) "1:\tehb\n\tmfc0 $2, $12" QUIET);

#define ALL(op)	   op(3) op(6) op(7) op(8) op(10) op(11) op(12) op(13) op(14) op(15) op(24) op(25)
#define SET(r)	   "move $" #r ", $5\n\t"
#define DIFFERS(r) "xor $9, $" #r ", $5\n\tor $2, $2, $9\n\t"
PROBE(p_many,
      ALL(SET) "move $9, $5\n\tmove $2, $5\n\tei\n\tehb\n\tdi\n\tehb\n\tmtc0 $4, $12\n\tehb\n\tdmtc0 $4, $31, 6\n\txor $2, $2, $5\n\t" ALL(
	      DIFFERS) "nop");

static unsigned taken;
static u64 where;

static bool handler(struct frame *f)
{
	if (frame_exc(f) != EXC_INT)
		return false;
	taken++;
	where = f->epc;
	check_eq("BD", f->cause & CAUSE_BD, 0);
	cp0_write_cause(0);
	return true;
}

/* The probe with that Status and these lines; `at`: where it is interrupted, NULL: it is not. */
static u64 run(const char *what, const void *p, u64 arg, const void *at, u32 status, u32 cause)
{
	const struct trap *t;
	u64 v0;

	taken = 0;
	cp0_write_cause((s32)cause);
	cp0_write_status((s32)status);
	t = probe(p, arg, 0, 0);
	v0 = t->v0;
	check(!t->taken, "%s: exception %u", what, t->exc);
	cp0_write_status(ST_BASE);
	cp0_write_cause(0);
	check_eq(text("%s: times", what), taken, at != NULL);
	if (at)
		check_eq(text("%s: EPC", what), where - (u64)at, 0);
	return v0;
}

static void reads(u32 i)
{
	static u64 found[6];
	static u32 id;
	u64 epc = 0x123456789abcdef0ul * i, scratch = 0xfedcba9876543211ul * (i + 1);
	u32 status = ST_BASE | ST_IM(2) | (i & 4 ? 1u << 28 : 0);

	check(!probe(p_writes, epc, scratch, 0)->taken, "writes: exception");
	cp0_write_status((s32)status);
	cp0_write_cause(i & 1 ? CAUSE_IP(0) : CAUSE_IP(1));
	check(!probe(p_reads, (u64)found, 0, 0)->taken, "reads: exception");
	cp0_write_cause(0);
	cp0_write_status(ST_BASE);
	check_eq("Status", found[0] & ~(u64)ST_FR, status);
	check_eq("Cause", found[1] & (CAUSE_IP(0) | CAUSE_IP(1)),
		 i & 1 ? CAUSE_IP(0) : CAUSE_IP(1));
	check_eq("EPC", found[2], epc);
	check_eq("KScratch", found[3], scratch);
	check_eq("its lower half", found[4], (u64)(s64)(s32)scratch);
	check(!i || id == (u32)found[5], "PRId %x, then %x", id, (u32)found[5]);
	id = (u32)found[5];
}

static void enables(u32 i)
{
	bool waits = i % 3 == 1, on = i & 1;
	u32 cause = waits ? CAUSE_IP(0) : 0, status = ST_BASE | ST_IM(0), enabled = status | ST_IE;
	u64 v0;

	run("ei", p_ei, 0, waits ? p_ei_at : NULL, status, cause);
	run("mtc0: IE", p_ie, enabled, waits ? p_ie_at : NULL, status, cause);
	run("mtc0: nothing", p_ie, status, NULL, status, cause);
	run("mtc0: IM", p_ie, ST_BASE | ST_IM(1) | ST_IE, NULL, status, cause);
	run("mtc0: IM and IE", p_ie, enabled, waits ? p_ie_at : NULL, ST_BASE, cause);
	run("mtc0: EXL", p_ie, enabled | ST_EXL, NULL, status, cause);
	run("mtc0: out of EXL", p_ie, enabled, waits ? p_ie_at : NULL, status | ST_EXL, cause);
	run("ei in EXL", p_ei, 0, NULL, status | ST_EXL, cause);
	v0 = run("di rt", p_di, 0, NULL, waits ? status : on ? enabled : status, cause);
	check_eq("di rt", v0 & ~(u64)ST_FR, !waits && on ? enabled : status);
	v0 = run("restore", p_restore, on, on && waits ? p_restore_at : NULL, status, cause);
	check_eq("restore", v0 & ST_IE, on);
}

/* The others hold the same number for 20 rounds. */
static void many(u32 i)
{
	static const u64 numbers[] = { 0, 5, 0x1000001f, 0xffffffff80000000, 0x123456789, 0 };
	u64 number = numbers[i / 20 % ARRAY_SIZE(numbers)] + (i % 20 == 19);
	const struct trap *t = probe(p_many, ST_BASE | ST_IM(3), number, 0);

	check_eq("registers that changed", t->v0, 0);
	check_eq("Status of these", cp0_read_status() & ~ST_FR, ST_BASE | ST_IM(3));
	cp0_write_status(ST_BASE);
}

static void a_line_is_seen(u32 i)
{
	u32 due = timer_set(2000 + i * 100), spins = 0;

	while (!(cp0_read_cause() & CAUSE_IP(7)) && (s32)(cp0_read_count() - due) < 100000000)
		spins++;
	check(cp0_read_cause() & CAUSE_IP(7), "Cause %x after %u looks", (u32)cp0_read_cause(),
	      spins);
	timer_set(100000000);
	check_eq("a line that went down", cp0_read_cause() & CAUSE_IP(7), 0);
}

int main(void)
{
	trap_hook = handler;
	for (u32 i = 0; i < ROUNDS; i++) {
		reads(i);
		enables(i);
		many(i);
		if (i % 8 == 0)
			a_line_is_seen(i);
	}
	print("%u rounds\n", ROUNDS);
	return verdict();
}
