/* SPDX-License-Identifier: MIT */
/*
 * mark begin|end UNIT: one marker instruction of qemu/plugin/count.c, for shell scripts. UNIT is 64
 * to 67, a workload's; what starting this program costs is counted with it. mark wait SECONDS: until the time of day is a multiple of
 * that, so that machines begin at once.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BEGIN(unit) __asm__ volatile("sltiu $0, $0, %0" ::"i"(0x5100 + (unit)) : "memory")
#define END(unit)   __asm__ volatile("sltiu $0, $0, %0" ::"i"(0x5200 + (unit)) : "memory")
#define CASE(unit)                   \
	case unit:                   \
		if (begin)           \
			BEGIN(unit); \
		else                 \
			END(unit);   \
		return 0

static int wait_for(long seconds)
{
	struct timespec now;

	if (seconds < 1 || clock_gettime(CLOCK_REALTIME, &now))
		return 2;
	now.tv_sec += seconds - now.tv_sec % seconds;
	now.tv_nsec = 0;
	return clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &now, NULL);
}

int main(int argc, char **argv)
{
	int begin = argc == 3 && !strcmp(argv[1], "begin");
	int unit = argc == 3 ? (argv[2][0] - '0') * 10 + (argv[2][1] - '0') : 0;

	if (argc == 3 && !strcmp(argv[1], "wait"))
		return wait_for(atol(argv[2]));
	switch (unit) {
		CASE(64);
		CASE(65);
		CASE(66);
		CASE(67);
	default: return 2;
	}
}
