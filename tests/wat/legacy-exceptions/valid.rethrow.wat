;;! without = ["legacy-exceptions"]
;; Behind it nothing can be reached, and everything is on the stack.
(module
  (tag $e (param i32))
  (func (result f64)
    try (result f64)
      f64.const 0
    catch $e
      rethrow 0
      i32.add
      drop
    catch_all
      rethrow 0
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x21, function 0, while reading a function body)
