# SPDX-License-Identifier: MIT
MONITOR_SRCS += drivers/types.c drivers/dma.c drivers/identity.c drivers/board.c drivers/malta.c drivers/vcons.c drivers/host/uart.c drivers/host/i8259.c drivers/host/power.c drivers/host/rtc.c \
	drivers/host/pci.c drivers/host/virtio_pci.c drivers/host/virtio_blk.c drivers/host/virtio_net.c drivers/host/disk.c drivers/host/readback.c \
	drivers/disk/blockmap.c drivers/disk/image.c drivers/disk/transfer.c drivers/disk/cache.c drivers/disk/own.c drivers/disk/alike.c drivers/disk/deliver.c drivers/disk/disk.c drivers/disk/show.c \
	drivers/virtio/queue.c drivers/virtio/mmio.c drivers/virtio/rng.c drivers/virtio/blk.c drivers/virtio/balloon.c drivers/virtio/console.c drivers/virtio/net.c drivers/virtio/net_receive.c \
	drivers/subnet/subnet.c drivers/subnet/transfer.c drivers/subnet/fair.c drivers/subnet/habit.c drivers/subnet/uplink.c drivers/subnet/show.c
