/* SPDX-License-Identifier: MIT */
/*
 * The unit operations that a guest's cost is measured by: UNIT(number, name, operations between its
 * markers). tests/bench/bench.py reads this file too; qemu/plugin/count.c sees the markers. Unit 1
 * begins at the kernel's entry.
 */
UNIT(1, boot, 1)
UNIT(2, null_syscall, 1000)
UNIT(3, pipe, 1000)
UNIT(4, ping_pong, 1000)
UNIT(5, anon_fault, 1000)
UNIT(6, touch, 1000)
UNIT(7, munmap1000, 1)
UNIT(8, mprotect, 100)
UNIT(9, fork_exit, 50)
UNIT(10, fork_exec, 20)
UNIT(11, tmpfs_write, 200)
UNIT(12, tmpfs_read, 200)
UNIT(13, clock_gettime, 200)
UNIT(14, tick, 100)
UNIT(15, open, 200)
UNIT(16, quick_fault, 500)
UNIT(17, execve, 20)
