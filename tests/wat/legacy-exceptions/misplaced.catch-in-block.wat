;; `catch` in a block within a `try`.
(module binary "\00asm" "\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0d\03\01\00\00"
  "\0a\0c\01" "\0a\00" "\06\40\02\40\07\00\0b\0b" "\0b")
;;= all: malformed
;;=   Misplaced { op: "catch" }
;;=   `catch` without its opening instruction (at offset 0x20, function 0, while reading a function body)
