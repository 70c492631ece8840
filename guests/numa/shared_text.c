/* SPDX-License-Identifier: MIT */
/*
 * shared_text: a large program that all VCPUs run at once, each over data of its own. The program
 * (text.S) is 640 KB of functions that are called in an order as good as random; the image is
 * loaded before anybody runs, so it lies on the VM's home node. The data, 768 KB for each VCPU, is
 * touched first by its owner. Text and data together do not fit the second-level cache.
 *
 * Bootargs: calls=N (by each VCPU).
 */
#include "guests/numa/text.h"
#include "guests/numa/work.h"

const char guest_name[] = "shared_text";

#define RECORDS (768 * 1024 / TEXT_RECORD_BYTES)

struct record {
	u64 word[TEXT_RECORD_BYTES / sizeof(u64)];
};

static struct record *data[GUEST_VCPUS_MAX];
static u64 calls;

static void fill(unsigned worker)
{
	u64 seed = worker;

	for (u32 i = 0; i < RECORDS; i++)
		for (u32 k = 0; k < ARRAY_SIZE(data[0][i].word); k++)
			data[worker][i].word[k] = work_random(&seed);
}

static void run(unsigned worker)
{
	u64 seed = 77 + worker, sum = 0;

	for (u64 n = 0; n < calls; n++) {
		text_function *fn = (text_function *)(text_functions +
						      TEXT_FUNCTION_BYTES * (work_random(&seed) %
									     TEXT_FUNCTIONS));

		sum = fn(sum, data[worker][n % RECORDS].word);
	}
	work_result(worker, sum);
}

int main(void)
{
	calls = work_option("calls", 80000);
	for (unsigned i = 0; i < ARRAY_SIZE(data); i++)
		data[i] = work_alloc(RECORDS * sizeof(struct record));
	work_start();
	work_all(fill);
	work_begin();
	work_all(run);
	work_end();
	return work_report();
}
