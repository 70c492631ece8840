/* SPDX-License-Identifier: MIT */
/* What lwIP asks of the compiler and the C library. */
#ifndef THIN_LWIP_ARCH_CC_H
#define THIN_LWIP_ARCH_CC_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/types.h>

#ifndef SSIZE_MAX
#define SSIZE_MAX LONG_MAX /* lwIP's question whether there is an ssize_t */
#endif

#define LWIP_TIMEVAL_PRIVATE  0
#define LWIP_ERRNO_STDINCLUDE 1
#define LWIP_RAND()	      ((u32_t)arc4random())
#define LWIP_PLATFORM_DIAG(message)
#define LWIP_PLATFORM_ASSERT(message) thin_lwip_failed(message)

/* Debian's lwIP asks for these; its structures have a length, as lwIP's own do. */
#define IP4ADDR_SOCKADDR_SET_LEN(in)  ((in)->sin_len = sizeof(*(in)))
#define IPADDR_SOCKADDR_GET_LEN(name) ((name)->sa.sa_len)

_Noreturn void thin_lwip_failed(const char *what);
struct thin_lwip_sem;
struct thin_lwip_sem *thin_lwip_semaphore(void); /* this thread's */

struct ip4_addr;
/* 0: it is nobody's name. *error, an err_t, is what a caller has found otherwise: none. */
int thin_lwip_resolve(const char *name, struct ip4_addr *address, signed char *error);

struct tcp_pcb;
struct tcp_hdr;
struct pbuf;
signed char thin_lwip_segment(struct tcp_pcb *of, const struct tcp_hdr *h,
			      const struct pbuf *data); /* else than 0: it is dropped */

#endif /* THIN_LWIP_ARCH_CC_H */
