(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\09\01" "\07\00" "\00\1c\02\7f\7f" "\0b")
;;= all: invalid
;;=   SelectArity { count: 2 }
;;=   invalid result arity: 2 types on a `select` (at offset 0x19, function 0, while reading a function body)
