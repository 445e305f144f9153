;; `func` as an integer of two bytes: an abstract heap type is one byte.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\08\01" "\06\00" "\d0\f0\7f\1a" "\0b")
;;= all: malformed
;;=   MalformedByte { what: "heap type", byte: 240 }
;;=   malformed heap type 0xf0 (at offset 0x18, function 0, while reading a function body)
