(module (memory 0 65537))
;;= all: invalid
;;=   MemoryTooLarge { pages: 65537, page_size_log2: 16 }
;;=   memory size: 65537 pages of 2**16 bytes exceed the address space (at offset 0xb, while reading the memory section)
