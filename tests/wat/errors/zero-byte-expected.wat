;; The byte behind `atomic.fence`.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\07\01" "\05\00" "\fe\03\01" "\0b")
;;= all: malformed
;;=   ZeroByteExpected { byte: 1 }
;;=   zero byte expected, found 0x01 (at offset 0x19, function 0, while reading a function body)
