/* SPDX-License-Identifier: MIT */
/* The ring before the serial line. */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "kernel/console/output.h"
#include "kernel/log.h"
#include "kernel/mem/shootdown.h"

#define PATIENCE_MS 10	 /* for a terminal that takes nothing, once; then what comes is lost */
#define FLUSH_MS    2000 /* the same at the machine's end, for each byte */

/* under the console's lock */
static char ring[OUTPUT_RING];
static u32 head, tail; /* bytes put and taken, ever */
static bool by_interrupt, stuck;
static u32 lost; /* bytes, while stuck */

static void take_one(void) { serial_put(ring[tail++ % OUTPUT_RING]); }

/*
 * False: the line has not been ready for longer than the monitor waits. Others may wait for this node
 * to answer a shootdown meanwhile.
 */
static bool make_room(void)
{
	u64 give_up = count64() + PATIENCE_MS * COUNT_MS;

	while (!serial_ready()) {
		if (stuck || count64() > give_up)
			return false;
		if (by_interrupt)
			shootdown_answer(node_self());
	}
	take_one();
	return true;
}

static void put_byte(char c)
{
	if (head - tail == OUTPUT_RING && !make_room()) {
		stuck = true;
		lost++;
		return;
	}
	ring[head++ % OUTPUT_RING] = c;
}

static void tell_lost(void)
{
	char line[64];
	int n = ksnprintf(line, sizeof(line), "\r\n[... %u bytes lost: the line stood still]\r\n",
			  lost);

	stuck = false;
	lost = 0;
	for (int i = 0; i < n; i++)
		put_byte(line[i]);
}

static void ask(void) { serial_ask_room(by_interrupt && head != tail); }

void output_drain(u32 max)
{
	for (; max && head != tail && serial_ready(); max--)
		take_one();
	if (stuck && head - tail < OUTPUT_RING / 2)
		tell_lost();
	ask();
}

/*
 * A line that nobody reads does not keep the machine from its end; nor does a lock that was broken while its
 * holder waited for the line: that node takes one byte more, so that tail may be past head.
 */
void output_flush(void)
{
	u64 give_up = count64() + FLUSH_MS * COUNT_MS;

	while ((s32)(head - tail) > 0 && count64() < give_up) {
		if (serial_ready()) {
			take_one();
			give_up = count64() + FLUSH_MS * COUNT_MS;
		}
	}
	tail = head;
	ask();
}

void output_put(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		put_byte(s[i]);
	if (by_interrupt)
		ask();
	else
		output_flush();
}

void output_text(const char *s, size_t len)
{
	while (len) {
		const char *end = memchr(s, '\n', len);
		size_t part = end ? (size_t)(end - s) : len;

		output_put(s, part);
		if (!end)
			return;
		output_put("\r\n", 2);
		s += part + 1;
		len -= part + 1;
	}
}

void output_fresh_line(void)
{
	if (head && ring[(head - 1) % OUTPUT_RING] != '\n')
		output_put("\r\n", 2);
}

void output_string(const char *s) { output_text(s, strlen(s)); }

size_t output_room_for_guest(void)
{
	u32 used = head - tail;

	return used < OUTPUT_RING / 2 ? OUTPUT_RING / 2 - used : 0;
}

void output_by_interrupt(bool on)
{
	by_interrupt = on;
	if (on)
		ask();
	else
		output_flush();
}
