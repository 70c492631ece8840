/* SPDX-License-Identifier: MIT */
/*
 * pipe THREADS BLOCKS: a pipeline: blocks of 32 KB go through eight stages, each of which rewrites a block in place and hands it on; the
 * buffers come back to the first. A thread has one stage or several neighbours; each buffer is written by
 * all threads in turn.
 */
#include "guests/workloads/parallel.h"

#define STAGES	8
#define WORDS	4096
#define BUFFERS 32
#define ROUNDS	3

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t some;
	int item[BUFFERS + 1], first, count;
};

static struct queue queues[STAGES + 1]; /* [0]: empty buffers; [s]: what stage s - 1 is ready with */
static uint64_t (*buffer)[WORDS], *input;
static uint64_t total;

static void put(struct queue *q, int item)
{
	pthread_mutex_lock(&q->lock);
	q->item[(q->first + q->count++) % (BUFFERS + 1)] = item;
	pthread_cond_signal(&q->some);
	pthread_mutex_unlock(&q->lock);
}

static int take(struct queue *q)
{
	int item;

	pthread_mutex_lock(&q->lock);
	while (!q->count)
		pthread_cond_wait(&q->some, &q->lock);
	item = q->item[q->first];
	q->first = (q->first + 1) % (BUFFERS + 1);
	q->count--;
	pthread_mutex_unlock(&q->lock);
	return item;
}

static void rewrite(uint64_t *block, int stage)
{
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < WORDS; i++)
			block[i] = (block[i] ^ block[(i + 61) % WORDS] >> 7) * 0x9e3779b97f4a7c15 +
				   (uint64_t)stage;
}

static void work(int thread)
{
	long from = parallel_from(thread, STAGES), to = parallel_from(thread + 1, STAGES);

	if (from == to)
		return;
	for (long n = 0; n < parallel.size; n++) {
		int item = take(&queues[from]);
		uint64_t *block = buffer[item];

		if (!from)
			for (int i = 0; i < WORDS; i++)
				block[i] = input[n * WORDS + i];
		for (long s = from; s < to; s++)
			rewrite(block, (int)s);
		if (to == STAGES)
			for (int i = 0; i < WORDS; i++)
				total = parallel_add(total, block[i]);
		put(&queues[to % STAGES], item);
	}
}

int main(int argc, char **argv)
{
	parallel_start(argc, argv, "pipe", "blocks", 1, 8192);
	input = parallel_alloc((size_t)parallel.size * WORDS, sizeof(*input));
	buffer = parallel_alloc(BUFFERS, sizeof(*buffer));
	for (long i = 0; i < parallel.size * WORDS; i++)
		input[i] = parallel_hash((uint64_t)i);
	for (int s = 0; s < STAGES; s++) {
		pthread_mutex_init(&queues[s].lock, NULL);
		pthread_cond_init(&queues[s].some, NULL);
	}
	for (int i = 0; i < BUFFERS; i++)
		put(&queues[0], i);
	parallel_run(work);
	return parallel_report(total);
}
