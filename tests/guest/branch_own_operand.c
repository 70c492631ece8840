/* SPDX-License-Identifier: MIT */
/*
 * Rule: a branch decides with the values its registers had before its delay slot: a privileged
 * instruction in the slot that writes the register the branch tests, or jumps to, must not change
 * the decision. (Linux's TLB handlers do `bnez k1, ...; dmfc0 k1, ...`.) MD00087 4.1; second rule
 * of "Surprises".
 *
 * Method: such slots both ways round, and a jr whose slot overwrites the target register.
 */
#include "tests/guest/test.h"

#define BODY(branch)          \
	"li $3, 0\n\t" branch \
	"\n\tdmfc0 $4, $31, 3\n\tori $3, $3, 1\n1:\tori $3, $3, 2\n\tdsll $2, $4, 4\n\tor $2, $2, $3"
PROBE(p_bnez, BODY("bnez $4, 1f"));
PROBE(p_beqz, BODY("beqz $4, 1f"));
PROBE(p_bltz, BODY("bltz $4, 1f"));
PROBE(p_bgez, BODY("bgez $4, 1f"));
PROBE(p_blez, BODY("blez $4, 1f"));
PROBE(p_bgtz, BODY("bgtz $4, 1f"));
PROBE(p_beq, BODY("beq $4, $5, 1f"));
PROBE(p_bne, BODY("bne $5, $4, 1f"));
PROBE(p_jr,
      "move $9, $31\n\tli $3, 0\n\tbal 2f\n\tnop\n2:\tdaddiu $4, $31, 16\n\tjr $4\n\tdmfc0 $4, $31, 3\n\tori $3, $3, 1\n"
      "1:\tori $3, $3, 2\n\tdsll $2, $4, 4\n\tor $2, $2, $3\n\tmove $31, $9");

static void one(const char *what, const void *p, u64 a, u64 b, u64 slot, bool taken)
{
	cp0_write_kscratch2(slot);
	check_eq(what, probe(p, a, b, 0)->v0, slot << 4 | (taken ? 2 : 3));
	print("%s with %lx, slot writes %lx: %s\n", what, (unsigned long)a, (unsigned long)slot,
	      taken ? "taken" : "not taken");
}

int main(void)
{
	one("bnez", p_bnez, 1, 0, 0, true);
	one("bnez", p_bnez, 0, 0, 1, false);
	one("beqz", p_beqz, 0, 0, 1, true);
	one("beqz", p_beqz, 1, 0, 0, false);
	one("bltz", p_bltz, -1ul, 0, 1, true);
	one("bltz", p_bltz, 1, 0, -1ul, false);
	one("bgez", p_bgez, 1, 0, -1ul, true);
	one("bgez", p_bgez, -1ul, 0, 1, false);
	one("blez", p_blez, 0, 0, 1, true);
	one("blez", p_blez, 1, 0, 0, false);
	one("bgtz", p_bgtz, 1, 0, 0, true);
	one("bgtz", p_bgtz, 0, 0, 1, false);
	one("beq", p_beq, 7, 7, 8, true);
	one("beq", p_beq, 8, 7, 7, false);
	one("bne", p_bne, 8, 7, 7, true);
	one("bne", p_bne, 7, 7, 8, false);
	cp0_write_kscratch2(0x40);
	check_eq("jr", probe(p_jr, 0, 0, 0)->v0, 0x40 << 4 | 2);
	return verdict();
}
