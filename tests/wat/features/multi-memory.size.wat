;;! without = ["multi-memory"]
;; The memory's index in two bytes; it was one zero byte before.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00" "\05\03\01\00\00"
  "\0a\08\01" "\06\00" "\3f\80\00" "\1a" "\0b")
;;= all: valid
;;= all but multi-memory: unsupported
;;=   FeatureDisabled(MultiMemory)
;;=   feature `multi-memory` is switched off (at offset 0x1d, function 0, while reading a function body)
