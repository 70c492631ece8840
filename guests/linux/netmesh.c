/* SPDX-License-Identifier: MIT */
/*
 * All pairs of guests at once: netmesh SEED ROUNDS PEER...
 *
 * Takes messages of anybody by TCP and UDP from now on, and sends ROUNDS of each to every peer, of random lengths, from random
 * places of memory, in random pieces, or out of a file (sendfile). A message is a seed, a length, and as many bytes as follow from
 * the seed: who gets it compares them and sends the seed back. Prints how many were right, and ends; its two servers go on.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>
#include "guests/linux/names.h"

#define PORT	   7100
#define STREAM_MAX (300u << 10)
#define PACKET_MAX 60000u /* bytes, the head among them */
#define SLACK	   8192u
#define TRIES	   100

struct head {
	uint64_t seed;
	uint32_t bytes; /* behind the head */
};

static uint64_t state;

static uint32_t below(uint32_t n)
{
	state = state * 6364136223846793005ul + 1442695040888963407ul;
	return (uint32_t)((state ^ state >> 29) >> 16) % n;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void *memory(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		fail("mmap");
	return at;
}

static unsigned char byte_of(uint64_t seed, uint32_t i)
{
	uint64_t word = (seed + i / 8) * 0x9e3779b97f4a7c15ul;

	return (word ^ word >> 31) >> i % 8 * 8;
}

/* A message of random length at `to`: bytes with its head. */
static uint32_t make(unsigned char *to, uint32_t max)
{
	struct head h = { .bytes = below(max - sizeof(h)) };

	h.seed = (uint64_t)below(1u << 30) << 32 | below(1u << 30);
	memcpy(to, &h, sizeof(h));
	for (uint32_t i = 0; i < h.bytes; i++)
		to[sizeof(h) + i] = byte_of(h.seed, i);
	return sizeof(h) + h.bytes;
}

/* What came is a message; if not it says what is wrong, for good. */
static void compare(const struct head *h, const unsigned char *body, uint32_t bytes)
{
	uint32_t i = 0;

	while (i < bytes && body[i] == byte_of(h->seed, i))
		i++;
	if (bytes == h->bytes && i == bytes)
		return;
	printf("netmesh: byte %u of %u is wrong, %u came\n", i, h->bytes, bytes);
	fflush(stdout);
}

static int bound_socket(int type)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, type, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		fail("bind");
	return fd;
}

static bool read_all(int fd, void *to, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t n = read(fd, (char *)to + done, bytes - done);

		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

static void serve_stream(int fd)
{
	unsigned char *body = memory(STREAM_MAX);
	struct head h;

	while (read_all(fd, &h, sizeof(h)) && h.bytes <= STREAM_MAX &&
	       read_all(fd, body, h.bytes)) {
		compare(&h, body, h.bytes);
		if (write(fd, &h.seed, sizeof(h.seed)) != sizeof(h.seed))
			break;
	}
	exit(0);
}

static void serve_streams(int listening)
{
	for (;;) {
		int fd = accept(listening, NULL, NULL);

		if (fd >= 0 && !fork())
			serve_stream(fd);
		close(fd);
	}
}

static void serve_packets(int fd)
{
	unsigned char *packet = memory(PACKET_MAX);
	struct sockaddr_in from;
	struct head h;

	for (;;) {
		socklen_t length = sizeof(from);
		ssize_t n = recvfrom(fd, packet, PACKET_MAX, 0, (struct sockaddr *)&from, &length);

		if (n < (ssize_t)sizeof(h))
			continue;
		memcpy(&h, packet, sizeof(h));
		compare(&h, packet + sizeof(h), n - sizeof(h));
		sendto(fd, &h.seed, sizeof(h.seed), 0, (struct sockaddr *)&from, length);
	}
}

static int reach(struct in_addr peer, int type)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(PORT),
				  .sin_addr = peer };

	for (int i = 0; i < TRIES; i++) {
		int fd = socket(AF_INET, type, 0);

		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
			return fd;
		close(fd); /* its program is not there yet */
		sleep(1);
	}
	fail("connect");
	return -1;
}

static void send_file(int fd, const unsigned char *bytes, uint32_t n)
{
	int file = memfd_create("message", 0);
	off_t at = 0;

	if (file < 0 || write(file, bytes, n) != (ssize_t)n)
		fail("memfd");
	while (at < (off_t)n)
		if (sendfile(fd, file, &at, n - at) <= 0)
			fail("sendfile");
	close(file);
}

static void send_pieces(int fd, const unsigned char *bytes, uint32_t n)
{
	for (uint32_t done = 0; done < n;) {
		uint32_t part = 1 + below(n - done < 70000 ? n - done : 70000);
		ssize_t sent = write(fd, bytes + done, part);

		if (sent <= 0)
			fail("write");
		done += sent;
	}
}

static void send_stream(int fd)
{
	unsigned char *at = memory(STREAM_MAX + SLACK);
	unsigned char *message = at + (below(2) ? 0 : below(SLACK));
	uint32_t n = make(message, STREAM_MAX);
	uint64_t answer = 0;

	if (below(2))
		send_file(fd, message, n);
	else
		send_pieces(fd, message, n);
	if (!read_all(fd, &answer, sizeof(answer)) || memcmp(&answer, message, sizeof(answer)))
		fail("an answer");
	munmap(at, STREAM_MAX + SLACK);
}

/* Packets are lost where no buffer is free for them: each is sent until it is answered. */
static void send_packet(int fd)
{
	unsigned char *at = memory(PACKET_MAX + SLACK), *message = at + below(SLACK);
	uint32_t n = make(message, below(2) ? PACKET_MAX : 3000);
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	uint64_t answer = 0;

	for (int i = 0; memcmp(&answer, message, sizeof(answer)); i++) {
		if (i == TRIES)
			fail("a packet's answer");
		if (send(fd, message, n, 0) != (ssize_t)n && errno != ECONNREFUSED)
			fail("send");
		while (poll(&wait, 1, 200) > 0 && memcmp(&answer, message, sizeof(answer)))
			if (recv(fd, &answer, sizeof(answer), 0) < 0)
				answer = 0;
	}
	munmap(at, PACKET_MAX + SLACK);
}

int main(int argc, char **argv)
{
	int listening, packets, rounds;

	if (argc < 4) {
		fprintf(stderr, "netmesh: found %d words, needed: SEED ROUNDS PEER...\n", argc - 1);
		return 2;
	}
	state = strtoull(argv[1], NULL, 10);
	rounds = atoi(argv[2]);
	signal(SIGCHLD, SIG_IGN);
	listening = bound_socket(SOCK_STREAM);
	packets = bound_socket(SOCK_DGRAM);
	if (listen(listening, 16))
		fail("listen");
	if (!fork())
		serve_streams(listening);
	if (!fork())
		serve_packets(packets);
	for (int peer = 3; peer < argc; peer++) {
		int stream = reach(address_of(argv[peer]), SOCK_STREAM);
		int datagrams = reach(address_of(argv[peer]), SOCK_DGRAM);

		for (int i = 0; i < rounds; i++) {
			send_stream(stream);
			send_packet(datagrams);
		}
		close(stream);
		close(datagrams);
	}
	printf("netmesh: %d messages to %d peers were answered\n", 2 * rounds * (argc - 3),
	       argc - 3);
	return 0;
}
