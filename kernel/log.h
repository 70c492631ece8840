/* SPDX-License-Identifier: MIT */
/*
 * Formatted output of the monitor: %d %u %x %lx %lu %s %c %p, width, zero padding, '-'. Two ways:
 * kprintf to the serial line as it is (commands, dumps), log_line for events, "[node] module:
 * text", which go to the log's ring too.
 */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <stdarg.h>
#include "kernel/types.h"

int kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int ksnprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

void kprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One line; the node's number and the newline are added. */
void log_line(const char *module, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, but shown only: of what a guest can repeat as often as it likes, which would drive all else out of the ring. */
void log_passing(const char *module, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* KERNEL_LOG_H */
