;; The version and layer of a component.
(module binary "\00asm" "\0d\00\01\00")
;;= all: malformed
;;=   NotAModule(Component)
;;=   magic header not detected: the file is a WebAssembly component, not a core module; components are not supported (at offset 0x4, while reading the preamble)
