;; `catch_all` behind `catch_all`.
(module binary "\00asm" "\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0d\03\01\00\00"
  "\0a\09\01" "\07\00" "\06\40\19\19\0b" "\0b")
;;= all: malformed
;;=   Misplaced { op: "catch_all" }
;;=   `catch_all` without its opening instruction (at offset 0x1f, function 0, while reading a function body)
