/* SPDX-License-Identifier: MIT */
/*
 * Sockets: files (files.h) whose functions are lwIP's, with POSIX's names. select() and poll() know sockets; other files are always
 * ready.
 */
#define LWIP_COMPAT_SOCKETS 0 /* both sorts of names are needed here */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include <lwip/api.h>
#include <lwip/netdb.h>
#include <lwip/priv/sockets_priv.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/sockets.h>
#include <lwip/tcpip.h>

#include "guests/thin/files.h"
#include "guests/thin/network.h"
#include "guests/thin/thin.h"

/* Programs have them declared by lwIP's headers, under its compatible names. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define AGAIN_MS 300

struct socket {
	struct file file;
	int lwip;
};

static int lwip_of(struct file *f) { return ((struct socket *)f)->lwip; }

static ssize_t socket_read(struct file *f, void *bytes, size_t n)
{
	return lwip_recv(lwip_of(f), bytes, n, 0);
}

static ssize_t socket_write(struct file *f, const void *bytes, size_t n)
{
	return lwip_send(lwip_of(f), bytes, n, 0);
}

static int socket_stat(struct file *f, struct stat *s)
{
	(void)f;
	*s = (struct stat){ .st_mode = S_IFSOCK | 0600, .st_nlink = 1, .st_blksize = 4096 };
	return 0;
}

static int socket_set_flags(struct file *f, int flags)
{
	int on = flags & O_NONBLOCK ? 1 : 0;

	f->flags = (f->flags & ~O_NONBLOCK) | (flags & O_NONBLOCK);
	return lwip_ioctl(lwip_of(f), FIONBIO, &on);
}

static int socket_close(struct file *f)
{
	int result = lwip_close(lwip_of(f));

	free(f);
	return result;
}

static const struct file_type socket_type = {
	.read = socket_read,
	.write = socket_write,
	.stat = socket_stat,
	.set_flags = socket_set_flags,
	.close = socket_close,
};

/*
 * lwIP waits 3 s for its first answer before it sends again, as if it might be on its way round the world. Here a frame is there
 * at once, or was dropped for want of a buffer.
 */
static void expect_soon(int lwip)
{
	const struct lwip_sock *s = lwip_socket_dbg_get_socket(lwip);
	struct tcp_pcb *pcb;

	if (!s || NETCONNTYPE_GROUP(netconn_type(s->conn)) != NETCONN_TCP)
		return;
	LOCK_TCPIP_CORE();
	pcb = s->conn->pcb.tcp;
	if (pcb && pcb->state != LISTEN)
		pcb->rto = pcb->sv = AGAIN_MS / TCP_SLOW_INTERVAL;
	UNLOCK_TCPIP_CORE();
}

/* A number for one of lwIP's, which goes if there is none. */
static int new_socket(int lwip)
{
	struct socket *s;
	int number;

	if (lwip < 0)
		return -1;
	expect_soon(lwip);
	s = malloc(sizeof(*s));
	if (!s) {
		lwip_close(lwip);
		return fail(ENOMEM);
	}
	*s = (struct socket){ { &socket_type, 1, O_RDWR }, lwip };
	number = file_number(&s->file, 0);
	if (number < 0) {
		socket_close(&s->file);
		errno = EMFILE;
	}
	return number;
}

static struct file *get(int number)
{
	struct file *f = file_get(number);

	if (f && f->type != &socket_type) {
		file_put(f);
		f = NULL;
		errno = ENOTSOCK;
	}
	return f;
}

/* The rest of a call: its result, when the file was put back. */
#define CALL(number, call)                    \
	do {                                  \
		struct file *f = get(number); \
		__typeof__(call) result;      \
                                              \
		if (!f)                       \
			return -1;            \
		result = call;                \
		file_put(f);                  \
		return result;                \
	} while (0)

/* ---- the end: a program that ends has said all that it has sent ---- */
#define END_MS 5000 /* then whoever does not take it has lost it */

static bool has_unsaid(void)
{
	bool has = false;

	LOCK_TCPIP_CORE();
	for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb && !has; pcb = pcb->next)
		has = pcb->unsent || pcb->unacked;
	UNLOCK_TCPIP_CORE();
	return has;
}

static void end_sockets(void)
{
	for (int i = 0; i < FILES_MAX; i++) {
		struct file *f = file_get(i);
		bool is_socket = f && f->type == &socket_type;

		if (f)
			file_put(f);
		if (is_socket)
			close(i);
	}
	for (u32 ms = 0; ms < END_MS && has_unsaid(); ms++)
		usleep(1000);
}

/* ---- POSIX's ---- */
int socket(int domain, int type, int protocol)
{
	network_begin();
	files_at_end(end_sockets);
	return new_socket(lwip_socket(domain, type, protocol));
}

int accept(int s, struct sockaddr *from, socklen_t *bytes)
{
	CALL(s, new_socket(lwip_accept(lwip_of(f), from, bytes)));
}

int bind(int s, const struct sockaddr *name, socklen_t bytes)
{
	CALL(s, lwip_bind(lwip_of(f), name, bytes));
}

static int connect_or_say(int s, const struct sockaddr *name, socklen_t bytes)
{
	int result = lwip_connect(s, name, bytes);

	if (result && errno == ECONNRESET)
		errno = ECONNREFUSED; /* lwIP has one error for both */
	if (result && errno == EHOSTUNREACH && !network_ports())
		say("connect(): found no network, needed: a node net0 in the VM's description");
	return result;
}

int connect(int s, const struct sockaddr *name, socklen_t bytes)
{
	CALL(s, connect_or_say(lwip_of(f), name, bytes));
}

int listen(int s, int backlog) { CALL(s, lwip_listen(lwip_of(f), backlog)); }
int shutdown(int s, int how) { CALL(s, lwip_shutdown(lwip_of(f), how)); }

int getpeername(int s, struct sockaddr *name, socklen_t *bytes)
{
	CALL(s, lwip_getpeername(lwip_of(f), name, bytes));
}

int getsockname(int s, struct sockaddr *name, socklen_t *bytes)
{
	CALL(s, lwip_getsockname(lwip_of(f), name, bytes));
}

int getsockopt(int s, int level, int what, void *value, socklen_t *bytes)
{
	CALL(s, lwip_getsockopt(lwip_of(f), level, what, value, bytes));
}

int setsockopt(int s, int level, int what, const void *value, socklen_t bytes)
{
	CALL(s, lwip_setsockopt(lwip_of(f), level, what, value, bytes));
}

ssize_t send(int s, const void *bytes, size_t n, int flags)
{
	CALL(s, lwip_send(lwip_of(f), bytes, n, flags));
}

ssize_t sendto(int s, const void *bytes, size_t n, int flags, const struct sockaddr *to,
	       socklen_t length)
{
	CALL(s, lwip_sendto(lwip_of(f), bytes, n, flags, to, length));
}

ssize_t sendmsg(int s, const struct msghdr *m, int flags)
{
	CALL(s, lwip_sendmsg(lwip_of(f), m, flags));
}

ssize_t recv(int s, void *bytes, size_t n, int flags)
{
	CALL(s, lwip_recv(lwip_of(f), bytes, n, flags));
}

ssize_t recvfrom(int s, void *bytes, size_t n, int flags, struct sockaddr *from, socklen_t *length)
{
	CALL(s, lwip_recvfrom(lwip_of(f), bytes, n, flags, from, length));
}

ssize_t recvmsg(int s, struct msghdr *m, int flags) { CALL(s, lwip_recvmsg(lwip_of(f), m, flags)); }

/* <sys/ioctl.h>: what is there to read, or a call that does not wait. fcntl() sees the latter, too. */
int ioctl(int number, unsigned long what, ...)
{
	struct file *f = file_get(number);
	int result, *argument;
	va_list ap;

	if (!f)
		return -1;
	va_start(ap, what);
	argument = va_arg(ap, int *);
	va_end(ap);
	if (f->type != &socket_type || ((long)what != FIONREAD && (long)what != FIONBIO))
		result = fail(ENOTTY);
	else if ((long)what == FIONBIO)
		result = socket_set_flags(f, *argument ? O_NONBLOCK : 0);
	else
		result = lwip_ioctl(lwip_of(f), FIONREAD, argument);
	file_put(f);
	return result;
}

/* ---- waiting for several ---- */
static int wait_for(struct pollfd *fds, int n, int timeout)
{
	if (n)
		return lwip_poll(fds, (nfds_t)n, timeout);
	if (timeout > 0)
		usleep((useconds_t)timeout * 1000);
	return 0;
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct pollfd theirs[FILES_MAX];
	struct file *f[FILES_MAX];
	int ready = 0, known = 0, at_once = 0, result;

	if (n > FILES_MAX)
		return fail(EINVAL);
	for (nfds_t i = 0; i < n; i++) {
		f[i] = fds[i].fd < 0 ? NULL : file_get(fds[i].fd);
		fds[i].revents = 0;
		if (f[i] && f[i]->type == &socket_type) {
			theirs[known++] = (struct pollfd){ lwip_of(f[i]), fds[i].events, 0 };
		} else if (fds[i].fd >= 0) {
			fds[i].revents = f[i] ? fds[i].events & (POLLIN | POLLOUT) : POLLNVAL;
			at_once += fds[i].revents != 0;
		}
	}
	result = wait_for(theirs, known, at_once ? 0 : timeout);
	known = 0;
	for (nfds_t i = 0; i < n; i++) {
		if (f[i] && f[i]->type == &socket_type)
			fds[i].revents = theirs[known++].revents;
		if (f[i])
			file_put(f[i]);
		ready += fds[i].revents != 0;
	}
	return result < 0 ? -1 : ready;
}

static short wanted(int i, const fd_set *in, const fd_set *out)
{
	return (short)((in && FD_ISSET(i, in) ? POLLIN : 0) |
		       (out && FD_ISSET(i, out) ? POLLOUT : 0));
}

static int answer(int i, fd_set *set, bool is_ready)
{
	if (!set || !FD_ISSET(i, set))
		return 0;
	if (!is_ready)
		FD_CLR(i, set);
	return is_ready;
}

static int ms_of(const struct timeval *t)
{
	if (!t)
		return -1;
	return t->tv_sec > 1000000 ? 1000000000
				   : (int)(t->tv_sec * 1000 + (t->tv_usec + 999) / 1000);
}

int select(int n, fd_set *in, fd_set *out, fd_set *odd, struct timeval *timeout)
{
	struct pollfd fds[FILES_MAX];
	int ready = 0;

	if (n < 0 || n > FILES_MAX)
		return fail(EINVAL);
	for (int i = 0; i < n; i++) {
		short events = wanted(i, in, out);

		fds[i] = (struct pollfd){ events ? i : -1, events, 0 };
	}
	if (poll(fds, (nfds_t)n, ms_of(timeout)) < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		if (fds[i].revents & POLLNVAL)
			return fail(EBADF);
		ready += answer(i, in, fds[i].revents & (POLLIN | POLLERR | POLLHUP));
		ready += answer(i, out, fds[i].revents & (POLLOUT | POLLERR));
		answer(i, odd, false);
	}
	return ready;
}

/* ---- names ---- */
const char *inet_ntop(int family, const void *from, char *to, socklen_t bytes)
{
	return lwip_inet_ntop(family, from, to, bytes);
}

int inet_pton(int family, const char *from, void *to) { return lwip_inet_pton(family, from, to); }

int gethostname(char *name, size_t bytes)
{
	strlcpy(name, tree.label, bytes);
	return 0;
}
