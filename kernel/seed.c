/* SPDX-License-Identifier: MIT */
/*
 * ChaCha20's block function (RFC 8439, 2.3) makes 64 bytes of a key and of what is mixed in: the
 * first half is the next key, the second the seed ("fast key erasure").
 */
#include "kernel/seed.h"

#include <string.h>

#include "arch/mips/arch.h"
#include "kernel/lock.h"

#define WORDS	  16
#define KEY_WORDS (SEED_BYTES / 4)
#define ROUNDS	  10 /* of columns and diagonals */

static struct lock lock = LOCK_INIT(RANK_SEED);
static u32 key[KEY_WORDS]; /* under lock, or at boot */
static bool has_key;	   /* fixed after boot */

static u32 rotate(u32 x, unsigned n) { return x << n | x >> (32 - n); }

static void quarter_round(u32 *x, unsigned a, unsigned b, unsigned c, unsigned d)
{
	x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 16);
	x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 12);
	x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 8);
	x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 7);
}

static void chacha20_block(const u32 k[KEY_WORDS], const u32 last_row[4], u32 out[WORDS])
{
	u32 in[WORDS] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };

	memcpy(&in[4], k, SEED_BYTES);
	memcpy(&in[12], last_row, 16);
	memcpy(out, in, sizeof(in));
	for (unsigned i = 0; i < ROUNDS; i++) {
		for (unsigned c = 0; c < 4; c++)
			quarter_round(out, c, 4 + c, 8 + c, 12 + c);
		for (unsigned c = 0; c < 4; c++)
			quarter_round(out, c, 4 + (c + 1) % 4, 8 + (c + 2) % 4, 12 + (c + 3) % 4);
	}
	for (unsigned i = 0; i < WORDS; i++)
		out[i] += in[i];
	seed_wipe(in, sizeof(in));
}

void seed_wipe(void *bytes, size_t size)
{
	memset(bytes, 0, size);
	__asm__ volatile("" : : "r"(bytes) : "memory");
}

/* -1: no hexadecimal digit. */
static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void seed_init(char *digits)
{
	unsigned n;

	for (n = 0; digits && digit_value(digits[n]) >= 0; n++) {
		key[n / 8 % KEY_WORDS] ^= (u32)digit_value(digits[n]) << 4 * (n % 8);
		digits[n] = '0';
	}
	has_key = n >= 2 * SEED_BYTES;
}

bool seed_draw(u8 seed[SEED_BYTES])
{
	u32 block[WORDS], last_row[4] = { 0 };
	u64 count;

	if (!has_key)
		return false;
	lock_take(&lock);
	count = count64();
	memcpy(last_row, &count, sizeof(count));
	chacha20_block(key, last_row, block);
	memcpy(key, block, SEED_BYTES);
	lock_release(&lock);
	memcpy(seed, &block[KEY_WORDS], SEED_BYTES);
	seed_wipe(block, sizeof(block));
	return true;
}
