(module binary "\7fELF" "\02\01\01\00")
;;= all: malformed
;;=   NotAModule(Elf)
;;=   magic header not detected: the file is an ELF binary, not WebAssembly (at offset 0x0, while reading the preamble)
