;; An import of a function of exactly this type (custom descriptors).
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\02\05\01" "\00\00\20\00")
;;= all: unsupported
;;=   Unsupported { what: "an exact function import (custom descriptors)" }
;;=   an exact function import (custom descriptors) is not supported (at offset 0x13, while reading the import section)
