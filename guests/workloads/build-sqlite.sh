#!/bin/bash
# SPDX-License-Identifier: MIT
# build-sqlite.sh SRC OUT CROSS - OUT/sqlite3.o and sqlite3.h, SQLite for one thread from Debian's source tree SRC.
set -eu
src=$(realpath "$1") out=$(realpath -m "$2") cross=$3
rm -rf "$out"
mkdir -p "$out"
cd "$out"
CC=gcc "$src/configure" --disable-tcl --disable-readline
make sqlite3.c
"${cross}gcc" -O2 -w -ffp-contract=off -mcompact-branches=never -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -c -o sqlite3.tmp sqlite3.c
mv sqlite3.tmp sqlite3.o
