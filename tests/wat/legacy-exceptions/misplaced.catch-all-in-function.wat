;; `catch_all` without `try`.
(module binary "\00asm" "\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0d\03\01\00\00"
  "\0a\05\01" "\03\00" "\19" "\0b")
;;= all: malformed
;;=   Misplaced { op: "catch_all" }
;;=   `catch_all` without its opening instruction (at offset 0x1c, function 0, while reading a function body)
