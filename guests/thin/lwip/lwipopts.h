/* SPDX-License-Identifier: MIT */
/*
 * lwIP's configuration: sockets on threads of the thin OS, memory by malloc, IPv4. Programs see it too, by <sys/socket.h>: for them sockets have
 * POSIX's names.
 */
#ifndef THIN_LWIPOPTS_H
#define THIN_LWIPOPTS_H

#ifndef LWIP_COMPAT_SOCKETS
#define LWIP_COMPAT_SOCKETS 2 /* functions of these names: guests/thin/sockets.c */
#endif
#define LWIP_POSIX_SOCKETS_IO_NAMES 0 /* read(), write(), close() are of all files */
#define LWIP_SOCKET_OFFSET	    0
#define MEMP_NUM_NETCONN	    64 /* sockets: as many as files */

/* Calls run in the thread that makes them, under one lock, as do frames that come; lwIP's own thread has the timers. */
#define NO_SYS			      0
#define SYS_LIGHTWEIGHT_PROT	      1
#define LWIP_TCPIP_CORE_LOCKING	      1
#define LWIP_TCPIP_CORE_LOCKING_INPUT 1
#define LWIP_NETCONN_FULLDUPLEX	      1 /* a socket is used, and closed, by several threads */
#define LWIP_NETCONN_SEM_PER_THREAD   1
#define LWIP_NETCONN_THREAD_SEM_GET() thin_lwip_semaphore()
#define LWIP_NETCONN_THREAD_SEM_ALLOC()
#define LWIP_NETCONN_THREAD_SEM_FREE()
#define TCPIP_THREAD_STACKSIZE	  32768
#define TCPIP_MBOX_SIZE		  64
#define DEFAULT_TCP_RECVMBOX_SIZE 128
#define DEFAULT_UDP_RECVMBOX_SIZE 64
/* More than listen() lets wait: a connection that finds no room here is reset. */
#define DEFAULT_ACCEPTMBOX_SIZE 256
#define LWIP_SO_SNDTIMEO	1
#define LWIP_SO_RCVTIMEO	1
#define LWIP_SO_LINGER		1
#define LWIP_SO_RCVBUF		1 /* and what is there to read, FIONREAD, */
#define LWIP_FIONREAD_LINUXMODE 1 /* of datagrams the next one alone */
#define SO_REUSE		1
#define LWIP_TCP_KEEPALIVE	1

#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT	8

#define LWIP_IPV4		1
#define LWIP_IPV6		0
#define LWIP_RAW		0
#define LWIP_STATS		0
#define LWIP_NETIF_LOOPBACK	1
#define LWIP_HAVE_LOOPIF	1
#define IP_REASS_MAX_PBUFS	64
#define LWIP_LOOPBACK_MAX_PBUFS 64

/* Names are those of the VMs on the subnets, else numbers; nobody is asked. */
#define LWIP_DNS 1
#define LWIP_HOOK_NETCONN_EXTERNAL_RESOLVE(name, address, type, error) \
	thin_lwip_resolve(name, address, error)

/* Who is looked for by ARP has several frames waiting when he answers. */
#define ARP_QUEUEING  1
#define ARP_QUEUE_LEN 32

/*
 * Segments that fill three receive buffers (netport.c), headers counted: few entries to the monitor. Windows of four of them: eight connections
 * have room in the 128 buffers of a port. Of writes of 20,000 bytes each has 13 on their way, 104 in all, and 24 are left for acknowledgements.
 */
#define TCP_MSS		   12222
#define TCP_WND		   (4 * TCP_MSS)
#define TCP_SND_BUF	   (4 * TCP_MSS)
#define TCP_SND_QUEUELEN   64
#define MEMP_NUM_TCP_SEG   TCP_SND_QUEUELEN
#define TCP_SNDLOWAT	   TCP_MSS
#define TCP_OVERSIZE	   2048
#define TCP_LISTEN_BACKLOG 1
#define TCP_MSL		   1000 /* ms that a frame may live: a subnet is a machine */
#define TCP_TMR_INTERVAL \
	50 /* ms, of delayed acknowledgements; half as often all else is looked at */

/* What comes over a subnet never left memory: who sent it has not always summed it up (GUEST_CSUM). */
#define CHECKSUM_CHECK_TCP  0
#define CHECKSUM_CHECK_UDP  0
#define CHECKSUM_CHECK_ICMP 0

/* Acknowledgements that would answer each other for ever: lwipsys.c. */
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, h, all, first, second, data) thin_lwip_segment(pcb, h, data)
/* Other guests shall not guess numbers. */
#define LWIP_HOOK_TCP_ISN(local, local_port, remote, remote_port) arc4random()
#define LWIP_RANDOMIZE_INITIAL_LOCAL_PORTS			  1

#endif /* THIN_LWIPOPTS_H */
