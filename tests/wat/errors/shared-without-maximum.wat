(module binary "\00asm" "\01\00\00\00"
  "\05\03\01" "\02\01")
;;= all: invalid
;;=   SharedWithoutMaximum
;;=   shared memory must have maximum (at offset 0xb, while reading the memory section)
