;; A structure type that threads share.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01" "\65\5f\00")
;;= all: unsupported
;;=   Unsupported { what: "a shared composite type (shared-everything threads)" }
;;=   a shared composite type (shared-everything threads) is not supported (at offset 0xb, while reading the type section)
