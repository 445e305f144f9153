(module binary "\00asm" "\02\00\00\00")
;;= all: malformed
;;=   UnknownVersion { version: 2 }
;;=   unknown binary version: 2 (at offset 0x4, while reading the preamble)
