;;! without = ["legacy-exceptions"]
;; A body that is nothing but `try delegate`: the `delegate` closes the block, the `end` the function.
(module binary "\00asm" "\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0d\03\01\00\00"
  "\0a\08\01" "\06\00" "\06\40" "\18\00" "\0b")
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x1c, function 0, while reading a function body)
