;; A byte after the last type.
(module binary "\00asm" "\01\00\00\00"
  "\01\05" "\01\60\00\00" "\00")
;;= all: malformed
;;=   SectionSizeMismatch { left: 1 }
;;=   section size mismatch: 1 bytes after the last item (at offset 0xe, while reading the type section)
