;; A section announces nine bytes; one is left.
(module binary "\00asm" "\01\00\00\00"
  "\01\09" "\00")
;;= all: malformed
;;=   LengthOutOfBounds { len: 9, left: 1 }
;;=   length out of bounds: 9 bytes are declared, 1 are left (at offset 0xa, while reading a section's header)
