;; A body ends within the bytes of `f64.const`.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\07\01" "\05\00" "\44\00\00\00")
;;= all: malformed
;;=   UnexpectedEnd
;;=   unexpected end (at offset 0x1b, function 0, while reading a function body)
