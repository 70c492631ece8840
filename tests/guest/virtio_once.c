/* SPDX-License-Identifier: MIT */
/*
 * Rule: a device whose driver stored 1 to INTERRUPT_ONCE lets go of its line when the interrupt for used buffers is delivered, which
 * the special page's Cause shows; each buffer that goes back afterwards raises it again, and a change of the configuration is
 * acknowledged as ever. Without that store, and after a reset, the line is up until it is acknowledged. docs/guest-abi.md.
 *
 * Method: the entropy device; interrupts counted while each way is tried, let through at once or held back by IE or IM.
 */
#include "tests/guest/rng.h"

#define INTERRUPT_ONCE 0x068
#define LINE	       DISCO_IRQ_DEVICE
#define OPEN	       (ST_BASE | ST_IM(LINE))

static volatile unsigned taken;
static bool acknowledge;
static u32 cause, reasons;

static bool handler(struct frame *f)
{
	if (frame_exc(f) != EXC_INT)
		return false;
	taken++;
	cause = (u32) * (volatile u64 *)(DISCO_SPECIAL_PAGE + DISCO_SP_REG(13, 0));
	reasons = virtio_get(&rng, VIRTIO_INTERRUPT_STATUS);
	if (acknowledge)
		virtio_put(&rng, VIRTIO_INTERRUPT_ACK, reasons);
	if (taken > 100) /* a line that does not go down */
		f->status = ST_BASE;
	return true;
}

static void let_in(void)
{
	cp0_write_status(OPEN | ST_IE);
	for (volatile int i = 0; i < 100; i++)
		;
	cp0_write_status(OPEN);
}

static void request(void) { one(guest_pa(buffer), 32, VIRTIO_WRITE, 0); }

static void begin(bool once)
{
	cp0_write_status(OPEN);
	taken = 0;
	start(0);
	check_eq("INTERRUPT_ONCE after a reset", virtio_get(&rng, INTERRUPT_ONCE), 0);
	virtio_put(&rng, INTERRUPT_ONCE, once);
	check_eq("INTERRUPT_ONCE as stored", virtio_get(&rng, INTERRUPT_ONCE), once);
	acknowledge = !once;
}

static void each_is_delivered_once(void)
{
	begin(true);
	for (unsigned i = 1; i <= 3; i++) {
		request();
		let_in();
		check_eq("interrupts", taken, i);
		check_eq("Cause.IP of the device", cause & CAUSE_IP(LINE), CAUSE_IP(LINE));
		check_eq("reasons", reasons, 0);
		let_in();
		check_eq("interrupts of none more", taken, i);
	}
}

static void what_is_held_back_is_not_lost(void)
{
	begin(true);
	request();
	request();
	check_eq("while IE is 0", taken, 0);
	cp0_write_status(ST_BASE | ST_IE); /* IM lets nothing through */
	cp0_write_status(OPEN);
	check_eq("while IM is 0", taken, 0);
	let_in();
	check_eq("two that waited", taken, 1);
	request();
	let_in();
	check_eq("one behind them", taken, 2);
}

/* It is for something else, which the driver was told of before: the interrupt for the buffer is still to come. */
static void an_acknowledgement_takes_nothing_away(void)
{
	begin(true);
	request();
	virtio_put(&rng, VIRTIO_INTERRUPT_ACK, 2);
	let_in();
	check_eq("interrupts behind an acknowledgement", taken, 1);
	let_in();
	check_eq("interrupts of none more", taken, 1);
}

/* The device wants a reset: a change of the configuration. */
static void a_change_is_read_and_acknowledged(void)
{
	begin(true);
	acknowledge = true;
	one(guest_pa(buffer), 0, VIRTIO_WRITE, 0);
	let_in();
	check(status() & VIRTIO_NEEDS_RESET, "an empty buffer: status %x", status());
	check_eq("interrupts for a change", taken, 1);
	check_eq("reasons of a change", reasons, 2);
	check_eq("reasons afterwards", virtio_get(&rng, VIRTIO_INTERRUPT_STATUS), 0);
}

static void without_it_the_line_waits_for_an_acknowledgement(void)
{
	begin(false);
	request();
	let_in();
	check_eq("interrupts", taken, 1);
	check_eq("reasons", reasons, 1);
	acknowledge = false;
	request();
	let_in();
	check(taken > 2, "a line that nobody acknowledges was taken %u times", taken);
	virtio_put(&rng, VIRTIO_INTERRUPT_ACK, 1);
	taken = 0;
	let_in();
	check_eq("behind the acknowledgement", taken, 0);
}

int main(void)
{
	need_monitor();
	find_rng();
	trap_hook = handler;
	each_is_delivered_once();
	what_is_held_back_is_not_lost();
	an_acknowledgement_takes_nothing_away();
	a_change_is_read_and_acknowledged();
	without_it_the_line_waits_for_an_acknowledgement();
	trap_hook = NULL;
	works("interrupts");
	return verdict();
}
