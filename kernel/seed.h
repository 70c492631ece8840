/* SPDX-License-Identifier: MIT */
/*
 * Seeds for guests' random numbers: each is drawn once, from a key that the boot loader gave, and
 * the key goes on one-way, so that no seed tells of another one, earlier or later.
 */
#ifndef KERNEL_SEED_H
#define KERNEL_SEED_H

#include "kernel/types.h"

#define SEED_BYTES 32

/*
 * The boot loader's seed, hexadecimal digits, which are overwritten; NULL: it gave none. Boot only.
 */
void seed_init(char *digits);

/* Another seed, different at each call. False: there was none to begin with. Any node; takes
 * RANK_SEED. The caller wipes its copies (seed_wipe). */
bool seed_draw(u8 seed[SEED_BYTES]);

/* Zeroes that the compiler does not leave out. */
void seed_wipe(void *bytes, size_t size);

#endif /* KERNEL_SEED_H */
