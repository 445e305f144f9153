(module binary "\00asm" "\01\00\00\00"
  "\03\02\01\05" "\0a\04\01" "\02\00\0b")
;;= all: invalid
;;=   UnknownIndex { space: Type, index: 5, len: 0 }
;;=   unknown type 5: there are 0 (at offset 0xb, while reading the function section)
