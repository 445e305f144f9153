(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\0d\03\01" "\01\00")
;;= all: malformed
;;=   MalformedByte { what: "tag attribute", byte: 1 }
;;=   malformed tag attribute 0x01 (at offset 0x11, while reading the tag section)
