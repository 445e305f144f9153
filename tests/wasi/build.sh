#!/bin/sh
# Compiles the programs of this folder. Debian: apt-get install clang lld wasi-libc libclang-rt-dev-wasm32
set -eu
cd "$(dirname "$0")"
for source in *.c; do
  clang --target=wasm32-wasi -O1 -s -Wall -Wextra -Werror -Wno-unused-function -o "${source%.c}.wasm" "$source"
done
