;; `else` in a `try`.
(module binary "\00asm" "\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0d\03\01\00\00"
  "\0a\08\01" "\06\00" "\06\40\05\0b" "\0b")
;;= all: malformed
;;=   Misplaced { op: "else" }
;;=   `else` without its opening instruction (at offset 0x1e, function 0, while reading a function body)
