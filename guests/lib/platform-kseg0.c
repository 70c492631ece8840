/* SPDX-License-Identifier: MIT */
/*
 * The platform below a kernel that was linked for KSEG0 and calls the monitor all the same. Where it sees "physical" memory is
 * a relocation, which moves with its other symbols.
 */
#include "guests/lib/guest.h"

#define IMAGE_AT	0x100000 /* "physical", as guest_link says */
#define PLATFORM_WINDOW ((u64)__image_start - IMAGE_AT)
#include "guests/lib/platform-disco.c"
