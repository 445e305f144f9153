;; `delegate` closes the block, so that an `end` is too many.
(module binary "\00asm" "\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0d\03\01\00\00"
  "\0a\09\01" "\07\00" "\06\40\18\00\0b" "\0b")
;;= all: malformed
;;=   BytesAfterEnd { left: 1 }
;;=   END opcode expected: the body has 1 bytes after its end (at offset 0x21, function 0, while reading a function body)
