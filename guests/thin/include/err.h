/* SPDX-License-Identifier: MIT */
/* Messages that begin with the program's name, as 4.4BSD has them, and Linux. */
#ifndef THIN_ERR_H
#define THIN_ERR_H

#include <stdarg.h>

#define THIN_PRINTF(text, first) __attribute__((format(printf, text, first)))

_Noreturn void err(int status, const char *format, ...) THIN_PRINTF(2, 3);
_Noreturn void errx(int status, const char *format, ...) THIN_PRINTF(2, 3);
_Noreturn void verr(int status, const char *format, va_list ap) THIN_PRINTF(2, 0);
_Noreturn void verrx(int status, const char *format, va_list ap) THIN_PRINTF(2, 0);
void warn(const char *format, ...) THIN_PRINTF(1, 2);
void warnx(const char *format, ...) THIN_PRINTF(1, 2);
void vwarn(const char *format, va_list ap) THIN_PRINTF(1, 0);
void vwarnx(const char *format, va_list ap) THIN_PRINTF(1, 0);

#undef THIN_PRINTF

#endif /* THIN_ERR_H */
