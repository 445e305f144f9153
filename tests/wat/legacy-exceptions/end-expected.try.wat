;; A `try` that is not closed.
(module binary "\00asm" "\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0d\03\01\00\00"
  "\0a\06\01" "\04\00" "\06\40" "\0b")
;;= all: malformed
;;=   EndExpected { open: 1 }
;;=   END opcode expected: 1 blocks are open (at offset 0x1f, function 0, while reading a function body)
