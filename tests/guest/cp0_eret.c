/* SPDX-License-Identifier: MIT */
/*
 * Rule: ERET and ERETNC go to EPC and clear EXL, or, when ERL is set, to ErrorEPC and clear ERL,
 * EXL staying as it was. MD00087.
 *
 * Method: Status with EXL, ERL or both, EPC and ErrorEPC at two labels; which label was reached and
 * Status afterwards.
 */
#include "tests/guest/test.h"

/* a0 = Status to set; returns Status | mark of the label << 32 */
#define BODY(insn)                                                                                                                        \
	"move $9, $31\n\tbal 1f\n\tmtc0 $4, $12\n1:\tehb\n\tdaddiu $8, $31, 32\n\tdmtc0 $8, $14\n\tdaddiu $8, $8, 8\n\tdmtc0 $8, $30\n\t" \
	"li $3, 1\n\tehb\n\t" insn                                                                                                        \
	"\n\tb 3f\n\tli $3, 2\n3:\tmfc0 $2, $12\n\tmtc0 $5, $12\n\tehb\n\tdsll32 $2, $2, 0\n\tdsrl32 $2, $2, 0\n\t"                       \
	"dsll32 $3, $3, 0\n\tor $2, $2, $3\n\tmove $31, $9"
PROBE(p_eret, BODY("eret"));
PROBE(p_eretnc, BODY(".word 0x42000058"));

static void one(const char *what, const void *p, u32 set, u32 left, u64 label)
{
	const struct trap *t = probe(p, ST_BASE | set, ST_BASE, 0);

	expect_none(what, t);
	check_eq(what, t->v0 & (7ull << 32 | ST_EXL | ST_ERL | ST_KSU), label << 32 | left);
}

int main(void)
{
	/* label 2 is EPC, label 1 is ErrorEPC */
	one("eret with EXL", p_eret, ST_EXL, 0, 2);
	one("eret with ERL", p_eret, ST_ERL, 0, 1);
	one("eret with both", p_eret, ST_ERL | ST_EXL, ST_EXL, 1);
	one("eretnc with EXL", p_eretnc, ST_EXL, 0, 2);
	one("eretnc with ERL", p_eretnc, ST_ERL, 0, 1);
	one("eretnc with both", p_eretnc, ST_ERL | ST_EXL, ST_EXL, 1);
	one("eret with neither", p_eret, 0, 0, 2);
	return verdict();
}
