/* SPDX-License-Identifier: MIT */
/* newlib's, and those that are to keep the mask of signals, which stays as it is here. */
#include_next <setjmp.h> /* outside of the guard: it may come here once more */

#ifndef THIN_SETJMP_H
#define THIN_SETJMP_H

typedef jmp_buf sigjmp_buf;
#define sigsetjmp(where, keep) ((void)(keep), setjmp(where))
#define siglongjmp(where, val) longjmp(where, val)

#endif /* THIN_SETJMP_H */
