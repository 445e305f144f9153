;; `suspend`.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\06\01" "\04\00" "\e2\00" "\0b")
;;= all: unsupported
;;=   Unsupported { what: "stack switching" }
;;=   stack switching is not supported (at offset 0x17, function 0, while reading a function body)
