;; Two functions, one body.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\03\02\00\00"
  "\0a\04\01" "\02\00\0b")
;;= all: malformed
;;=   FunctionBodyCount { functions: 2, bodies: 1 }
;;=   function and code section have inconsistent lengths: 2 functions, 1 bodies (at offset 0x15, while reading the code section)
