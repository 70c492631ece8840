/* SPDX-License-Identifier: MIT */
/*
 * Runs the unit operations of unitops.h, each between two marker instructions that the counting
 * plugin sees in any mode. Static and without a C library, so that nothing but the operation lies
 * between them. Measures nothing itself.
 *
 * unitops boot   only ends unit 1: started by the first command of a shell
 * unitops exit   ends at once: what fork_exec executes
 * unitops again  executes itself a number of times, as many as the second word has letters
 * unitops times  some of the units, each repeated for about a second between two lines that say so
 * unitops twice  all other units, and once more when all memory that they use has been used before
 * unitops        all other units
 * The last three power off (or restart, where the machine knows no power off).
 */
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/reboot.h>

#define PAGE   4096
#define SECOND 166666667 /* of Count */

enum {
#define UNIT(number, name, operations) UNIT_##name = number, OPERATIONS_##name = operations,
#include "guests/linux/unitops.h"
#undef UNIT
};

#define BEGIN(unit) __asm__ volatile("sltiu $0, $0, %0" ::"i"(0x5100 + UNIT_##unit) : "memory")
#define END(unit)   __asm__ volatile("sltiu $0, $0, %0" ::"i"(0x5200 + UNIT_##unit) : "memory")

static long call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long v0 __asm__("$2") = number;
	register long a0 __asm__("$4") = a;
	register long a1 __asm__("$5") = b;
	register long a2 __asm__("$6") = c;
	register long a3 __asm__("$7") = d;
	register long a4 __asm__("$8") = e;
	register long a5 __asm__("$9") = f;

	__asm__ volatile("syscall"
			 : "+r"(v0), "+r"(a3)
			 : "r"(a0), "r"(a1), "r"(a2), "r"(a4), "r"(a5)
			 : "$1", "$3", "$10", "$11", "$12", "$13", "$14", "$15", "$24", "$25",
			   "memory");
	return a3 ? -v0 : v0;
}

#define CALL(name, a, b, c) call6(__NR_##name, (long)(a), (long)(b), (long)(c), 0, 0, 0)

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static void say(const char *text)
{
	long length = 0;

	while (text[length])
		length++;
	CALL(write, 1, text, length);
}

static void end(long status)
{
	for (;;)
		CALL(exit_group, status, 0, 0);
}

static void must(long result)
{
	if (result >= 0)
		return;
	say("unitops: a system call failed\n");
	end(1);
}

static void wait_for(long child) { must(call6(__NR_wait4, child, 0, 0, 0, 0, 0)); }

static char *pages(long count)
{
	long at = call6(__NR_mmap, 0, count * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(at);
	return (char *)at;
}

/* Each operation below ran some times before it is measured, so that caches and page tables are
 * warm. */

static void null_syscall(void)
{
	for (int i = 0; i < 100; i++)
		CALL(getppid, 0, 0, 0);
	BEGIN(null_syscall);
	for (int i = 0; i < OPERATIONS_null_syscall; i++)
		CALL(getppid, 0, 0, 0);
	END(null_syscall);
}

static void pipe_round(const int *ends)
{
	char byte = 0;

	CALL(write, ends[1], &byte, 1);
	CALL(read, ends[0], &byte, 1);
}

static void pipe_alone(void)
{
	int ends[2];

	must(CALL(pipe2, ends, 0, 0));
	for (int i = 0; i < 50; i++)
		pipe_round(ends);
	BEGIN(pipe);
	for (int i = 0; i < OPERATIONS_pipe; i++)
		pipe_round(ends);
	END(pipe);
}

static void echo(int from, int to)
{
	char byte = 0;

	while (CALL(read, from, &byte, 1) == 1 && byte != 'q')
		CALL(write, to, &byte, 1);
	end(0);
}

static void ping_pong(void)
{
	int there[2], back[2];
	char byte = 0;
	long child;

	must(CALL(pipe2, there, 0, 0));
	must(CALL(pipe2, back, 0, 0));
	child = CALL(fork, 0, 0, 0);
	must(child);
	if (!child)
		echo(there[0], back[1]);
	for (int i = -50; i < OPERATIONS_ping_pong; i++) {
		if (i == 0)
			BEGIN(ping_pong);
		CALL(write, there[1], &byte, 1);
		CALL(read, back[0], &byte, 1);
	}
	END(ping_pong);
	byte = 'q';
	CALL(write, there[1], &byte, 1);
	wait_for(child);
}

static void memory(void)
{
	char *at = pages(OPERATIONS_touch + 1);

	at[OPERATIONS_touch * PAGE] = 1;
	BEGIN(anon_fault);
	for (long i = 0; i < OPERATIONS_anon_fault; i++)
		at[i * PAGE] = 1;
	END(anon_fault);
	BEGIN(touch);
	for (long i = 0; i < OPERATIONS_touch; i++)
		*(volatile char *)(at + i * PAGE);
	END(touch);
	BEGIN(munmap1000);
	CALL(munmap, at, (OPERATIONS_touch + 1) * PAGE, 0);
	END(munmap1000);
}

static void protect(void)
{
	char *at = pages(8);

	for (int i = 0; i < 8; i++)
		at[i * PAGE] = 1;
	BEGIN(mprotect);
	for (int i = 0; i < OPERATIONS_mprotect; i++) {
		CALL(mprotect, at, PAGE, PROT_READ);
		CALL(mprotect, at, PAGE, PROT_READ | PROT_WRITE);
	}
	END(mprotect);
}

static void spawn(const char *program)
{
	const char *argv[] = { program, "exit", 0 };
	long child = CALL(fork, 0, 0, 0);

	must(child);
	if (!child) {
		if (program)
			CALL(execve, program, argv, 0);
		end(0);
	}
	wait_for(child);
}

static void fork_exit(void)
{
	spawn(0);
	BEGIN(fork_exit);
	for (int i = 0; i < OPERATIONS_fork_exit; i++)
		spawn(0);
	END(fork_exit);
}

static const char *self; /* the file of this program */

static void fork_exec(void)
{
	spawn(self);
	BEGIN(fork_exec);
	for (int i = 0; i < OPERATIONS_fork_exec; i++)
		spawn(self);
	END(fork_exec);
}

static void opens(void)
{
	for (int i = 0; i < 10; i++)
		CALL(close, CALL(open, "/tmp/unitops", O_RDONLY, 0), 0, 0);
	BEGIN(open);
	for (int i = 0; i < OPERATIONS_open; i++)
		CALL(close, CALL(open, "/tmp/unitops", O_RDONLY, 0), 0, 0);
	END(open);
}

static void files(void)
{
	static char page[PAGE];
	long file = CALL(open, "/tmp/unitops", O_RDWR | O_CREAT, 0600);

	must(file);
	BEGIN(tmpfs_write);
	for (int i = 0; i < OPERATIONS_tmpfs_write; i++)
		CALL(write, file, page, PAGE);
	END(tmpfs_write);
	CALL(lseek, file, 0, 0);
	BEGIN(tmpfs_read);
	for (int i = 0; i < OPERATIONS_tmpfs_read; i++)
		CALL(read, file, page, PAGE);
	END(tmpfs_read);
	CALL(close, file, 0, 0);
	opens();
	CALL(unlink, "/tmp/unitops", 0, 0);
}

/* The file's pages are in the page cache, and no page table has them: each page is a fault for its own. */
static void quick_faults(void)
{
	long file = CALL(open, "/tmp/quick", O_RDWR | O_CREAT, 0600), at;
	static char page[PAGE];

	must(file);
	for (int i = 0; i < OPERATIONS_quick_fault; i++)
		CALL(write, file, page, PAGE);
	at = call6(__NR_mmap, 0, OPERATIONS_quick_fault * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   file, 0);
	must(at);
	must(CALL(madvise, at, OPERATIONS_quick_fault * PAGE, MADV_RANDOM));
	BEGIN(quick_fault);
	for (long i = 0; i < OPERATIONS_quick_fault; i++)
		*(volatile char *)(at + i * PAGE) = 1;
	END(quick_fault);
	CALL(munmap, at, OPERATIONS_quick_fault * PAGE, 0);
	CALL(close, file, 0, 0);
	CALL(unlink, "/tmp/quick", 0, 0);
}

/* One process that executes itself: a letter of the word for each time that is left. */
static void again(char *letters)
{
	const char *argv[] = { self, "again", letters + 1, 0 };

	if (!*letters) {
		END(execve);
		end(0);
	}
	CALL(execve, self, argv, 0);
	end(1);
}

static void execs(void)
{
	char letters[OPERATIONS_execve + 1];
	long child = CALL(fork, 0, 0, 0);

	must(child);
	if (child) {
		wait_for(child);
		return;
	}
	for (int i = 0; i < OPERATIONS_execve; i++)
		letters[i] = 'x';
	letters[OPERATIONS_execve] = 0;
	BEGIN(execve);
	again(letters);
}

static unsigned int count(void)
{
	unsigned int value;

	__asm__ volatile("rdhwr %0, $2" : "=r"(value));
	return value;
}

/* Busy in user mode for a second, which is OPERATIONS_tick ticks of a kernel with HZ=100. */
static void ticks(void)
{
	long now[2];
	unsigned int start;

	BEGIN(clock_gettime);
	for (int i = 0; i < OPERATIONS_clock_gettime; i++)
		CALL(clock_gettime, 1, now, 0);
	END(clock_gettime);
	start = count();
	BEGIN(tick);
	while (count() - start < SECOND)
		for (volatile int i = 0; i < 10000; i++)
			;
	END(tick);
}

/* For a watch outside the machine. */
static void repeat(const char *name, void (*unit)(void), int times)
{
	unit();
	say("unitops: begin ");
	say(name);
	say("\n");
	while (times--)
		unit();
	say("unitops: end ");
	say(name);
	say("\n");
}

static void time_units(void)
{
	repeat("null_syscall", null_syscall, 1000);
	repeat("pipe", pipe_alone, 25);
	repeat("ping_pong", ping_pong, 20);
	repeat("memory", memory, 100);
	repeat("mprotect", protect, 200);
	repeat("fork_exit", fork_exit, 20);
	repeat("fork_exec", fork_exec, 20);
	repeat("files", files, 50);
}

static void run_units(void)
{
	say("unitops: start\n");
	null_syscall();
	pipe_alone();
	ping_pong();
	memory();
	protect();
	fork_exit();
	fork_exec();
	files();
	quick_faults();
	execs();
	ticks();
}

/* stack: argument count, then the arguments */
__attribute__((used)) static void start(const long *stack)
{
	const char *word = stack[0] > 1 ? (const char *)stack[2] : "";

	self = (const char *)stack[1];
	if (same(word, "boot"))
		END(boot);
	if (same(word, "again"))
		again((char *)stack[3]);
	if (same(word, "times"))
		time_units();
	else if (same(word, "twice"))
		run_units(), run_units();
	else if (*word)
		end(0);
	else
		run_units();
	say("unitops: done\n");
	call6(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0,
	      0, 0);
	call6(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_RESTART, 0, 0,
	      0);
	end(1);
}

__asm__(".globl __start\n__start:\n\tmove $4, $29\n\tdaddiu $29, $29, -64\n\tdla $25, start\n\tjr $25\n");
