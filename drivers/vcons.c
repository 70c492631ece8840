/* SPDX-License-Identifier: MIT */
/*
 * A VM's console. Output is kept in a ring for replay; while nobody is attached it is shown in
 * whole lines with the VM's name before them. Input waits in a ring until the guest takes it.
 */
#include <string.h>
#include "drivers/dev.h"
#include "kernel/abi/disco.h"
#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/vm/vm.h"

#define INPUT_MAX 4096 /* as much as a terminal holds for its reader: what is pasted in one go */
#define LINE_MAX  200

struct vcons {
	struct device *dev;
	struct vm *vm;
	/* under the console's lock */
	u32 replay_at; /* next byte of the ring */
	bool replay_full;
	u32 line_len;
	char line[LINE_MAX]; /* of output, not yet shown */
	char last;	     /* byte sent to the serial line */
	u32 size;	     /* as vcons_size gives it */
	u32 in_head, in_tail;
	char input[INPUT_MAX];
	char replay[VCONS_REPLAY];
};

static void create(struct device *dev)
{
	struct vcons *c = dev->state;

	c->dev = dev;
	c->vm = dev->vm;
	dev->vm->cons = c;
}

static void reset(struct device *dev)
{
	struct vcons *c = dev->state;

	console_lock();
	c->in_head = c->in_tail = 0;
	console_unlock();
}

static void keep(struct vcons *c, char ch)
{
	c->replay[c->replay_at++] = ch;
	if (c->replay_at == VCONS_REPLAY) {
		c->replay_at = 0;
		c->replay_full = true;
	}
}

/* As it is, but a guest that ends its lines with a newline alone gets the carriage return that a
 * terminal wants. */
static void put_terminal(struct vcons *c, char ch)
{
	if (ch == '\n' && c->last != '\r')
		serial_put('\r');
	serial_put(ch);
	c->last = ch;
}

static void show_line(struct vcons *c)
{
	char prefixed[LINE_MAX + 24];
	int n = ksnprintf(prefixed, sizeof(prefixed), "[%s] ", c->vm->name);

	memcpy(prefixed + n, c->line, c->line_len);
	prefixed[n + c->line_len] = '\n';
	console_show(prefixed, n + c->line_len + 1);
	c->line_len = 0;
}

/* Shown beside other guests' lines and the monitor's: what could move the cursor or erase is not
 * sent. */
static char harmless(char ch)
{
	return (ch >= 0 && ch < ' ' && ch != '\t') || ch == 0x7f ? '?' : ch;
}

static void collect(struct vcons *c, char ch)
{
	if (ch == '\r')
		return;
	if (ch != '\n')
		c->line[c->line_len++] = harmless(ch);
	if (ch == '\n' || c->line_len == LINE_MAX)
		show_line(c);
}

void vcons_write(struct vcons *c, const char *buf, size_t len)
{
	bool raw;

	console_lock();
	raw = console_attached() == c->vm;
	for (size_t i = 0; i < len; i++) {
		keep(c, buf[i]);
		if (raw)
			put_terminal(c, buf[i]);
		else
			collect(c, buf[i]);
	}
	console_unlock();
}

static void shutdown(struct device *dev)
{
	struct vcons *c = dev->state;

	console_lock();
	if (c->line_len)
		show_line(c);
	console_unlock();
}

int vcons_read(struct vcons *c)
{
	int ch = -1;

	console_lock();
	if (c->in_tail != c->in_head)
		ch = (u8)c->input[c->in_tail++ % INPUT_MAX];
	if (c->in_tail == c->in_head)
		device_lower(c->dev);
	console_unlock();
	return ch;
}

/* A full ring drops what is typed, as a terminal does. */
void vcons_input(struct vcons *c, char ch)
{
	console_lock();
	if (c->in_head - c->in_tail < INPUT_MAX)
		c->input[c->in_head++ % INPUT_MAX] = ch;
	console_unlock();
	device_raise(c->dev);
}

void vcons_set_size(struct vcons *c, u32 rows, u32 columns)
{
	u32 size = (rows & 0xffff) << 16 | (columns & 0xffff);
	bool changed;

	console_lock();
	changed = size != c->size;
	c->size = size;
	console_unlock();
	if (changed)
		device_raise(c->dev);
}

u32 vcons_size(struct vcons *c)
{
	u32 size;

	console_lock();
	size = c->size;
	console_unlock();
	return size;
}

void vcons_replay(struct vcons *c)
{
	u32 start = c->replay_full ? c->replay_at : 0;
	u32 len = c->replay_full ? VCONS_REPLAY : c->replay_at;

	for (u32 i = 0; i < len; i++)
		put_terminal(c, c->replay[(start + i) % VCONS_REPLAY]);
	c->line_len = 0; /* shown now */
}

const struct device_type vcons_type = {
	.name = "console",
	.state_bytes = sizeof(struct vcons),
	.line = DISCO_IRQ_CONSOLE,
	.create = create,
	.reset = reset,
	.shutdown = shutdown,
};
