;; A `try` in a constant expression, closed by `delegate`.
(module binary "\00asm" "\01\00\00\00"
  "\06\0a\01" "\7f\00" "\06\40\18\00" "\41\00" "\0b")
;;= all: invalid
;;=   NotConstant { op: "try" }
;;=   constant expression required: `try` is not constant (at offset 0xd, while reading a constant expression)
