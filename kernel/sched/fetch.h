/* SPDX-License-Identifier: MIT */
/*
 * spread=1 on the command line: VCPUs of VMs whose description names no node go where processors are free. What is decided
 * is spread.h's; this is who looks and who asks. Only the node itself calls these.
 */
#ifndef KERNEL_SCHED_FETCH_H
#define KERNEL_SCHED_FETCH_H

#include "kernel/node.h"

extern bool fetch_on; /* fixed after boot; false: of the others, none is called */
void fetch_configure(const char *words); /* boot only */
void fetch_publish(struct node *n); /* how many want the processor; after states were updated */
void fetch_idle(struct node *n);    /* the node is about to idle */
void fetch_tick(struct node *n);
/* The current VCPU misses on so many pages of that node, or on what is worth as much (affinity.h). */
void fetch_vote(struct node *n, u32 home, u32 pages);
/* The current VCPU is on its way to its memory, or soon will be: none of that is to be moved here now. page_ns: what a page costs to move. */
bool fetch_follows(struct node *n, u64 page_ns);
/* Another node has asked: a VCPU that may go is on its way there, or none may. */
void fetch_give(struct node *n);

#endif /* KERNEL_SCHED_FETCH_H */
