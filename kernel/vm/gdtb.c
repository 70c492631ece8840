/* SPDX-License-Identifier: MIT */
/*
 * The guest's device tree, written in one pass by libfdt's sequential functions. An error sticks:
 * each step does nothing after a failure, and gdtb_build looks once, at the end.
 */
#include "kernel/vm/gdtb.h"

#include <libfdt.h>
#include <string.h>

#include "kernel/abi/disco.h"
#include "kernel/errno.h"
#include "kernel/log.h"
#include "kernel/seed.h"

#define PHANDLE_INTC	  1
#define PHANDLE_CLOCK	  2
#define PHANDLE_DEVICE(i) (3 + (i)) /* those with switches */

struct writer {
	void *fdt;
	int err; /* the first libfdt error */
};

static void keep(struct writer *w, int err)
{
	if (!w->err)
		w->err = err;
}

static void begin(struct writer *w, const char *name)
{
	if (!w->err)
		keep(w, fdt_begin_node(w->fdt, name));
}

static void end(struct writer *w)
{
	if (!w->err)
		keep(w, fdt_end_node(w->fdt));
}

static void put(struct writer *w, const char *name, const void *value, int len)
{
	if (!w->err)
		keep(w, fdt_property(w->fdt, name, value, len));
}

static void put_string(struct writer *w, const char *name, const char *value)
{
	put(w, name, value, strlen(value) + 1);
}

static void put_u32(struct writer *w, const char *name, u32 value)
{
	fdt32_t cell;

	fdt32_st(&cell, value);
	put(w, name, &cell, sizeof(cell));
}

static void put_u64(struct writer *w, const char *name, u64 value)
{
	fdt64_t cells;

	fdt64_st(&cells, value);
	put(w, name, &cells, sizeof(cells));
}

/* Left open, for what else is to be said of it. */
static void begin_memory(struct writer *w, u64 from, u64 bytes)
{
	fdt64_t range[2];
	char name[24];

	fdt64_st(&range[0], from);
	fdt64_st(&range[1], bytes);
	ksnprintf(name, sizeof(name), "memory@%lx", (unsigned long)from);
	begin(w, name);
	put_string(w, "device_type", "memory");
	put(w, "reg", range, sizeof(range));
}

static void put_memory(struct writer *w, const struct gdtb_params *params)
{
	const struct gdtb_nodes *nodes = &params->nodes;
	u64 from = 0;

	for (u32 i = 0; i + 1 < nodes->n; i++, from += nodes->piece) {
		begin_memory(w, from, nodes->piece);
		put_u32(w, "numa-node-id", i);
		end(w);
	}
	begin_memory(w, from, params->memory_bytes - from);
	if (nodes->n)
		put_u32(w, "numa-node-id", nodes->n - 1);
	end(w);
}

/* Linux's bindings of NUMA: a distance holds for both ways unless the way back is listed later. */
static void put_distances(struct writer *w, const struct gdtb_nodes *nodes)
{
	fdt32_t row[GDTB_MAX_VCPUS * GDTB_MAX_VCPUS][3];
	u32 rows = 0;

	for (u32 from = 0; from < nodes->n; from++)
		for (u32 to = 0; to < nodes->n; to++) {
			if (to < from && nodes->distance[from][to] == nodes->distance[to][from])
				continue;
			fdt32_st(&row[rows][0], from);
			fdt32_st(&row[rows][1], to);
			fdt32_st(&row[rows++][2], nodes->distance[from][to]);
		}
	begin(w, "distance-map");
	put_string(w, "compatible", "numa-distance-map-v1");
	put(w, "distance-matrix", row, rows * sizeof(row[0]));
	end(w);
}

static void put_cpus(struct writer *w, const struct gdtb_params *params)
{
	char name[16];
	u32 i;

	begin(w, "cpus");
	put_u32(w, "#address-cells", 1);
	put_u32(w, "#size-cells", 0);
	for (i = 0; i < params->vcpus; i++) {
		ksnprintf(name, sizeof(name), "cpu@%x", (unsigned int)i);
		begin(w, name);
		put_string(w, "device_type", "cpu");
		put_string(w, "compatible", "mti,i6400");
		put_u32(w, "reg", i);
		put_u32(w, "clock-frequency", params->timer_hz);
		if (params->native)
			put_u32(w, "clocks", PHANDLE_CLOCK);
		if (params->nodes.n)
			put_u32(w, "numa-node-id", params->nodes.of_vcpu[i]);
		end(w);
	}
	end(w);
}

/* The processor's clock, as kernels of no particular board look for it: Count runs at half of it. */
static void put_clock(struct writer *w, const struct gdtb_params *params)
{
	begin(w, "clock");
	put_string(w, "compatible", "fixed-clock");
	put_u32(w, "#clock-cells", 0);
	put_u32(w, "clock-frequency", 2 * params->timer_hz);
	put_u32(w, "phandle", PHANDLE_CLOCK);
	end(w);
}

/* The interrupt controller inside each processor: Cause.IP bits are its lines. */
static void put_interrupts(struct writer *w)
{
	begin(w, "interrupt-controller");
	put_string(w, "compatible", "mti,cpu-interrupt-controller");
	put(w, "interrupt-controller", "", 0);
	put_u32(w, "#interrupt-cells", 1);
	put_u32(w, "#address-cells", 0);
	put_u32(w, "phandle", PHANDLE_INTC);
	end(w);
}

static void put_hypervisor(struct writer *w, const struct gdtb_params *params)
{
	begin(w, "hypervisor");
	put_string(w, "compatible", "disco,monitor");
	put_u32(w, "abi-version", DISCO_ABI_VERSION);
	put_string(w, "label", params->label);
	put_u32(w, "timer-frequency", params->timer_hz);
	put_u32(w, "timer-interrupt", DISCO_IRQ_TIMER);
	put_u32(w, "console-interrupt", DISCO_IRQ_CONSOLE);
	put_u32(w, "interrupts", DISCO_IRQ_CONSOLE);
	end(w);
}

static void put_switch(struct writer *w, const struct gdtb_switch *s, u32 phandle)
{
	begin(w, s->name);
	put_string(w, "compatible", s->compatible);
	put_u32(w, "regmap", phandle);
	put_u32(w, "offset", s->offset);
	put_u32(w, "value", s->value);
	end(w);
}

static void put_device(struct writer *w, const struct gdtb_device *dev, u32 phandle)
{
	fdt64_t range[2];
	char name[48];

	fdt64_st(&range[0], dev->base);
	fdt64_st(&range[1], dev->bytes);
	ksnprintf(name, sizeof(name), "%s@%lx", dev->name, (unsigned long)dev->base);
	begin(w, name);
	put_string(w, "compatible", dev->compatible);
	put(w, "reg", range, sizeof(range));
	if (dev->line)
		put_u32(w, "interrupts", dev->line);
	for (u32 i = 0; i < dev->nproperties; i++)
		put(w, dev->property[i].name, dev->property[i].value, dev->property[i].bytes);
	if (dev->nswitches)
		put_u32(w, "phandle", phandle);
	end(w);
	for (u32 i = 0; i < dev->nswitches; i++)
		put_switch(w, &dev->switches[i], phandle);
}

static void put_chosen(struct writer *w, const struct gdtb_params *params)
{
	begin(w, "chosen");
	put_string(w, "bootargs", params->bootargs);
	put_string(w, "stdout-path", "/hypervisor");
	if (params->seed)
		put(w, "rng-seed", params->seed, SEED_BYTES);
	if (params->initrd_end > params->initrd_start) {
		put_u64(w, "linux,initrd-start", params->initrd_start);
		put_u64(w, "linux,initrd-end", params->initrd_end);
	}
	end(w);
}

static void put_tree(struct writer *w, const struct gdtb_params *params)
{
	begin(w, "");
	put_u32(w, "#address-cells", 2);
	put_u32(w, "#size-cells", 2);
	put_u32(w, "interrupt-parent", PHANDLE_INTC);
	put_string(w, "compatible", "disco,guest");
	put_string(w, "model", params->label);
	put_memory(w, params);
	put_cpus(w, params);
	if (params->nodes.n)
		put_distances(w, &params->nodes);
	if (params->native)
		put_clock(w, params);
	put_interrupts(w);
	put_hypervisor(w, params);
	for (u32 i = 0; i < params->ndevices; i++)
		put_device(w, &params->devices[i], PHANDLE_DEVICE(i));
	put_chosen(w, params);
	end(w);
}

int gdtb_build(void *buf, size_t size, const struct gdtb_params *params)
{
	struct writer w = { buf, 0 };

	if (params->vcpus < 1 || params->vcpus > GDTB_MAX_VCPUS || params->memory_bytes == 0 ||
	    params->initrd_end < params->initrd_start ||
	    params->initrd_end > params->memory_bytes || params->nodes.n > GDTB_MAX_VCPUS ||
	    params->nodes.n * params->nodes.piece > params->memory_bytes)
		return -EINVAL;
	keep(&w, fdt_create(buf, (int)MIN(size, (size_t)INT32_MAX)));
	if (!w.err)
		keep(&w, fdt_finish_reservemap(buf));
	put_tree(&w, params);
	if (!w.err)
		keep(&w, fdt_finish(buf));
	if (w.err)
		return w.err == -FDT_ERR_NOSPACE ? -ENOSPC : -EINVAL;
	return (int)fdt_totalsize(buf);
}
