(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\05\01" "\03\00" "\16" "\0b")
;;= all: malformed
;;=   IllegalOpcode { code: 22 }
;;=   illegal opcode 0x16 (at offset 0x17, function 0, while reading a function body)
