/* SPDX-License-Identifier: MIT */
/*
 * Rule: a VM starts by the UHI convention: a0 = -2, a1 = csseg address of a device tree, a2 = a3 =
 * 0; Status = BEV, KX, SX, UX with interrupts off. kernel/abi/disco.h.
 *
 * Method: the registers that start.S kept; the tree's magic number and size.
 */
#include "tests/guest/test.h"

int main(void)
{
	const u8 *dtb = (const u8 *)guest_boot.a[1];
	u64 size;

	need_monitor();
	check_eq("a0", guest_boot.a[0], -2ul);
	check_eq("a2", guest_boot.a[2], 0);
	check_eq("a3", guest_boot.a[3], 0);
	check_eq("Status",
		 guest_boot.status & (ST_IE | ST_EXL | ST_ERL | ST_KSU | ST_BASE | ST_BEV | ST_CU1),
		 ST_BEV | ST_BASE);
	check_eq("Cause.IP", guest_boot.cause & 0xff00, 0);
	if (check((u64)dtb - DISCO_CSSEG_BASE < DISCO_CSSEG_WINDOW, "a1 is not in the window")) {
		check(dtb[0] == 0xd0 && dtb[1] == 0x0d && dtb[2] == 0xfe && dtb[3] == 0xed,
		      "magic number of the tree");
		size = (u64)dtb[4] << 24 | (u64)dtb[5] << 16 | (u64)dtb[6] << 8 | dtb[7];
		check(size > 40 && size < 65536, "size of the tree: %lu", (unsigned long)size);
		check(guest_boot.a[1] >= (u64)__image_end ||
			      guest_boot.a[1] + size <= (u64)__image_start,
		      "the tree is in the image");
	}
	return verdict();
}
