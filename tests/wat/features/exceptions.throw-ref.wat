;;! without = ["exceptions"]
;; In code that cannot be reached.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\06\01" "\04\00" "\00\0a" "\0b")
;;= all: valid
;;= all but exceptions: unsupported
;;=   FeatureDisabled(Exceptions)
;;=   feature `exceptions` is switched off (at offset 0x18, function 0, while reading a function body)
