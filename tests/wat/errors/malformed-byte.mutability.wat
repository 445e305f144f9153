(module binary "\00asm" "\01\00\00\00"
  "\06\06\01" "\7f\02" "\41\00\0b")
;;= all: malformed
;;=   MalformedByte { what: "mutability", byte: 2 }
;;=   malformed mutability 0x02 (at offset 0xc, while reading the global section)
