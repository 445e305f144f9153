;; A negative number that is no value type, in two bytes.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\08\01" "\06\00" "\02\ff\7f" "\0b\0b")
;;= all: malformed
;;=   MalformedByte { what: "block type", byte: 255 }
;;=   malformed block type 0xff (at offset 0x18, function 0, while reading a function body)
