/* SPDX-License-Identifier: MIT */
/*
 * Rule: TEQ, TGE, TGEU, TLT, TLTU, TNE raise Tr (ExcCode 13) when their condition holds and do
 * nothing otherwise. MD00087.
 *
 * Method: each in three positions with operands that trap, and plain with operands that do not.
 */
#include "tests/guest/test.h"

PROBE3(p_teq, "teq $4, $5");
PROBE3(p_tge, "tge $4, $5");
PROBE3(p_tgeu, "tgeu $4, $5");
PROBE3(p_tlt, "tlt $4, $5");
PROBE3(p_tltu, "tltu $4, $5");
PROBE3(p_tne, "tne $4, $5");

int main(void)
{
	EXPECT3(MODE_KERNEL, "teq 5, 5", p_teq, 5, 5, .exc = EXC_TR);
	EXPECT3(MODE_KERNEL, "tge 5, -1", p_tge, 5, -1ul, .exc = EXC_TR);
	EXPECT3(MODE_KERNEL, "tgeu -1, 5", p_tgeu, -1ul, 5, .exc = EXC_TR);
	EXPECT3(MODE_KERNEL, "tlt -1, 5", p_tlt, -1ul, 5, .exc = EXC_TR);
	EXPECT3(MODE_USER, "tltu 5, -1", p_tltu, 5, -1ul, .exc = EXC_TR);
	EXPECT3(MODE_USER, "tne 5, 6", p_tne, 5, 6, .exc = EXC_TR);
	expect_none("teq 5, 6", probe(p_teq, 5, 6, 0));
	expect_none("tge -1, 5", probe(p_tge, -1ul, 5, 0));
	expect_none("tgeu 5, -1", probe(p_tgeu, 5, -1ul, 0));
	expect_none("tlt 5, -1", probe(p_tlt, 5, -1ul, 0));
	expect_none("tltu -1, 5", probe_user(p_tltu, -1ul, 5, 0));
	expect_none("tne 5, 5", probe_user(p_tne, 5, 5, 0));
	return verdict();
}
