/* SPDX-License-Identifier: MIT */
/*
 * A VM's console. Output is kept in a ring for replay. An attached guest has the terminal as it is,
 * and waits for it; of everybody else whole lines are shown with the VM's name before them, as many
 * as the VM's budget allows. Input waits in a ring until the guest takes it.
 */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "kernel/abi/disco.h"
#include "kernel/console/console.h"
#include "kernel/console/output.h"
#include "kernel/console/text.h"
#include "kernel/log.h"
#include "kernel/vm/vm.h"

#define MARKS_MAX      32 /* bytes of marks on top of the last letter, beyond that */
#define TICKS_PER_BYTE (COUNT_HZ / VCONS_BYTES_PER_SECOND)
#define SAVINGS_MAX    (VCONS_BURST * TICKS_PER_BYTE)
#define READ_PER_TICK  512 /* bytes that a guest gets of its input in 10 ms: no driver loses them */
#define HOLD_MS	       1000 /* how long the line waits for a guest that takes nothing, */
#define TAKES_PART     256  /* or fewer bytes than these */

struct vcons {
	struct device *dev;
	struct vm *vm;
	struct device *other; /* fixed after boot: the other way to this console */
	void (*tell)(struct device *other);
	/* under the console's lock */
	u32 replay_at; /* next byte of the ring */
	bool replay_full;
	struct utf8 letter; /* of output, on its way */
	u32 line_len;
	char line[VCONS_LINE + MARKS_MAX]; /* of output, not yet shown */
	char last;			   /* byte sent to the serial line */
	u32 shown;			   /* bytes of lines that this call has put */
	u64 savings;			   /* Count ticks: what may be shown, at TICKS_PER_BYTE */
	u64 saved_at;			   /* count64 */
	u32 dropped;			   /* lines over the budget, not yet told of */
	u32 size;			   /* as vcons_size gives it */
	u32 in_head, in_tail;
	bool called;  /* the guest has asked for input by a call */
	bool full;    /* output was refused since the last tick */
	u32 read;     /* bytes of input taken since the last tick */
	u64 taken_at; /* count64, when the guest last took some, or found the ring empty */
	char input[VCONS_INPUT];
	char replay[VCONS_REPLAY];
};

static void create(struct device *dev)
{
	struct vcons *c = dev->state;

	c->dev = dev;
	c->vm = dev->vm;
	c->savings = SAVINGS_MAX;
	dev->vm->cons = c;
}

static void reset(struct device *dev)
{
	struct vcons *c = dev->state;

	console_lock();
	c->in_head = c->in_tail = 0;
	c->called = false;
	console_unlock();
}

void vcons_tell(struct vcons *c, struct device *other, void (*tell)(struct device *other))
{
	c->other = other;
	c->tell = tell;
}

static void tell_other(struct vcons *c)
{
	if (c->other)
		c->tell(c->other);
}

/* There is input, or another size. */
static void tell(struct vcons *c)
{
	device_raise(c->dev);
	tell_other(c);
}

static void keep(struct vcons *c, char ch)
{
	c->replay[c->replay_at++] = ch;
	if (c->replay_at == VCONS_REPLAY) {
		c->replay_at = 0;
		c->replay_full = true;
	}
}

/* ---- output of the attached guest ---- */

/* As it is, but a guest that ends its lines with a newline alone gets the carriage return that a
 * terminal wants. */
static void put_terminal(struct vcons *c, char ch)
{
	if (ch == '\n' && c->last != '\r')
		output_put("\r", 1);
	output_put(&ch, 1);
	c->last = ch;
}

/* ---- lines of the others ---- */

static void earn(struct vcons *c)
{
	u64 now = count64();

	c->savings = MIN(c->savings + (now - c->saved_at), SAVINGS_MAX);
	c->saved_at = now;
}

static void show(struct vcons *c, const char *text, size_t len)
{
	console_show(text, len);
	c->shown += len;
}

/* Not before half of a burst has been saved, so that there is no such line for every few others. */
static bool tell_dropped(struct vcons *c, u64 needed)
{
	char line[64];

	if (c->savings < needed)
		return false;
	if (c->dropped)
		show(c, line,
		     ksnprintf(line, sizeof(line), "[%s] ... %u lines dropped\n", c->vm->name,
			       c->dropped));
	c->dropped = 0;
	return true;
}

static void show_line(struct vcons *c)
{
	char prefixed[VCONS_LINE + MARKS_MAX + 24];
	int n = ksnprintf(prefixed, sizeof(prefixed), "[%s] ", c->vm->name);
	u64 price = (n + c->line_len + 1) * TICKS_PER_BYTE;

	earn(c);
	if (tell_dropped(c, c->dropped ? SAVINGS_MAX / 2 : price)) {
		memcpy(prefixed + n, c->line, c->line_len);
		prefixed[n + c->line_len] = '\n';
		show(c, prefixed, n + c->line_len + 1);
		c->savings -= price;
	} else {
		c->dropped++;
	}
	c->line_len = 0;
}

/* Shown beside other guests' lines and the monitor's: what could move the cursor or erase is not
 * sent. A line is cut before a letter that does not fit, but not before what goes on top of one. */
static void collect_letters(struct vcons *c, u8 byte, bool *again)
{
	char letter_bytes[HARMLESS_BYTES];
	u32 letter, n = text_harmless(&c->letter, byte, letter_bytes, &letter, again);

	if (!n)
		return;
	if (letter == '\n') {
		show_line(c);
		return;
	}
	if (c->line_len + n > (letter_width(letter) ? VCONS_LINE : VCONS_LINE + MARKS_MAX))
		show_line(c);
	memcpy(c->line + c->line_len, letter_bytes, n);
	c->line_len += n;
}

static void collect(struct vcons *c, char ch)
{
	bool again;

	if (ch == '\r')
		return;
	collect_letters(c, (u8)ch, &again);
	if (again)
		collect_letters(c, (u8)ch, &again);
}

/* ---- what guests call ---- */

static size_t write_attached(struct vcons *c, const char *buf, size_t len)
{
	size_t n = 0;

	for (; n < len && output_room_for_guest() >= 2; n++) {
		keep(c, buf[n]);
		put_terminal(c, buf[n]);
	}
	return n;
}

static size_t write_lines(struct vcons *c, const char *buf, size_t len)
{
	size_t n = 0;

	for (c->shown = 0; n < len && c->shown < OUTPUT_STEP; n++) {
		keep(c, buf[n]);
		collect(c, buf[n]);
	}
	return n;
}

size_t vcons_write(struct vcons *c, const char *buf, size_t len)
{
	size_t n;

	console_lock();
	len = MIN(len, (size_t)VCONS_WRITE);
	if (console_attached() == c->vm)
		n = write_attached(c, buf, len);
	else
		n = write_lines(c, buf, len);
	c->full |= !n;
	output_drain(2 * OUTPUT_STEP); /* more than was added: the guest pays for its own */
	console_unlock();
	return n;
}

static void shutdown(struct device *dev)
{
	struct vcons *c = dev->state;

	u64 savings;

	console_lock();
	earn(c);
	savings = c->savings;	  /* ending and starting again earns nothing */
	c->savings = SAVINGS_MAX; /* the last words are shown */
	if (c->line_len)
		show_line(c);
	tell_dropped(c, 0);
	c->savings = savings;
	console_unlock();
}

static bool has_input(const struct vcons *c)
{
	return c->in_tail != c->in_head && c->read < READ_PER_TICK;
}

static int read_locked(struct vcons *c)
{
	int ch = -1;

	if (c->in_tail == c->in_head || c->in_tail % TAKES_PART == 0)
		c->taken_at = count64();
	if (has_input(c)) {
		ch = (u8)c->input[c->in_tail++ % VCONS_INPUT];
		c->read++;
	}
	if (c->in_tail == c->in_head || c->read >= READ_PER_TICK)
		device_lower(c->dev);
	return ch;
}

int vcons_read(struct vcons *c)
{
	int ch;

	console_lock();
	c->called = true;
	ch = read_locked(c);
	console_unlock();
	return ch;
}

bool vcons_has_input(struct vcons *c)
{
	bool has;

	console_lock();
	has = !c->called && has_input(c);
	console_unlock();
	return has;
}

size_t vcons_take(struct vcons *c, char *buf, size_t len)
{
	size_t n = 0;

	console_lock();
	while (n < len && !c->called && has_input(c))
		buf[n++] = read_locked(c);
	console_unlock();
	return n;
}

void vcons_tick(struct vcons *c)
{
	bool more, full;

	console_lock();
	more = c->in_tail != c->in_head; /* whatever became of the interrupt when it came */
	c->read = 0;
	full = c->full;
	c->full = false;
	if (c->dropped) {
		earn(c);
		tell_dropped(c, SAVINGS_MAX / 2);
	}
	console_unlock();
	if (more)
		tell(c);
	else if (full)
		tell_other(c);
}

/* ---- what is typed ---- */

bool vcons_takes_input(const struct vcons *c)
{
	return c->in_head - c->in_tail < VCONS_INPUT ||
	       count64() > c->taken_at + HOLD_MS * COUNT_MS;
}

/* While bytes wait the line is up already, or the tick raises it: one interrupt for a whole paste. */
void vcons_input(struct vcons *c, char ch)
{
	bool first;

	console_lock();
	first = c->in_head == c->in_tail;
	if (c->in_head - c->in_tail < VCONS_INPUT)
		c->input[c->in_head++ % VCONS_INPUT] = ch;
	console_unlock();
	if (first)
		tell(c);
}

void vcons_input_first(struct vcons *c, char ch)
{
	bool short_wait;

	console_lock();
	short_wait = c->in_head - c->in_tail <= VCONS_IN_ORDER;
	console_unlock();
	if (short_wait) {
		vcons_input(c, ch);
		return;
	}
	console_lock();
	if (c->in_head - c->in_tail == VCONS_INPUT)
		c->in_head--;
	c->input[--c->in_tail % VCONS_INPUT] = ch;
	console_unlock();
	tell(c);
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
		tell(c);
}

u32 vcons_size(struct vcons *c)
{
	u32 size;

	console_lock();
	size = c->size;
	console_unlock();
	return size;
}

static void replay_byte(struct plain *p, u8 byte)
{
	char letter[HARMLESS_BYTES];
	bool again;

	output_text(letter, text_plain(p, byte, letter, &again));
	if (again)
		output_text(letter, text_plain(p, byte, letter, &again));
}

void vcons_replay(struct vcons *c)
{
	u32 start = c->replay_full ? c->replay_at : 0;
	u32 len = c->replay_full ? VCONS_REPLAY : c->replay_at;
	struct plain plain = { .state = PLAIN_TEXT };

	for (u32 i = 0; i < len; i++)
		replay_byte(&plain, (u8)c->replay[(start + i) % VCONS_REPLAY]);
	c->line_len = 0; /* shown now */
	c->letter.need = c->letter.have = 0;
	c->last = '\0';
}

const struct device_type vcons_type = {
	.name = "console",
	.state_bytes = sizeof(struct vcons),
	.line = DISCO_IRQ_CONSOLE,
	.create = create,
	.reset = reset,
	.shutdown = shutdown,
};
