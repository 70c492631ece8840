/* SPDX-License-Identifier: MIT */
/* kernel/vm/gdtb.c: the guest's tree read back with libfdt, and too little room for it. */
#include "tests/unit/unit.h"

#include <libfdt.h>

#include "kernel/abi/disco.h"
#include "kernel/errno.h"
#include "kernel/seed.h"
#include "kernel/vm/gdtb.h"

static char buf[GDTB_MAX_BYTES] __attribute__((aligned(8)));

static struct gdtb_params good_params(void)
{
	return (struct gdtb_params){
		.label = "alpha",
		.bootargs = "quiet",
		.memory_bytes = 64ull << 20,
		.initrd_start = 0x3000000,
		.initrd_end = 0x3000123,
		.vcpus = 2,
		.timer_hz = 166666666,
	};
}

static u32 cell(const char *path, const char *name)
{
	int len;
	const void *value = fdt_getprop(buf, fdt_path_offset(buf, path), name, &len);

	assert_non_null(value);
	assert_int_equal(len, 4);
	return fdt32_ld(value);
}

static u64 cells(const char *path, const char *name, int i)
{
	int len;
	const fdt64_t *value = fdt_getprop(buf, fdt_path_offset(buf, path), name, &len);

	assert_non_null(value);
	assert_true(len >= 8 * (i + 1));
	return fdt64_ld(value + i);
}

static const char *string(const char *path, const char *name)
{
	const char *value = fdt_getprop(buf, fdt_path_offset(buf, path), name, NULL);

	assert_non_null(value);
	return value;
}

static void says_what_the_guest_has(void **state)
{
	struct gdtb_params params = good_params();
	int size = gdtb_build(buf, sizeof(buf), &params);

	(void)state;
	assert_true(size > 0);
	assert_int_equal(size, fdt_totalsize(buf));
	assert_int_equal(fdt_check_header(buf), 0);
	assert_string_equal(string("/", "compatible"), "disco,guest");
	assert_string_equal(string("/", "model"), "alpha");
	assert_int_equal(cells("/memory@0", "reg", 0), 0);
	assert_int_equal(cells("/memory@0", "reg", 1), 64ull << 20);
	assert_int_equal(cell("/cpus/cpu@1", "reg"), 1);
	assert_int_equal(cell("/cpus/cpu@1", "clock-frequency"), 166666666);
	assert_true(fdt_path_offset(buf, "/cpus/cpu@2") < 0);
	assert_string_equal(string("/interrupt-controller", "compatible"),
			    "mti,cpu-interrupt-controller");
	assert_int_equal(cell("/interrupt-controller", "#interrupt-cells"), 1);
	assert_string_equal(string("/hypervisor", "compatible"), "disco,monitor");
	assert_int_equal(cell("/hypervisor", "abi-version"), DISCO_ABI_VERSION);
	assert_int_equal(cell("/hypervisor", "interrupts"), DISCO_IRQ_CONSOLE);
	assert_string_equal(string("/chosen", "bootargs"), "quiet");
	assert_int_equal(cells("/chosen", "linux,initrd-start", 0), 0x3000000);
	assert_int_equal(cells("/chosen", "linux,initrd-end", 0), 0x3000123);
}

static void names_the_devices(void **state)
{
	static const struct gdtb_device list[] = {
		{ "one", "disco,one", 0x100000000, 0x30, 3, 0, { { 0 } }, 0, NULL },
		{ "two", "disco,two", 0x100001000, 0x1000, 4, 1, { { "names", "a\0b", 4 } }, 0, NULL },
	};
	struct gdtb_params params = good_params();

	(void)state;
	params.devices = list;
	params.ndevices = 2;
	assert_true(gdtb_build(buf, sizeof(buf), &params) > 0);
	assert_string_equal(string("/one@100000000", "compatible"), "disco,one");
	assert_int_equal(cells("/two@100001000", "reg", 0), 0x100001000);
	assert_int_equal(cells("/two@100001000", "reg", 1), 0x1000);
	assert_int_equal(cell("/two@100001000", "interrupts"), 4);
	assert_memory_equal(string("/two@100001000", "names"), "a\0b", 4);
	assert_null(fdt_getprop(buf, fdt_path_offset(buf, "/one@100000000"), "names", NULL));
}

static void names_what_registers_switch(void **state)
{
	static const struct gdtb_switch off[] = { { "off", "syscon-off", 0x100, 0x42 },
						  { "again", "syscon-again", 0x104, 7 } };
	static const struct gdtb_device list[] = {
		{ "one", "disco,one", 0x100000000, 0x30, 3, 0, { { 0 } }, 0, NULL },
		{ "panel", "syscon", 0x1f000400, 0x108, 0, 0, { { 0 } }, 2, off },
	};
	struct gdtb_params params = good_params();

	(void)state;
	params.devices = list;
	params.ndevices = 2;
	assert_true(gdtb_build(buf, sizeof(buf), &params) > 0);
	assert_string_equal(string("/again", "compatible"), "syscon-again");
	assert_int_equal(cell("/off", "offset"), 0x100);
	assert_int_equal(cell("/off", "value"), 0x42);
	assert_int_equal(cell("/again", "value"), 7);
	assert_int_equal(cell("/off", "regmap"), cell("/panel@1f000400", "phandle"));
	assert_int_equal(cell("/again", "regmap"), cell("/panel@1f000400", "phandle"));
	assert_int_not_equal(cell("/off", "regmap"), cell("/interrupt-controller", "phandle"));
	assert_null(fdt_getprop(buf, fdt_path_offset(buf, "/one@100000000"), "phandle", NULL));
}

static u32 distance(u32 row, u32 column)
{
	int len;
	const fdt32_t *value =
		fdt_getprop(buf, fdt_path_offset(buf, "/distance-map"), "distance-matrix", &len);

	assert_non_null(value);
	assert_int_equal(len, 4 * 3 * 4);
	return fdt32_ld(value + 3 * row + column);
}

static void shows_the_nodes(void **state)
{
	/* Two nodes, the way back a longer one. */
	static const u32 rows[][3] = { { 0, 0, 10 }, { 0, 1, 30 }, { 1, 0, 40 }, { 1, 1, 10 } };
	struct gdtb_params params = good_params();

	(void)state;
	assert_true(gdtb_build(buf, sizeof(buf), &params) > 0);
	assert_true(fdt_path_offset(buf, "/distance-map") < 0);
	assert_null(fdt_getprop(buf, fdt_path_offset(buf, "/memory@0"), "numa-node-id", NULL));
	assert_null(fdt_getprop(buf, fdt_path_offset(buf, "/cpus/cpu@1"), "numa-node-id", NULL));
	params.memory_bytes += 0x100000;
	params.nodes = (struct gdtb_nodes){ 2, { 1, 0 }, 32ull << 20, { { 10, 30 }, { 40, 10 } } };
	assert_true(gdtb_build(buf, sizeof(buf), &params) > 0);
	assert_int_equal(cells("/memory@0", "reg", 1), 32ull << 20);
	assert_int_equal(cell("/memory@0", "numa-node-id"), 0);
	assert_int_equal(cells("/memory@2000000", "reg", 0), 32ull << 20);
	assert_int_equal(cells("/memory@2000000", "reg", 1), (32ull << 20) + 0x100000);
	assert_int_equal(cell("/memory@2000000", "numa-node-id"), 1);
	assert_int_equal(cell("/cpus/cpu@0", "numa-node-id"), 1);
	assert_int_equal(cell("/cpus/cpu@1", "numa-node-id"), 0);
	assert_string_equal(string("/distance-map", "compatible"), "numa-distance-map-v1");
	for (u32 i = 0; i < 4; i++)
		for (u32 k = 0; k < 3; k++)
			assert_int_equal(distance(i, k), rows[i][k]);
}

static void says_it_as_to_other_boards(void **state)
{
	static const struct gdtb_device polled = { "serial", "ns16550a", 0x180003f8, 8,	  0,
						   0,	     { { 0 } },	 0,	     NULL };
	struct gdtb_params params = good_params();

	(void)state;
	params.devices = &polled;
	params.ndevices = 1;
	assert_true(gdtb_build(buf, sizeof(buf), &params) > 0);
	assert_null(fdt_getprop(buf, fdt_path_offset(buf, "/cpus/cpu@0"), "clocks", NULL));
	params.native = true;
	assert_true(gdtb_build(buf, sizeof(buf), &params) > 0);
	assert_null(fdt_getprop(buf, fdt_path_offset(buf, "/serial@180003f8"), "interrupts", NULL));
	assert_int_equal(cell("/cpus/cpu@1", "clocks"), cell("/clock", "phandle"));
	assert_int_equal(cell("/clock", "clock-frequency"), 2 * 166666666);
}

static void hands_the_seed_over(void **state)
{
	struct gdtb_params params = good_params();
	u8 seed[SEED_BYTES];
	const void *found;
	int len;

	(void)state;
	assert_true(gdtb_build(buf, sizeof(buf), &params) > 0);
	assert_null(fdt_getprop(buf, fdt_path_offset(buf, "/chosen"), "rng-seed", NULL));
	for (unsigned i = 0; i < SEED_BYTES; i++)
		seed[i] = 7 * i;
	params.seed = seed;
	assert_true(gdtb_build(buf, sizeof(buf), &params) > 0);
	found = fdt_getprop(buf, fdt_path_offset(buf, "/chosen"), "rng-seed", &len);
	assert_int_equal(len, SEED_BYTES);
	assert_memory_equal(found, seed, SEED_BYTES);
}

static void leaves_out_a_ramdisk_that_is_not_there(void **state)
{
	struct gdtb_params params = good_params();

	(void)state;
	params.initrd_start = params.initrd_end = 0;
	assert_true(gdtb_build(buf, sizeof(buf), &params) > 0);
	assert_null(fdt_getprop(buf, fdt_path_offset(buf, "/chosen"), "linux,initrd-start", NULL));
}

static void fits_its_promised_size(void **state)
{
	struct gdtb_params params = good_params();
	static char bootargs[2049];
	u8 seed[SEED_BYTES] = { 0 };

	(void)state;
	params.seed = seed;
	memset(bootargs, 'x', 2048);
	params.bootargs = bootargs;
	params.label = "fifteen-letters";
	params.vcpus = GDTB_MAX_VCPUS;
	params.nodes.n = GDTB_MAX_VCPUS;
	params.nodes.piece = 1 << 20;
	for (u32 i = 0; i < GDTB_MAX_VCPUS * GDTB_MAX_VCPUS; i++) /* all ways back are others */
		params.nodes.distance[i / GDTB_MAX_VCPUS][i % GDTB_MAX_VCPUS] = i;
	assert_true(gdtb_build(buf, sizeof(buf), &params) > 0);
}

static void fails_cleanly_in_every_smaller_buffer(void **state)
{
	struct gdtb_params params = good_params();
	size_t full = gdtb_build(buf, sizeof(buf), &params);
	size_t n;

	(void)state;
	for (n = 0; n < full; n++) {
		void *small = malloc(n ? n : 1);

		assert_int_equal(gdtb_build(small, n, &params), -ENOSPC);
		free(small);
	}
}

static void rejects_nonsense(void **state)
{
	struct gdtb_params params = good_params();

	(void)state;
	params.vcpus = 0;
	assert_int_equal(gdtb_build(buf, sizeof(buf), &params), -EINVAL);
	params.vcpus = GDTB_MAX_VCPUS + 1;
	assert_int_equal(gdtb_build(buf, sizeof(buf), &params), -EINVAL);
	params = good_params();
	params.initrd_end = params.memory_bytes + 1;
	assert_int_equal(gdtb_build(buf, sizeof(buf), &params), -EINVAL);
	params = good_params();
	params.nodes = (struct gdtb_nodes){ .n = 5, .piece = 13 << 20 };
	assert_int_equal(gdtb_build(buf, sizeof(buf), &params), -EINVAL);
	params.nodes = (struct gdtb_nodes){ .n = GDTB_MAX_VCPUS + 1 };
	assert_int_equal(gdtb_build(buf, sizeof(buf), &params), -EINVAL);
	params = good_params();
	params.memory_bytes = 0;
	assert_int_equal(gdtb_build(buf, sizeof(buf), &params), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_the_guest_has),
		cmocka_unit_test(names_the_devices),
		cmocka_unit_test(names_what_registers_switch),
		cmocka_unit_test(shows_the_nodes),
		cmocka_unit_test(says_it_as_to_other_boards),
		cmocka_unit_test(hands_the_seed_over),
		cmocka_unit_test(leaves_out_a_ramdisk_that_is_not_there),
		cmocka_unit_test(fits_its_promised_size),
		cmocka_unit_test(fails_cleanly_in_every_smaller_buffer),
		cmocka_unit_test(rejects_nonsense),
	};

	return cmocka_run_group_tests_name("gdtb", tests, NULL, NULL);
}
