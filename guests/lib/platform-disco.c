/* SPDX-License-Identifier: MIT */
/* The platform below a guest: the monitor. Console and power-off are monitor calls. */
#include "guests/lib/guest.h"
#include "guests/lib/hypercall.h"

const bool platform_is_native = false;
#ifndef PLATFORM_WINDOW
#define PLATFORM_WINDOW DISCO_CSSEG_BASE
#endif
const u64 platform_window = PLATFORM_WINDOW;

void platform_write(const char *s, size_t n)
{
	while (n) {
		s64 done = hypercall(DISCO_HC_CONSOLE_WRITE, guest_pa(s), n);

		if (done == -DISCO_EAGAIN)
			continue;
		if (done <= 0)
			return;
		s += done;
		n -= (size_t)done;
	}
}

void platform_off(int code)
{
	hypercall(DISCO_HC_POWEROFF, (u64)code, 0);
	for (;;)
		;
}
