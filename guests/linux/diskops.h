/* SPDX-License-Identifier: MIT */
/*
 * Reads that a disk's cost is measured by: UNIT(number, name, bytes, where in a page of memory they begin, reads in flight, reads
 * between the markers). tests/bench/disk.py reads this file too. What begins at a page can be mapped, the rest is copied.
 * WRITE(number, name, salt of the contents, writes): of whole pages, from one after the other, to blocks that were written
 * before. With a salt of 1 each is what another block has, or else something of its own.
 */
UNIT(70, read4k, 4096, 0, 1, 256)
UNIT(71, read4k_queued, 4096, 0, 32, 1024)
UNIT(72, map4k, 4096, 0, 1, 256)
UNIT(73, copy4k, 4096, 512, 1, 256)
UNIT(74, map512, 512, 0, 1, 256)
UNIT(75, copy512, 512, 512, 1, 256)
UNIT(76, map16k, 16384, 0, 1, 128)
UNIT(77, copy16k, 16384, 512, 1, 128)
UNIT(78, map64k, 65536, 0, 1, 64)
UNIT(79, copy64k, 65536, 512, 1, 64)
UNIT(80, map256k, 262144, 0, 1, 32)
UNIT(81, copy256k, 262144, 512, 1, 32)
UNIT(82, map1m, 1048576, 0, 1, 16)
UNIT(83, copy1m, 1048576, 512, 1, 16)
WRITE(84, write4k_own, 2, 256)
WRITE(85, write4k_alike, 1, 256)
