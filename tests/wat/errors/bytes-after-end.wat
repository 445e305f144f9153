(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\06\01" "\04\00" "\0b\01\0b")
;;= all: malformed
;;=   BytesAfterEnd { left: 2 }
;;=   END opcode expected: the body has 2 bytes after its end (at offset 0x18, function 0, while reading a function body)
