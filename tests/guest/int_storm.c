/* SPDX-License-Identifier: MIT */
/*
 * Rule: an interrupt between any two instructions changes nothing for the program: privileged
 * instructions, delay slots, LL and SC loops, TLB refills and FPU code give the same results under
 * a timer that fires all the time. MD00090 6.1.
 *
 * Method: one program that does all of these, its result compared with that of a quiet run, in
 * kernel and in user mode, while the timer interrupts as fast as its handler can set it, until it
 * has done so 300 times.
 */
#include "tests/guest/test.h"

/*
 * a0 = memory, a1 = rounds, a2 = page that misses now and then; v0 = a checksum. The words behind label 3 are
 * dmtc1 v0, f0; mov.d f0, f0; dmfc1 v0, f0.
 */
#define LOOP(priv1, priv2)                                                                                   \
	"move $9, $31\n\tli $2, 0\n\t"                                                                       \
	"1:\t" priv1 "\n\tbal 2f\n\t" priv2 "\n\tdaddiu $2, $2, 100\n"                                       \
	"2:\tlld $3, 0($4)\n\t" priv1                                                                        \
	"\n\tdaddu $3, $3, $5\n\tmove $8, $3\n\tscd $3, 0($4)\n\tbeqz $3, 2b\n\tnop\n\tdaddu $2, $2, $8\n\t" \
	"ld $3, 0($6)\n\tdaddu $2, $2, $3\n\tmove $1, $0\n\tbnezc $1, 3f\n\t" priv2                          \
	"\n\tdaddiu $2, $2, 7\n"                                                                             \
	"3:\t.word 0x44a20000\n\t.word 0x46200006\n\t.word 0x44220000\n\t"                                   \
	"daddiu $5, $5, -1\n\tbnez $5, 1b\n\tdsll $3, $2, 3\n\tdaddu $2, $2, $3\n\tmove $31, $9"
PROBE(p_kernel, LOOP("dmfc0 $10, $31, 3", "dmtc0 $10, $31, 4"));
PROBE(p_user, LOOP("daddiu $10, $10, 1", "daddiu $10, $10, 1"));

#define ROUNDS 300ul
#define PERIOD 3000u
#define TICKS  300

static unsigned ticks;

static bool handler(struct frame *f)
{
	if (frame_exc(f) == EXC_INT) {
		ticks++;
		timer_set(PERIOD);
		if (ticks % 8 == 0)
			tlb_write_at(TLB_FREE, (struct tlb_entry){ .hi = HI_EHINV });
		return true;
	}
	if (f->vector == 0x80 && HI_VPN(f->badvaddr) == VA_XUSER) {
		tlb_map_at(TLB_FREE, VA_XUSER, 0, LO_RW(page_pa(1)), LO_RW(page_pa(1)));
		return true;
	}
	return false;
}

static u64 run(int mode, u32 status)
{
	u64 data = mode == MODE_USER ? USER_DATA : (u64)probe_user_data();
	const struct trap *t;

	*probe_user_data() = 0;
	probe_user_status = status;
	if (mode == MODE_KERNEL)
		cp0_write_status((s32)status);
	t = probe_in(mode, mode == MODE_USER ? p_user : p_kernel, data, ROUNDS, VA_XUSER);
	cp0_write_status(ST_BASE);
	check(!t->taken, "%s", trap_name(t->exc));
	return t->v0 + *probe_user_data();
}

int main(void)
{
	const u32 quiet = ST_BASE | ST_CU1 | ST_FR;

	trap_hook = handler;
	page_va(1)[0] = 0x1234;
	for (int mode = MODE_KERNEL; mode <= MODE_USER; mode++) {
		u32 start = cp0_read_count();
		u64 wanted;

		cp0_write_compare((s32)(start - 1));
		wanted = run(mode, quiet);
		ticks = 0;
		timer_set(PERIOD);
		while (ticks < TICKS && cp0_read_count() - start < 3000000000u)
			if (!check_eq("result", run(mode, quiet | ST_IE | ST_IM(7)), wanted))
				break;
		check(ticks >= TICKS, "%u ticks", ticks);
		print("mode %d: %lx\n", mode, (unsigned long)wanted);
	}
	return verdict();
}
