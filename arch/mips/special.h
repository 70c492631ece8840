/* SPDX-License-Identifier: MIT */
/*
 * The special page from assembly: read where the guest's kernel sees it, since its TLB entry is
 * wired (mmu_map_special). Lies right below 0xffffffffe0000000: lui base, SP_HI; then SP_...(base).
 */
#ifndef ARCH_MIPS_SPECIAL_H
#define ARCH_MIPS_SPECIAL_H

#include "kernel/abi/disco.h"

#define SP_HI	     0xe000
#define SP(offset)   ((offset)-4096)
#define SP_STATUS    SP(DISCO_SP_REG(12, 0))
#define SP_CAUSE     SP(DISCO_SP_REG(13, 0))
#define SP_EPC	     SP(DISCO_SP_REG(14, 0))
#define SP_ENTRYHI   SP(DISCO_SP_REG(10, 0))
#define SP_EBASE     SP(DISCO_SP_REG(15, 1))
#define SP_BADVADDR  SP(DISCO_SP_REG(8, 0))
#define SP_BADINSTR  SP(DISCO_SP_REG(8, 1))
#define SP_USERLOCAL SP(DISCO_SP_REG(4, 2))
#define SP_RETURNS   SP(DISCO_SP_PENDING + 4) /* struct vcp0: returns */

#endif /* ARCH_MIPS_SPECIAL_H */
