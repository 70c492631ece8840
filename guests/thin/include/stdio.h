/* SPDX-License-Identifier: MIT */
/* newlib's, and the names by which POSIX knows two functions of it. gets() is not in C since C11: a program may call its own so. */
#define gets thin_no_gets
#include_next <stdio.h> /* outside of the guard: it may come here once more */
#undef gets

#ifndef THIN_STDIO_H
#define THIN_STDIO_H

#if __POSIX_VISIBLE >= 200809
ssize_t getdelim(char **line, size_t *room, int end, FILE *f);
ssize_t getline(char **line, size_t *room, FILE *f);
#endif

#endif /* THIN_STDIO_H */
