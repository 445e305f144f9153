(module (table 0x1_0000_0000 funcref))
;;= all: invalid
;;=   TableTooLarge { elements: 4294967296 }
;;=   table size: 4294967296 elements exceed the 32-bit indices of the table (at offset 0xb, while reading the table section)
