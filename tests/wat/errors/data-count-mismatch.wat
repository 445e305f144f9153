;; Two segments are announced; there is one.
(module binary "\00asm" "\01\00\00\00"
  "\0c\01\02" "\0b\03\01" "\01\00")
;;= all: malformed
;;=   DataCountMismatch { declared: 2, segments: 1 }
;;=   data count and data section have inconsistent lengths: 2 declared, 1 segments (at offset 0xd, while reading the data section)
