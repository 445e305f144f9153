;; One byte more than 32-bit addresses reach.
(module (memory 0x1_0000_0000 (pagesize 1)))
;;= all: invalid
;;=   MemoryTooLarge { pages: 4294967296, page_size_log2: 0 }
;;=   memory size: 4294967296 pages of 2**0 bytes exceed the address space (at offset 0xb, while reading the memory section)
