/* SPDX-License-Identifier: MIT */
/*
 * Sockets. `echo port=P times=N`: sends back what N connections bring, each in a thread of its own. `client HOST port=P bytes=N times=N`:
 * sends random bytes there and gets the same back, over so many connections at once; waits until HOST listens. `self`: what needs no other.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/thin/check.h"

#define PART  20000
#define MOST  16
#define CROWD 40

struct end {
	struct sockaddr_in to;
	uint64_t bytes, seed;
	int socket;
};

static struct sockaddr_in address(uint32_t host, int port)
{
	return (struct sockaddr_in){ .sin_len = sizeof(struct sockaddr_in),
				     .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(host) };
}

static int listener(int port)
{
	struct sockaddr_in here = address(INADDR_ANY, port);
	int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	CHECK(s > 2);
	CHECK(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
	CHECK(bind(s, (struct sockaddr *)&here, sizeof(here)) == 0);
	CHECK(listen(s, 8) == 0);
	return s;
}

static void *echo_one(void *arg)
{
	int s = (int)(long)arg;
	char *bytes = malloc(PART);
	ssize_t n, total = 0;

	while ((n = recv(s, bytes, PART, 0)) > 0) {
		for (ssize_t at = 0, part; at < n; at += part) {
			part = write(s, bytes + at, n - at);
			CHECK(part > 0);
			if (part <= 0)
				break;
		}
		total += n;
	}
	CHECK(n == 0);
	CHECK(close(s) == 0);
	free(bytes);
	return (void *)total;
}

static void echo(int port, int times)
{
	pthread_t thread[MOST];
	int s = listener(port);

	printf("listening at %d\n", port);
	for (int i = 0; i < times; i++) {
		struct sockaddr_in from;
		socklen_t n = sizeof(from);
		int one = accept(s, (struct sockaddr *)&from, &n);
		char text[20];

		CHECK(one > 2 && n == sizeof(from));
		printf("a connection of %s\n",
		       inet_ntop(AF_INET, &from.sin_addr, text, sizeof(text)));
		pthread_create(&thread[i], NULL, echo_one, (void *)(long)one);
	}
	close(s);
	for (int i = 0; i < times; i++) {
		void *total;

		pthread_join(thread[i], &total);
		printf("%ld bytes\n", (long)total);
	}
}

/* ---- a client: a thread sends, another reads ---- */
static void fill(unsigned char *bytes, size_t n, uint64_t *random)
{
	for (size_t i = 0; i < n; i += 8) {
		uint64_t r = rng(random);

		memcpy(bytes + i, &r, 8);
	}
}

static void *sender(void *arg)
{
	struct end *e = arg;
	unsigned char *bytes = malloc(PART);
	uint64_t random = e->seed;

	for (uint64_t done = 0, n; done < e->bytes; done += n) {
		n = e->bytes - done < PART ? e->bytes - done : PART;
		fill(bytes, PART, &random);
		CHECK(send(e->socket, bytes, n, 0) == (ssize_t)n);
	}
	CHECK(shutdown(e->socket, SHUT_WR) == 0);
	free(bytes);
	return NULL;
}

static void *client(void *arg)
{
	struct end *e = arg;
	unsigned char *wanted = malloc(PART), *bytes = malloc(PART);
	uint64_t random = e->seed, sizes = e->seed, done = 0;
	pthread_t thread;
	ssize_t n;

	for (int tries = 0; tries < 600; tries++) {
		e->socket = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(e->socket, (struct sockaddr *)&e->to, sizeof(e->to)) == 0)
			break;
		close(e->socket);
		e->socket = -1;
		usleep(100000);
	}
	CHECK(e->socket > 2);
	pthread_create(&thread, NULL, sender, e);
	while (done < e->bytes) {
		size_t at = done % PART;

		if (!at)
			fill(wanted, PART, &random);
		n = read(e->socket, bytes, 1 + rng(&sizes) % (PART - at));
		if (n <= 0)
			break;
		CHECK(!memcmp(bytes, wanted + at, n));
		done += n;
	}
	CHECK(done == e->bytes);
	pthread_join(thread, NULL);
	CHECK(close(e->socket) == 0);
	free(wanted);
	free(bytes);
	return NULL;
}

static void clients(const char *host, int port, uint64_t bytes, int times)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found = NULL;
	struct end end[MOST];
	pthread_t thread[MOST];
	struct timespec begin, now;
	char name[40];

	CHECK(getaddrinfo(host, NULL, &hints, &found) == 0 && found);
	if (!found)
		return;
	CHECK(getnameinfo(found->ai_addr, found->ai_addrlen, name, sizeof(name), NULL, 0, 0) == 0);
	CHECK(!strcmp(name, strcmp(host, "127.0.0.1") ? host : "localhost"));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < times; i++) {
		end[i] = (struct end){ .bytes = bytes, .seed = i + 1 };
		memcpy(&end[i].to, found->ai_addr, sizeof(end[i].to));
		end[i].to.sin_port = htons(port);
		pthread_create(&thread[i], NULL, client, &end[i]);
	}
	for (int i = 0; i < times; i++)
		pthread_join(thread[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &now);
	freeaddrinfo(found);
	printf("%d times %llu bytes there and back in %ld ms\n", times, (unsigned long long)bytes,
	       (now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000);
}

/* ---- on one's own ---- */
static void datagrams(void)
{
	struct sockaddr_in to = address(INADDR_LOOPBACK, 99), from;
	struct timeval soon = { 0, 50000 };
	socklen_t n = sizeof(from);
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
	char text[40];

	CHECK(bind(a, (struct sockaddr *)&to, sizeof(to)) == 0);
	CHECK(bind(b, (struct sockaddr *)&to, sizeof(to)) == -1 && errno == EADDRINUSE);
	CHECK(sendto(b, "one", 3, 0, (struct sockaddr *)&to, sizeof(to)) == 3);
	CHECK(sendto(b, "three", 5, 0, (struct sockaddr *)&to, sizeof(to)) == 5);
	CHECK(recvfrom(a, text, sizeof(text), 0, (struct sockaddr *)&from, &n) == 3);
	CHECK(!memcmp(text, "one", 3) && from.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(sendto(a, text, 3, 0, (struct sockaddr *)&from, n) == 3);
	CHECK(recv(b, text, sizeof(text), 0) == 3);
	CHECK(recv(a, text, sizeof(text), 0) == 5);
	CHECK(setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)) == 0);
	CHECK(recv(a, text, sizeof(text), 0) == -1 && errno == EAGAIN);
	CHECK(close(a) == 0 && close(b) == 0);
	CHECK(recv(a, text, sizeof(text), 0) == -1 && errno == EBADF);
	CHECK(recv(0, text, sizeof(text), 0) == -1 && errno == ENOTSOCK);
}

/* As many as listen() allows wait to be accepted, and none of them is refused. */
static void crowd(void)
{
	struct sockaddr_in to = address(INADDR_LOOPBACK, 103);
	int l = listener(103), s[CROWD], one;
	char c;

	CHECK(listen(l, CROWD) == 0);
	for (int i = 0; i < CROWD; i++) {
		s[i] = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(connect(s[i], (struct sockaddr *)&to, sizeof(to)) == 0);
		c = (char)i;
		CHECK(write(s[i], &c, 1) == 1);
	}
	for (int i = 0; i < CROWD; i++) {
		one = accept(l, NULL, NULL);
		CHECK(read(one, &c, 1) == 1 && c == i && close(one) == 0);
		CHECK(read(s[i], &c, 1) == 0 && close(s[i]) == 0);
	}
	CHECK(close(l) == 0);
}

/* What is there to read, of a stream and of datagrams, and what neither is. */
static void amounts(void)
{
	struct sockaddr_in to = address(INADDR_LOOPBACK, 102);
	int l = listener(102), a = socket(AF_INET, SOCK_STREAM, 0), b, n = -1, yes = 1;
	int d = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t length = sizeof(n);
	char bytes[100] = { 0 };

	CHECK(connect(a, (struct sockaddr *)&to, sizeof(to)) == 0);
	b = accept(l, NULL, NULL);
	CHECK(ioctl(b, FIONREAD, &n) == 0 && n == 0);
	CHECK(write(a, bytes, 100) == 100 &&
	      poll((struct pollfd[]){ { b, POLLIN, 0 } }, 1, 5000) == 1);
	CHECK(ioctl(b, FIONREAD, &n) == 0 && n == 100);
	CHECK(read(b, bytes, 30) == 30 && ioctl(b, FIONREAD, &n) == 0 && n == 70);
	CHECK(read(b, bytes, 100) == 70 && ioctl(b, FIONBIO, &yes) == 0);
	CHECK(fcntl(b, F_GETFL) & O_NONBLOCK && read(b, bytes, 1) == -1 && errno == EAGAIN);
	CHECK(bind(d, (struct sockaddr *)&to, sizeof(to)) == 0);
	CHECK(ioctl(d, FIONREAD, &n) == 0 && n == 0);
	CHECK(sendto(d, bytes, 7, 0, (struct sockaddr *)&to, sizeof(to)) == 7);
	CHECK(sendto(d, bytes, 9, 0, (struct sockaddr *)&to, sizeof(to)) == 9);
	CHECK(poll((struct pollfd[]){ { d, POLLIN, 0 } }, 1, 5000) == 1);
	CHECK(ioctl(d, FIONREAD, &n) == 0 && n == 7 && recv(d, bytes, 100, 0) == 7);
	CHECK(poll((struct pollfd[]){ { d, POLLIN, 0 } }, 1, 5000) == 1); /* it may come later */
	CHECK(ioctl(d, FIONREAD, &n) == 0 && n == 9 && recv(d, bytes, 100, 0) == 9);
	CHECK(setsockopt(d, SOL_SOCKET, SO_RCVBUF, &(int){ 5000 }, sizeof(int)) == 0);
	CHECK(getsockopt(d, SOL_SOCKET, SO_RCVBUF, &n, &length) == 0 && n == 5000);
	CHECK(ioctl(d, 0x5413, &n) == -1 && errno == ENOTTY);
	CHECK(ioctl(1, FIONREAD, &n) == -1 && errno == ENOTTY);
	CHECK(ioctl(60, FIONREAD, &n) == -1 && errno == EBADF);
	CHECK(close(a) == 0 && close(b) == 0 && close(d) == 0 && close(l) == 0);
}

/* What earlier calls left on the stack must not decide whether a name is found. */
__attribute__((noinline)) static void leave_rubbish(void)
{
	volatile unsigned char rubbish[4096];

	for (size_t i = 0; i < sizeof(rubbish); i++)
		rubbish[i] = 0xa5;
}

static void names(void)
{
	struct sockaddr_in in = address(INADDR_LOOPBACK, 80);
	const struct sockaddr *a = (struct sockaddr *)&in;
	struct addrinfo hints = { .ai_family = AF_INET }, *found = NULL;
	char host[40], port[8];
	in_addr_t number;

	CHECK(getnameinfo(a, sizeof(in), host, sizeof(host), port, sizeof(port), 0) == 0);
	CHECK(!strcmp(host, "localhost") && !strcmp(port, "80"));
	CHECK(getnameinfo(a, sizeof(in), host, sizeof(host), NULL, 0, NI_NUMERICHOST) == 0);
	CHECK(!strcmp(host, "127.0.0.1"));
	CHECK(getnameinfo(a, sizeof(in), host, 5, NULL, 0, 0) == EAI_OVERFLOW);
	CHECK(getnameinfo(a, sizeof(in), host, 5, NULL, 0, 1 << 20) == EAI_BADFLAGS);
	CHECK(getnameinfo(a, 8, host, 5, NULL, 0, 0) == EAI_FAMILY);
	in = address(0x0affff63, 80);
	CHECK(getnameinfo(a, sizeof(in), host, sizeof(host), NULL, 0, 0) == 0 &&
	      inet_pton(AF_INET, host, &number) == 1 && number == in.sin_addr.s_addr);
	CHECK(getnameinfo(a, sizeof(in), host, sizeof(host), NULL, 0, NI_NAMEREQD) == EAI_NONAME);
	CHECK(getaddrinfo("no-such-name", NULL, &hints, &found) != 0);
	leave_rubbish();
	CHECK(getaddrinfo("localhost", "80", &hints, &found) == 0 && found);
	freeaddrinfo(found);
	CHECK(strstr(gai_strerror(EAI_NONAME), "name") && *gai_strerror(1234));
}

static void waiting(void)
{
	struct sockaddr_in to = address(INADDR_LOOPBACK, 100);
	int l = listener(100), a = socket(AF_INET, SOCK_STREAM, 0), b;
	struct pollfd fds[2] = { { l, POLLIN, 0 }, { a, POLLIN, 0 } };
	struct timeval soon = { 0, 20000 };
	fd_set in;
	char c;

	CHECK(poll(fds, 1, 20) == 0);
	CHECK(connect(a, (struct sockaddr *)&to, sizeof(to)) == 0);
	CHECK(poll(fds, 2, 5000) == 1 && fds[0].revents == POLLIN && !fds[1].revents);
	b = accept(l, NULL, NULL);
	CHECK(b > 2);
	FD_ZERO(&in);
	FD_SET(a, &in);
	FD_SET(l, &in);
	CHECK(select(a + 1, &in, NULL, NULL, &soon) == 0 && !FD_ISSET(a, &in));
	CHECK(write(b, "x", 1) == 1);
	FD_SET(a, &in);
	CHECK(select((a > l ? a : l) + 1, &in, NULL, NULL, NULL) == 1 && FD_ISSET(a, &in) &&
	      !FD_ISSET(l, &in));
	CHECK(read(a, &c, 1) == 1 && c == 'x');
	CHECK(fcntl(a, F_SETFL, O_NONBLOCK) == 0 && fcntl(a, F_GETFL) & O_NONBLOCK);
	CHECK(read(a, &c, 1) == -1 && errno == EAGAIN);
	CHECK(close(b) == 0);
	CHECK(poll(fds + 1, 1, 5000) == 1 && read(a, &c, 1) == 0);
	CHECK(close(a) == 0 && close(l) == 0);
	a = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(a, (struct sockaddr *)&to, sizeof(to)) == -1 && errno == ECONNREFUSED);
	CHECK(close(a) == 0);
	CHECK(poll((struct pollfd[]){ { a, POLLIN, 0 } }, 1, 0) == 1);
}

/* Both ends send until neither takes more, since neither reads: then all of it is read. */
static void both_full(void)
{
	struct sockaddr_in to = address(INADDR_LOOPBACK, 101);
	int l = listener(101), s[2] = { socket(AF_INET, SOCK_STREAM, 0) };
	long sent[2] = { 0 }, got[2] = { 0 };
	char *bytes = calloc(1, PART);
	ssize_t n;

	CHECK(connect(s[0], (struct sockaddr *)&to, sizeof(to)) == 0);
	s[1] = accept(l, NULL, NULL);
	for (int i = 0; i < 2; i++)
		CHECK(fcntl(s[i], F_SETFL, O_NONBLOCK) == 0);
	for (int refused = 0; refused < 20; refused++)
		for (int i = 0; i < 2; i++) {
			while ((n = write(s[i], bytes, PART)) > 0)
				sent[i] += n;
			CHECK(n == -1 && errno == EAGAIN);
			usleep(20000); /* 0.8 s in all: each end tries the other with a byte, too */
		}
	CHECK(sent[0] > PART && sent[1] > PART);
	for (int looks = 0; looks < 2000 && (got[0] < sent[1] || got[1] < sent[0]); looks++)
		for (int i = 0; i < 2; i++) {
			while ((n = read(s[i], bytes, PART)) > 0)
				got[i] += n;
			CHECK(n == -1 && errno == EAGAIN);
			usleep(1000);
		}
	CHECK(got[0] == sent[1] && got[1] == sent[0]);
	CHECK(close(s[0]) == 0 && close(s[1]) == 0 && close(l) == 0);
	free(bytes);
}

static void *server(void *arg)
{
	(void)arg;
	echo(7, 4);
	return NULL;
}

static void self(void)
{
	pthread_t thread;
	char name[20];
	FILE *f;
	int s;

	datagrams();
	waiting();
	amounts();
	crowd();
	names();
	both_full();
	pthread_create(&thread, NULL, server, NULL);
	clients("127.0.0.1", 7, 100000, 4);
	pthread_join(thread, NULL);
	CHECK(gethostname(name, sizeof(name)) == 0 && *name);
	CHECK(gethostbyname("no-such-name") == NULL);
	for (int i = 0; i < 200; i++) { /* numbers come back */
		s = socket(AF_INET, i % 2 ? SOCK_STREAM : SOCK_DGRAM, 0);
		CHECK(s > 2 && s < 10);
		close(s);
	}
	s = listener(8);
	f = fdopen(socket(AF_INET, SOCK_STREAM, 0), "r+");
	CHECK(f && connect(fileno(f), (struct sockaddr *)&(struct sockaddr_in){ 0 }, 4) == -1);
	if (f)
		fclose(f);
	close(s);
}

int main(int argc, char **argv)
{
	int port = word(argc, argv, "port", 7), times = word(argc, argv, "times", 1);

	if (argc > 1 && !strcmp(argv[1], "echo"))
		echo(port, times);
	if (argc > 2 && !strcmp(argv[1], "client"))
		clients(argv[2], port, word(argc, argv, "bytes", 100000), times);
	if (argc > 1 && !strcmp(argv[1], "self"))
		self();
	return verdict("sockets");
}
