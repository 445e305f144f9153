;; `catch` in a constant expression.
(module binary "\00asm" "\01\00\00\00"
  "\06\08\01" "\7f\00" "\07\00" "\41\00" "\0b")
;;= all: invalid
;;=   NotConstant { op: "catch" }
;;=   constant expression required: `catch` is not constant (at offset 0xd, while reading a constant expression)
