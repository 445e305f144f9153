;; `data.drop` without a data count section.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\07\01" "\05\00" "\fc\09\00" "\0b"
  "\0b\03\01" "\01\00")
;;= all: malformed
;;=   DataCountRequired
;;=   data count section required (at offset 0x17, function 0, while reading a function body)
