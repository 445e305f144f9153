;; A `catch` that is not closed.
(module binary "\00asm" "\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0d\03\01\00\00"
  "\0a\08\01" "\06\00" "\06\40\07\00" "\0b")
;;= all: malformed
;;=   EndExpected { open: 1 }
;;=   END opcode expected: 1 blocks are open (at offset 0x21, function 0, while reading a function body)
