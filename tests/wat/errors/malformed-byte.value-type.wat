(module binary "\00asm" "\01\00\00\00"
  "\01\05\01\60\01\79\00")
;;= all: malformed
;;=   MalformedByte { what: "value type", byte: 121 }
;;=   malformed value type 0x79 (at offset 0xd, while reading the type section)
