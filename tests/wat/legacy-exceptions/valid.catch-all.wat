;;! without = ["legacy-exceptions"]
(module
  (tag $e (param i32))
  (func (result i32)
    try (result i32)
      i32.const 0
    catch $e
    catch_all
      i32.const 1
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x21, function 0, while reading a function body)
