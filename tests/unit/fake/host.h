/* SPDX-License-Identifier: MIT */
/*
 * Included before everything else in tests that need the machine's memory: the monitor's pointers
 * to it, XKPHYS on the machine, come from the test.
 */
#ifndef TESTS_UNIT_FAKE_HOST_H
#define TESTS_UNIT_FAKE_HOST_H

#include "arch/mips/arch.h"

void *fake_mpn_ptr(mpn_t mpn);
#define mpn_ptr(mpn)	 fake_mpn_ptr(mpn)
#define maddr_ptr(maddr) ((void *)((u8 *)fake_mpn_ptr(maddr_mpn(maddr)) + ((maddr).v & PAGE_MASK)))

#endif /* TESTS_UNIT_FAKE_HOST_H */
