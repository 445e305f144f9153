;;! without = ["legacy-exceptions"]
;; To the label of a `try`, out of its body and its catches.
(module
  (tag $e)
  (func (result i32)
    try (result i32)
      i32.const 0
      br 0
    catch $e
      i32.const 1
      br 0
    catch_all
      i32.const 2
      return
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x20, function 0, while reading a function body)
