/* SPDX-License-Identifier: MIT */
/*
 * Rule: RDHWR in user mode works for the registers whose HWREna bit is set and raises RI for the
 * others; kernel mode reads them whatever HWREna says. UserLocal (29) shows what the kernel wrote.
 * Registers that don't exist: RI. MD00087 RDHWR.
 *
 * Method: each register in both modes with its bit clear and set; in three positions for UserLocal.
 */
#include "tests/guest/test.h"

PROBE3(p_29, "rdhwr $2, $29");
PROBE1(p_0, "rdhwr $2, $0");
PROBE1(p_1, "rdhwr $2, $1");
PROBE1(p_2, "rdhwr $2, $2");
PROBE1(p_3, "rdhwr $2, $3");
PROBE1(p_28, "rdhwr $2, $28");

static const struct {
	unsigned reg;
	const void *p, *at;
} rows[] = {
	{ 0, p_0, p_0_at }, { 1, p_1, p_1_at },	   { 2, p_2, p_2_at },
	{ 3, p_3, p_3_at }, { 29, p_29, p_29_at },
};

int main(void)
{
	const struct trap *t;

	cp0_write_userlocal(0x1234567890abcdef);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned r = rows[i].reg;

		cp0_write_hwrena(0x2000000f & ~(1u << r));
		EXPECT(text("user: register %u closed", r), probe_user(rows[i].p, 0, 0, 0),
		       .exc = EXC_RI, .at = rows[i].at);
		expect_none(text("kernel: register %u closed", r), probe(rows[i].p, 0, 0, 0));
		cp0_write_hwrena(1u << r);
		expect_none(text("user: register %u open", r), probe_user(rows[i].p, 0, 0, 0));
		expect_none(text("kernel: register %u open", r), probe(rows[i].p, 0, 0, 0));
	}
	check_eq("UserLocal from user mode", probe_user(p_29, 0, 0, 0)->v0, 0x1234567890abcdef);
	check_eq("UserLocal from kernel mode", probe(p_29, 0, 0, 0)->v0, 0x1234567890abcdef);
	cp0_write_userlocal(0xfedcba);
	check_eq("UserLocal changed", probe_user(p_29, 0, 0, 0)->v0, 0xfedcba);
	cp0_write_hwrena(0);
	EXPECT3(MODE_USER, "user: UserLocal closed", p_29, 0, 0, .exc = EXC_RI);
	check_eq("kernel: UserLocal closed", probe(p_29, 0, 0, 0)->v0, 0xfedcba);
	check_eq("kernel: in a delay slot", probe(p_29_d, 0, 0, 0)->v0, 0xfedcba);
	check_eq("kernel: in a forbidden slot", probe(p_29_f, 0, 0, 0)->v0, 0xfedcba);
	EXPECT("kernel: register 28", probe(p_28, 0, 0, 0), .exc = EXC_RI, .at = p_28_at);
	EXPECT("user: register 28", probe_user(p_28, 0, 0, 0), .exc = EXC_RI, .at = p_28_at);
	cp0_write_hwrena(1u << 0);
	t = probe_user(p_0, 0, 0, 0);
	check_eq("CPUNum", t->v0, cp0_read_ebase() & EBASE_CPUNUM);
	return verdict();
}
