#!/bin/bash
# SPDX-License-Identifier: MIT
# build-vvp.sh SRC OUT CROSS - OUT/vvp, the simulator of Icarus Verilog from its source tree SRC: one static program, with the
# module "system" ($display and the like) linked in (modules.c) where vvp expects to load it. Does not use the package's
# configure, which finds no preprocessor when it builds for another machine: what it would find is listed here.
set -eu
src=$(realpath "$1") out=$(realpath -m "$2") cross=$3
modules=$(realpath "$(dirname "$0")")/modules.c
rm -rf "$out"
mkdir -p "$out/vvp" "$out/vpi"

found='HAVE_TIMES|HAVE_IOSFWD|HAVE_GETOPT_H|HAVE_INTTYPES_H|HAVE_DLFCN_H|HAVE_LROUND|HAVE_LLROUND|HAVE_NAN|HAVE_FMIN|HAVE_FMAX'
found+='|HAVE_ALLOCA_H|HAVE_FSEEKO|HAVE_REALPATH|HAVE_SYS_RESOURCE_H|UINT64_T_AND_ULONG_SAME|LINUX'
configured() { # FILE.in > FILE
	sed -E -e "s/^# ?undef ($found)\$/# define \1 1/" -e 's/^# define SIZEOF_UNSIGNED_LONG(_LONG)? 0/# define SIZEOF_UNSIGNED_LONG\1 8/' \
		-e 's/^# define SIZEOF_UNSIGNED 0/# define SIZEOF_UNSIGNED 4/' "$1"
}
configured "$src/_pli_types.h.in" >"$out/_pli_types.h"
configured "$src/vvp/config.h.in" >"$out/vvp/config.h"
configured "$src/vpi/vpi_config.h.in" >"$out/vpi/vpi_config.h"
echo '#define VERSION_TAG ""' >"$out/version_tag.h"

cd "$out/vvp"
gcc -w -o draw_tt "$src/vvp/draw_tt.c"
./draw_tt >tables.cc
bison -t --defines=parse.h -o parse.cc "$src/vvp/parse.y"
flex -s -olexor.cc "$src/vvp/lexor.lex"
cd "$out/vpi"
flex -osys_readmem_lex.c "$src/vpi/sys_readmem_lex.lex"
bison -t -p sdf --defines=sdf_parse.h -o sdf_parse.c "$src/vpi/sdf_parse.y"
flex -osdf_lexor.c "$src/vpi/sdf_lexor.lex"
bison -t -p tblmod -d -o table_mod_parse.c "$src/vpi/table_mod_parse.y"
flex -otable_mod_lexor.c "$src/vpi/table_mod_lexor.lex"

sources() { # FOLDER NAMES: each as the generated file or the package's own
	local folder=$1 name
	shift
	for name; do
		ls "$out/$folder/$name" 2>/dev/null || echo "$src/$folder/$name"
	done
}
make_list() { # FOLDER VARIABLE: what the package's Makefile.in assigns to it
	sed -n -e ':a' -e '/\\$/{N;s/\\\n/ /;ba;}' -e "s/^$2 = //p" "$src/$1/Makefile.in"
}
vvp_names=$(for o in $(make_list vvp VPI) $(make_list vvp O); do [ "$o" = '$(VPI)' ] || echo "${o%.o}.cc"; done)
vpi_names=$(for o in $(make_list vpi O); do echo "${o%.o}.c"; done)

export flags="-O2 -w -mcompact-branches=never -DICARUS_VPI_CONST=const -DMODULE_DIR1=\\\"/lib/ivl\\\" -DIVL_SUFFIX=\\\"\\\" -I$out"
export cross src out
compile() { # FILE
	local folder=vvp object
	case $1 in */vpi/*) folder=vpi ;; esac
	object=$out/$folder/$(basename "${1%.*}").o
	case $1 in
	*.c) eval "${cross}gcc $flags -D_FILE_OFFSET_BITS=64 -I$out/$folder -I$src/$folder -I$src -c -o $object $1" ;;
	*) eval "${cross}g++ $flags -I$out/$folder -I$src/$folder -I$src -c -o $object $1" ;;
	esac
}
export -f compile
{ sources vvp $vvp_names; sources vpi $vpi_names vcd_priv2.cc; echo "$modules"; } | xargs -P "$(nproc)" -n 1 bash -c 'compile "$0"'
"${cross}g++" -static -s -Wl,-z,noexecstack -o "$out/vvp.tmp" "$out"/vvp/*.o "$out"/vpi/*.o
# The folder vvp is the program's name.
rm -rf "$out/vpi" "$out/vvp"
mv "$out/vvp.tmp" "$out/vvp"
