;; `delegate` behind `catch`.
(module binary "\00asm" "\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0d\03\01\00\00"
  "\0a\0a\01" "\08\00" "\06\40\07\00\18\00" "\0b")
;;= all: malformed
;;=   Misplaced { op: "delegate" }
;;=   `delegate` without its opening instruction (at offset 0x20, function 0, while reading a function body)
