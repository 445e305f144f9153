#!/bin/sh
# Compiles the programs of this folder, and the one of the examples. Debian: apt-get install clang lld wasi-libc libclang-rt-dev-wasm32
set -eu
cd "$(dirname "$0")"
for source in *.c; do
  clang --target=wasm32-wasi -O1 -s -Wall -Wextra -Werror -Wno-unused-function -o "${source%.c}.wasm" "$source"
done
# With its names, which a backtrace shows.
clang --target=wasm32-wasi -O1 -Wl,--strip-debug -Wall -Wextra -Werror -o ../../examples/words.wasm ../../examples/words.c
