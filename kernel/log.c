/* SPDX-License-Identifier: MIT */
/*
 * Lines of text from the monitor itself. Formatting is format.c's, where the lines go console.c's.
 */
#include <string.h>
#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/node.h"
#include "arch/mips/arch.h"

#define LINE_MAX 256

void kprintf(const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	console_write(line, strlen(line));
}

static void say(bool kept, const char *module, const char *fmt, va_list ap)
{
	char line[LINE_MAX];
	int n = ksnprintf(line, sizeof(line), "[%u] %s: ", node_self()->id, module);

	kvsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	n = strlen(line);
	line[n] = '\n';
	console_log(line, n + 1, kept);
}

void log_line(const char *module, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(true, module, fmt, ap);
	va_end(ap);
}

void log_passing(const char *module, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(false, module, fmt, ap);
	va_end(ap);
}
