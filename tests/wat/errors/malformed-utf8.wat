;; A surrogate in the name of a custom section.
(module binary "\00asm" "\01\00\00\00"
  "\00\05" "\04" "a\ed\a0\80")
;;= all: malformed
;;=   MalformedUtf8
;;=   malformed UTF-8 encoding (at offset 0xc, while reading a custom section)
