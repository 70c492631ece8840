/* SPDX-License-Identifier: MIT */
/*
 * The units of `make bench-net`, by netops.c between the markers of qemu/plugin/count.c, on the sender's processor and on the peer's:
 * UNIT(number, name, how, bytes of one message or piece, how many). tests/bench/net.py reads this, too.
 *
 *   SEND   writes to a TCP connection, which the peer reads
 *   PAGES  the same of a file's pages (sendfile)
 *   ASK    a message and its answer, one at a time
 *   PACKET a UDP packet and its answer of a byte, one at a time
 *   NFS    a file of the peer's read through NFS, with nothing of it in the page cache here, all of it there; STORE: written, with fsync
 *   DISK   the same of a file on a disk here, whose blocks the monitor has in memory; KEEP: written, with fsync
 */
/* clang-format off */
UNIT(10, send64, SEND, 64, 8192)
UNIT(11, send256, SEND, 256, 4096)
UNIT(12, send1k, SEND, 1024, 1024)
UNIT(13, send4k, SEND, 4096, 512)
UNIT(14, send16k, SEND, 16384, 128)
UNIT(15, send64k, SEND, 65536, 32)
UNIT(16, send256k, SEND, 262144, 8)
UNIT(17, send1m, SEND, 1048576, 2)
UNIT(20, file64, PAGES, 64, 2048)
UNIT(21, file256, PAGES, 256, 2048)
UNIT(22, file1k, PAGES, 1024, 1024)
UNIT(23, file4k, PAGES, 4096, 512)
UNIT(24, file16k, PAGES, 16384, 128)
UNIT(25, file64k, PAGES, 65536, 32)
UNIT(26, file256k, PAGES, 262144, 8)
UNIT(27, file1m, PAGES, 1048576, 2)
UNIT(50, packet64, PACKET, 64, 256)
UNIT(51, packet256, PACKET, 256, 256)
UNIT(52, packet1k, PACKET, 1024, 256)
UNIT(53, packet4k, PACKET, 4096, 128)
UNIT(54, packet16k, PACKET, 16384, 64)
UNIT(55, packet60k, PACKET, 61440, 32)
UNIT(30, ask1, ASK, 1, 100)
UNIT(31, ask4k, ASK, 4096, 100)
UNIT(40, nfs_read, NFS, 65536, 64)
UNIT(41, nfs_write, STORE, 65536, 64)
UNIT(42, disk_read, DISK, 65536, 64)
UNIT(43, disk_write, KEEP, 65536, 64)
/* clang-format on */
