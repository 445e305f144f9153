(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\07\01" "\05\00" "\fc\ff\01" "\0b")
;;= all: malformed
;;=   IllegalOpcode { code: 16515327 }
;;=   illegal opcode 0xfc00ff (at offset 0x17, function 0, while reading a function body)
