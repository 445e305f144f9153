;; `ref.get_desc`.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\07\01" "\05\00" "\fb\22\00" "\0b")
;;= all: unsupported
;;=   Unsupported { what: "an instruction of custom descriptors" }
;;=   an instruction of custom descriptors is not supported (at offset 0x17, function 0, while reading a function body)
