(module binary "\00asm" "\01\00\00\00"
  "\0e\00")
;;= all: malformed
;;=   UnknownSection { id: 14 }
;;=   malformed section id 14 (at offset 0x8, while reading a section's header)
