(module binary "")
;;= all: malformed
;;=   NotAModule(Empty)
;;=   magic header not detected: the file is empty (at offset 0x0, while reading the preamble)
