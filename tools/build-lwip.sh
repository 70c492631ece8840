#!/bin/bash
# SPDX-License-Identifier: MIT
# build-lwip.sh SRC OUT CC AR - lwIP from its Debian source tree SRC for thin programs, as guests/thin/lwip/lwipopts.h configures it:
# OUT/liblwip.a, and in OUT/include its headers, those of POSIX's names in posix/ there. CC: the compiler with its options.
set -eu
src=$(realpath "$1")/src out=$(realpath -m "$2") cc=$3 ar=$4
work=$out.tmp top=$(realpath "$(dirname "$0")/..")

files="api/api_lib api/api_msg api/err api/if_api api/netbuf api/netdb api/sockets api/tcpip core/def core/dns core/inet_chksum core/init
	core/ip core/mem core/memp core/netif core/pbuf core/sys core/tcp core/tcp_in core/tcp_out core/timeouts core/udp
	core/ipv4/etharp core/ipv4/icmp core/ipv4/ip4 core/ipv4/ip4_addr core/ipv4/ip4_frag netif/ethernet"

rm -rf "$work"
mkdir -p "$work"/{include,obj}
cp -r "$src"/include/{lwip,netif} "$work/include/"
cp -r "$src/include/compat/posix" "$work/include/posix"
mkdir -p "$work"/include/posix/{netinet,sys}
for header in netinet/in netinet/tcp poll sys/poll; do
	echo '#include <lwip/sockets.h>' >"$work/include/posix/$header.h"
done

cd "$top"
for file in $files; do
	$cc -w -DLWIP_COMPAT_SOCKETS=0 -I"$src/include" -c -o "$work/obj/$(basename "$file").o" "$src/$file.c"
done
$ar rcs "$work/liblwip.a" "$work"/obj/*.o
rm -rf "$work/obj" "$out"
mv "$work" "$out"
