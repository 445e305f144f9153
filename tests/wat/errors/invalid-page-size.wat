;; Pages of 2**4 bytes: only 1 and 65,536 bytes are possible.
(module binary "\00asm" "\01\00\00\00"
  "\05\04\01" "\08\00\04")
;;= all: invalid
;;=   InvalidPageSize { page_size_log2: 4 }
;;=   invalid custom page size: 2**4 (at offset 0xb, while reading the memory section)
