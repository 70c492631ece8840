/* SPDX-License-Identifier: MIT */
/*
 * The program of `make bench-net`: what bytes cost that go from one guest to another.
 *
 *   netops peer                     the other side, until it is told to end
 *   netops count PEER FILE DISK [UNIT...]
 *                                   every unit of netops.h (or these) with its peer, those of TCP then with a peer in this guest, too,
 *                                   by loopback, as number + 100; FILE is on the peer's disk, DISK on one of this guest
 *   netops time PEER TIMES [STORM]  16 MB to the peer, and by loopback, in turn, and messages with their answers: prints nanoseconds;
 *                                   beside the storm of that VM
 *   netops storm VM VM              when it is told to, UDP packets to both without a pause, which no program there takes, until it is told to end
 *
 * Client and peer have one connection for each unit: the order goes there, a byte comes back when the peer is ready, and one when it
 * has done its part.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "guests/linux/names.h"

#define PORT	    7000
#define LOOPBACK    100u       /* added to a unit's number */
#define MESSAGE	    (1u << 20) /* bytes, the longest */
#define TIMED	    8u	       /* what is timed is so many times what is counted */
#define UNIT_BYTES  65536u     /* the files are of pieces like those of their units */
#define FILE_PIECES 64u
/* Seconds before a unit of files: Linux tells of freed memory 2 s after it was freed, and what the monitor does then is no part of a unit. */
#define QUIET	    5
#define STORM_BYTES 61440u /* of a packet */

enum how { SEND, PAGES, ASK, PACKET, NFS, STORE, DISK, KEEP };
static const struct unit {
	uint32_t number;
	const char *name;
	enum how how;
	uint32_t bytes, times;
} units[] = {
#define UNIT(number, name, how, bytes, times) { number, #name, how, bytes, times },
#include "guests/linux/netops.h"
#undef UNIT
};
#define UNITS (sizeof(units) / sizeof(units[0]))

static unsigned char buffer[MESSAGE] __attribute__((aligned(4096)));
static const char *nfs_file, *disk_file;
static char **only; /* the units' names, NULL behind them; none: all */

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

#define BEGIN(unit) __asm__ volatile("sltiu $0, $0, %0" ::"i"(0x5100 + (unit)) : "memory")
#define END(unit)   __asm__ volatile("sltiu $0, $0, %0" ::"i"(0x5200 + (unit)) : "memory")

static void mark_begin(uint32_t number)
{
	switch (number) {
#define UNIT(n, name, how, bytes, times) \
	case n: BEGIN(n); return;        \
	case (n) + LOOPBACK:             \
		BEGIN((n) + 100);        \
		return;
#include "guests/linux/netops.h"
#undef UNIT
	}
}

static void mark_end(uint32_t number)
{
	switch (number) {
#define UNIT(n, name, how, bytes, times) \
	case n: END(n); return;          \
	case (n) + LOOPBACK:             \
		END((n) + 100);          \
		return;
#include "guests/linux/netops.h"
#undef UNIT
	}
}

static const struct unit *unit_of(uint32_t number)
{
	for (const struct unit *u = units; u < units + UNITS; u++)
		if (u->number == number)
			return u;
	return NULL;
}

/* ---- bytes ---- */

static void read_all(int fd, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t n = read(fd, buffer, bytes - done < 65536 ? bytes - done : 65536);

		if (n <= 0)
			fail("read");
		done += n;
	}
}

static void write_all(int fd, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t n = write(fd, buffer + done, bytes - done);

		if (n <= 0)
			fail("write");
		done += n;
	}
}

static void send_pages(int fd, int file, size_t bytes)
{
	off_t at = 0;

	while ((size_t)at < bytes)
		if (sendfile(fd, file, &at, bytes - at) <= 0)
			fail("sendfile");
}

/* A file of so many pieces, read or written. */
static void read_file(const char *path, uint32_t bytes, uint32_t times)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		fail(path);
	for (uint32_t i = 0; i < times; i++)
		read_all(fd, bytes);
	close(fd);
}

/* No page of them is like another one, or like one of before: a disk shares blocks that are alike. */
static void renew(uint32_t bytes)
{
	static uint64_t number;

	for (uint32_t at = 0; at < bytes; at += 4096) {
		number++;
		memcpy(buffer + at, &number, sizeof(number));
	}
}

static void write_file(const char *path, uint32_t bytes, uint32_t times)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	if (fd < 0)
		fail(path);
	for (uint32_t i = 0; i < times; i++) {
		renew(bytes);
		write_all(fd, bytes);
	}
	if (fsync(fd) || close(fd))
		fail(path);
}

/* Nothing of the file is in this guest's page cache. */
static void forget(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		fail(path);
	close(fd);
}

/* ---- packets: one at a time, so that none finds no buffer ---- */

static int packet_socket(struct in_addr address, bool listens)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(PORT),
				  .sin_addr = address };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || (listens ? bind : connect)(fd, (struct sockaddr *)&at, sizeof(at)))
		fail("socket");
	return fd;
}

static void send_packets(struct in_addr to, uint32_t bytes, uint32_t times)
{
	int fd = packet_socket(to, false);
	char answer;

	for (uint32_t i = 0; i < times; i++)
		if (send(fd, buffer, bytes, 0) != (ssize_t)bytes || recv(fd, &answer, 1, 0) != 1)
			fail("send");
	close(fd);
}

static void answer_packets(int fd, uint32_t bytes, uint32_t times)
{
	struct sockaddr_in from;

	for (uint32_t i = 0; i < times; i++) {
		socklen_t length = sizeof(from);

		if (recvfrom(fd, buffer, MESSAGE, 0, (struct sockaddr *)&from, &length) !=
			    (ssize_t)bytes ||
		    sendto(fd, buffer, 1, 0, (struct sockaddr *)&from, length) != 1)
			fail("recvfrom");
	}
	close(fd);
}

/* ---- both sides ---- */

/* What the client asks its peer for. */
struct order {
	uint32_t unit, times; /* unit 0: to end */
	bool marked;	      /* the peer's part is counted, too */
};

/* A message that waits for its answer does not wait for more to be sent; a stream does. */
static void at_once(int fd, const struct unit *u)
{
	int one = 1;

	if (u && u->how == ASK)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* ---- the client ---- */

static int reach(const char *host, const struct order *order)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd;

	to.sin_addr = address_of(host);
	for (;;) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
			break;
		close(fd); /* the peer boots */
		sleep(1);
	}
	at_once(fd, unit_of(order->unit));
	if (write(fd, order, sizeof(*order)) != sizeof(*order))
		fail(host);
	if (order->unit)
		read_all(fd, 1);
	return fd;
}

static void body(const char *host, int fd, int file, const struct unit *u, uint32_t times)
{
	switch (u->how) {
	case PACKET: send_packets(address_of(host), u->bytes, times); return;
	case NFS: read_file(nfs_file, u->bytes, times); return;
	case STORE: write_file(nfs_file, u->bytes, times); return;
	case DISK: read_file(disk_file, u->bytes, times); return;
	case KEEP: write_file(disk_file, u->bytes, times); return;
	default: break;
	}
	for (uint32_t i = 0; i < times; i++) {
		if (u->how == PAGES)
			send_pages(fd, file, u->bytes);
		else
			write_all(fd, u->bytes);
		if (u->how == ASK)
			read_all(fd, u->bytes);
	}
}

/* mark: the number that the markers have here, 0: none. */
static void run(const char *host, int file, const struct unit *u, struct order order, uint32_t mark)
{
	int fd = reach(host, &order);

	if (u->how == NFS)
		forget(nfs_file);
	if (u->how == DISK)
		forget(disk_file);
	mark_begin(mark);
	body(host, fd, file, u, order.times);
	shutdown(fd, SHUT_WR);
	read_all(fd, 1);
	mark_end(mark);
	close(fd);
}

static bool is_wanted(const struct unit *u)
{
	char **name = only;

	while (*name && strcmp(*name, u->name))
		name++;
	return *name || !*only;
}

static void run_all(const char *host, int file, bool loop)
{
	for (const struct unit *u = units; u < units + UNITS; u++) {
		struct order order = { u->number, u->times / 8 + 1, false };

		if ((loop && u->how >= NFS) || !is_wanted(u))
			continue;
		if (u->how >= NFS)
			sleep(QUIET);
		run(host, file, u, order, 0);
		order = (struct order){ u->number, u->times, !loop };
		run(host, file, u, order, loop ? u->number + LOOPBACK : u->number);
	}
}

static int sent_file(void)
{
	int fd = open("/tmp/sent", O_RDWR | O_CREAT, 0600);

	if (fd < 0)
		fail("/tmp/sent");
	write_all(fd, sizeof(buffer));
	return fd;
}

/* ---- the peer ---- */

static void serve(int fd, const struct order *order)
{
	const struct unit *u = unit_of(order->unit);
	uint32_t mark = order->marked ? order->unit : 0;
	bool bytes = u && (u->how == SEND || u->how == PAGES);
	int packets = -1;
	char end;

	if (!u)
		fail("a unit that does not exist");
	if (u->how == PACKET)
		packets = packet_socket((struct in_addr){ INADDR_ANY }, true);
	mark_begin(mark);
	write_all(fd, 1); /* ready */
	for (uint32_t i = 0; u->how == ASK && i < order->times; i++) {
		read_all(fd, u->bytes);
		write_all(fd, u->bytes);
	}
	if (u->how == PACKET)
		answer_packets(packets, u->bytes, order->times);
	if (bytes)
		read_all(fd, (size_t)u->bytes * order->times);
	if (read(fd, &end, 1))
		fail("more than was ordered");
	mark_end(mark);
	write_all(fd, 1);
}

static int listener(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8))
		fail("listen");
	return fd;
}

static void peer(int listening)
{
	struct order order;

	for (;;) {
		int fd = accept(listening, NULL, NULL);

		if (read(fd, &order, sizeof(order)) != sizeof(order))
			fail("order");
		if (!order.unit)
			return;
		at_once(fd, unit_of(order.unit));
		serve(fd, &order);
		close(fd);
	}
}

/* A peer in this guest. */
static void with_loopback(const char *host, int file, void (*what)(const char *, int, bool))
{
	int listening = listener();
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (!child) {
		peer(listening);
		exit(0);
	}
	close(listening);
	what(host, file, true);
	close(reach("localhost", &(struct order){ 0 }));
	wait(NULL);
}

/* ---- time ---- */

static const char *remote;
static unsigned rounds;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void time_one(const char *host, int file, const struct unit *u, const char *where)
{
	uint64_t begin = now();

	run(host, file, u, (struct order){ u->number, u->times * TIMED, false }, 0);
	printf("netops: %s %s %llu ns, %u bytes\n", where, u->name,
	       (unsigned long long)(now() - begin), u->bytes * u->times * TIMED);
}

static bool is_timed(const struct unit *u)
{
	return u->how == ASK || ((u->how == SEND || u->how == PAGES) && u->bytes == 65536);
}

static void time_all(const char *host, int file, bool loop)
{
	(void)loop;
	for (unsigned i = 0; i < rounds; i++)
		for (const struct unit *u = units; u < units + UNITS; u++) {
			if (!is_timed(u))
				continue;
			time_one(host, file, u, "loopback");
			time_one(remote, file, u, "remote");
		}
}

/* Until the other side of fd closes it. */
static void storm(int fd, struct in_addr a, struct in_addr b)
{
	int to[] = { packet_socket(a, false), packet_socket(b, false) };
	char end;

	for (unsigned i = 0; recv(fd, &end, 1, MSG_DONTWAIT); i++)
		send(to[i % 2], buffer, STORM_BYTES, 0); /* it may find that nobody listens */
}

/* What reach wants, then the storm. */
static void wait_for_storm(struct in_addr a, struct in_addr b)
{
	struct order order;
	int fd = accept(listener(), NULL, NULL);

	read_all(fd, sizeof(order));
	storm(fd, a, b);
}

static void count_loopback(const char *host, int file, bool loop) { run_all(host, file, loop); }

int main(int argc, char **argv)
{
	int file = sent_file();

	if (argc == 2 && !strcmp(argv[1], "peer")) {
		peer(listener());
	} else if (argc >= 5 && !strcmp(argv[1], "count")) {
		nfs_file = argv[3], disk_file = argv[4], only = argv + 5;
		write_file(nfs_file, UNIT_BYTES, FILE_PIECES);
		write_file(disk_file, UNIT_BYTES, FILE_PIECES);
		run_all(argv[2], file, false);
		with_loopback("localhost", file, count_loopback);
		close(reach(argv[2], &(struct order){ 0 }));
	} else if ((argc == 4 || argc == 5) && !strcmp(argv[1], "time")) {
		int third = argc == 5 ? reach(argv[4], &(struct order){ 0 }) : -1;

		remote = argv[2], rounds = atoi(argv[3]);
		with_loopback("localhost", file, time_all);
		close(third);
		close(reach(argv[2], &(struct order){ 0 }));
	} else if (argc == 4 && !strcmp(argv[1], "storm")) {
		wait_for_storm(address_of(argv[2]), address_of(argv[3]));
	} else {
		fprintf(stderr,
			"netops: found %d words, needed: peer, count PEER FILE DISK [UNIT...], time PEER TIMES [STORM], or storm VM VM\n",
			argc - 1);
		return 2;
	}
	return 0;
}
