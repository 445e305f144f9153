;; A function, and no section of code.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00")
;;= all: malformed
;;=   FunctionBodyCount { functions: 1, bodies: 0 }
;;=   function and code section have inconsistent lengths: 1 functions, 0 bodies (at offset 0x12, while reading the end of the module)
