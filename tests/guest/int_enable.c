/* SPDX-License-Identifier: MIT */
/*
 * Rule: a pending interrupt is taken as soon as something enables it: EI, MTC0 Status (IE or IM),
 * MTC0 Cause (raising it), an ERET that clears EXL; EPC is the next instruction to execute, the
 * branch target when the enabling instruction sat in a delay slot; and after the handler dropped it
 * execution goes on there. MD00090 6.1.
 *
 * Method: each way, the label where it must come noted.
 */
#include "tests/guest/test.h"

extern char p_ei_at[], p_ie_at[], p_im_at[], p_raise_at[], p_eret_at[], p_slot_at[], p_slot_ei_at[];
#define QUIET "\n\tdi\n\tehb"
PROBE(p_ei, "ei" AT(p_ei) "ehb" QUIET);
PROBE(p_ie, "mtc0 $4, $12" AT(p_ie) "ehb" QUIET);
PROBE(p_raise, "mtc0 $4, $13" AT(p_raise) "ehb" QUIET);
PROBE(p_slot, "beq $0, $0, 1f\n\tmtc0 $4, $12\n\tnop\n1:" AT(p_slot) "ehb" QUIET);
PROBE(p_slot_ei, "beq $0, $0, 1f\n\tei\n\tnop\n1:" AT(p_slot_ei) "ehb" QUIET);
PROBE(p_eret,
      "move $9, $31\n\tbal 1f\n\tmtc0 $4, $12\n1:\tdaddiu $8, $31, 16\n\tdmtc0 $8, $14\n\tehb\n\teret" AT(
	      p_eret) "ehb" QUIET "\n\tmove $31, $9");

static unsigned taken;
static u64 where;

/* Drops the lines and goes on: what a driver does. */
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

static void one(const char *what, const void *p, u64 arg, const void *at, u32 status, u32 cause)
{
	taken = 0;
	cp0_write_cause((s32)cause);
	cp0_write_status((s32)status);
	expect_none(what, probe(p, arg, 0, 0));
	cp0_write_status(ST_BASE);
	check_eq(text("%s: times", what), taken, 1);
	check_eq(text("%s: EPC", what), where - (u64)at, 0);
}

int main(void)
{
	trap_hook = handler;
	one("ei", p_ei, 0, p_ei_at, ST_BASE | ST_IM(0), CAUSE_IP(0));
	one("mtc0 Status: IE", p_ie, ST_BASE | ST_IM(1) | ST_IE, p_ie_at, ST_BASE | ST_IM(1),
	    CAUSE_IP(1));
	one("mtc0 Status: IM", p_ie, ST_BASE | ST_IM(1) | ST_IE, p_ie_at, ST_BASE | ST_IE,
	    CAUSE_IP(1));
	one("mtc0 Cause", p_raise, CAUSE_IP(0), p_raise_at, ST_BASE | ST_IM(0) | ST_IE, 0);
	one("mtc0 Status in a delay slot", p_slot, ST_BASE | ST_IM(0) | ST_IE, p_slot_at, ST_BASE,
	    CAUSE_IP(0));
	one("ei in a delay slot", p_slot_ei, 0, p_slot_ei_at, ST_BASE | ST_IM(0), CAUSE_IP(0));
	one("eret", p_eret, ST_BASE | ST_EXL | ST_IM(0) | ST_IE, p_eret_at, ST_BASE, CAUSE_IP(0));
	return verdict();
}
