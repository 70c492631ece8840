/* SPDX-License-Identifier: MIT */
/* What the two files of torture share. */
#ifndef GUESTS_LINUX_TORTURE_H
#define GUESTS_LINUX_TORTURE_H

#include <stddef.h>
#include <stdint.h>

#define PAGE 4096ul

/* Ends this process, and with it the run. */
_Noreturn void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define CHECK(ok)                                                         \
	do {                                                              \
		if (!(ok))                                                \
			fail("line %d: %s does not hold", __LINE__, #ok); \
	} while (0)

uint64_t mix(uint64_t v);
uint64_t random64(void);
unsigned below(unsigned n);

/* Memory with known contents: a function of key and place. */
void fill(void *at, size_t bytes, uint64_t key);
void verify(const void *at, size_t bytes, uint64_t key, const char *what);
void *map(size_t bytes, int prot, int flags, int fd);
void *anonymous(size_t bytes);

/* torture-memory.c */
void round_mmap(void);
void round_mprotect(void);
void round_code(void);
void round_pressure(void);

#endif /* GUESTS_LINUX_TORTURE_H */
