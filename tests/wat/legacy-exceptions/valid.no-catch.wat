;;! without = ["legacy-exceptions"]
;; A `try` that catches nothing.
(module
  (func (result i32)
    try (result i32)
      i32.const 0
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x18, function 0, while reading a function body)
