;; A section of types announces two and holds one.
(module binary "\00asm" "\01\00\00\00"
  "\01\04" "\02" "\60\00\00")
;;= all: malformed
;;=   UnexpectedEnd
;;=   unexpected end (at offset 0xe, while reading the type section)
