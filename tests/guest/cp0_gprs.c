/* SPDX-License-Identifier: MIT */
/*
 * Rule: MFC0 writes the general register it names and no other, and MTC0 reads the one it names,
 * for all of them. MD00087.
 *
 * Method: DMFC0 of a KScratch into each register (sp, k0, k1, ra included) with all others holding
 * marks; DMTC0 from each.
 */
#include "tests/guest/test.h"

#define SAVE	"move $24, $29\n\tdmtc0 $31, $31, 4\n\t"
#define RESTORE "\n\tmove $29, $24\n\tdmfc0 $31, $31, 4"
/* to register n, then from it to the next KScratch; t8 keeps sp, KScratch3 ra */
#define REG(n)          \
	PROBE(p_reg##n, \
	      SAVE "dmfc0 $" #n ", $31, 3\n\tdmtc0 $" #n ", $31, 5\n\tmove $2, $" #n RESTORE);
// clang-format off
REG(1) REG(2) REG(3) REG(4) REG(5) REG(6) REG(7) REG(8) REG(9) REG(10) REG(11) REG(12) REG(13) REG(14) REG(15)
REG(25) REG(26) REG(27) REG(29) REG(31)

#define ROW(n) { n, p_reg##n }
static const struct {
	unsigned n;
	const void *p;
} rows[] = {
	ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7), ROW(8), ROW(9), ROW(10),
	ROW(11), ROW(12), ROW(13), ROW(14), ROW(15), ROW(25), ROW(26), ROW(27), ROW(29), ROW(31),
};
// clang-format on

/* Every caller-saved register holds its mark but one, which a trapping instruction wrote. */
PROBE(p_others,
      "li $3, 0x33\n\tli $4, 0x44\n\tli $5, 0x55\n\tli $6, 0x66\n\tli $7, 0x77\n\tli $8, 0x88\n\tli $9, 0x99\n\tli $10, 0xaa\n\t"
      "li $11, 0xbb\n\tli $12, 0xcc\n\tli $13, 0xdd\n\tli $14, 0xee\n\tli $15, 0xff\n\tli $24, 0x11\n\tli $25, 0x22\n\t"
      "dmfc0 $2, $31, 3\n\tmtc0 $0, $11\n\tmfc0 $2, $16\n\ttlbp\n\t"
      "move $2, $3\n\txor $2, $2, $4\n\txor $2, $2, $5\n\txor $2, $2, $6\n\txor $2, $2, $7\n\txor $2, $2, $8\n\txor $2, $2, $9\n\t"
      "xor $2, $2, $10\n\txor $2, $2, $11\n\txor $2, $2, $12\n\txor $2, $2, $13\n\txor $2, $2, $14\n\txor $2, $2, $15\n\t"
      "dsll $2, $2, 8\n\tor $2, $2, $24\n\tdsll $2, $2, 8\n\tor $2, $2, $25");

int main(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 mark = 0xabcd000000000000 + rows[i].n;

		cp0_write_kscratch2(mark);
		check_eq(text("into $%u", rows[i].n), probe(rows[i].p, 0, 0, 0)->v0, mark);
		check_eq(text("from $%u", rows[i].n), cp0_read_kscratch4(), mark);
	}
	print("%u registers\n", (unsigned)ARRAY_SIZE(rows));
	check_eq("the others", probe(p_others, 0, 0, 0)->v0,
		 (u64)(0x33 ^ 0x44 ^ 0x55 ^ 0x66 ^ 0x77 ^ 0x88 ^ 0x99 ^ 0xaa ^ 0xbb ^ 0xcc ^ 0xdd ^
		       0xee ^
		       0xff) << 16 |
			 0x1122);
	return verdict();
}
