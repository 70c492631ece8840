/* SPDX-License-Identifier: MIT */
/*
 * Rule: Status holds what kernel software wrote: IE, EXL, ERL, KSU, UX, SX, KX, IM, BEV, FR, CU1;
 * and it reads as virtual kernel mode whatever mode really runs. At the start BEV is set.
 * MD00090 9.21.
 *
 * Method: patterns written with EXL or ERL set (so that nothing can happen), read back, masked to
 * those fields. Release 6 has FR = 1 only.
 */
#include "tests/guest/test.h"

#define FIELDS (ST_IE | ST_EXL | ST_ERL | ST_KSU | ST_BASE | 0xff00 | ST_BEV | ST_FR | ST_CU1)

PROBE(p_status, "mtc0 $4, $12\n\tehb\n\tmfc0 $2, $12\n\tmtc0 $5, $12\n\tehb");

static void one(const char *what, u32 v)
{
	u32 found;

	found = (u32)probe(p_status, v, ST_BASE, 0)->v0 & FIELDS;
	print("%s: %08x\n", what, found);
	check_eq(what, found, v | ST_FR);
}

int main(void)
{
	check(guest_boot.status & ST_BEV, "BEV at the start");
	check(!(guest_boot.status & ST_IE), "IE at the start");
	check_eq("KSU at the start", guest_boot.status & ST_KSU, 0);
	one("EXL", ST_BASE | ST_EXL);
	one("EXL, IE", ST_BASE | ST_EXL | ST_IE);
	one("EXL, user", ST_BASE | ST_EXL | ST_KSU_USER);
	one("ERL", ST_BASE | ST_ERL);
	one("ERL, EXL, IE, all IM", ST_BASE | ST_ERL | ST_EXL | ST_IE | 0xff00);
	for (int i = 0; i < 8; i++)
		one(text("EXL, IM%d", i), ST_BASE | ST_EXL | ST_IM(i));
	one("EXL, BEV", ST_BASE | ST_EXL | ST_BEV);
	one("CU1", ST_BASE | ST_CU1);
	one("nothing but FR", ST_BASE);
	check_eq("after all", cp0_read_status() & FIELDS, ST_BASE | ST_FR);
	return verdict();
}
