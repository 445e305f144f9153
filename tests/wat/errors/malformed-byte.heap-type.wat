;; A heap type that there is not.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\07\01" "\05\00" "\d0\60\1a" "\0b")
;;= all: malformed
;;=   MalformedByte { what: "heap type", byte: 96 }
;;=   malformed heap type 0x60 (at offset 0x18, function 0, while reading a function body)
