;;! without = ["legacy-exceptions"]
;; What the exception carries is on the stack of the catch.
(module
  (tag $none)
  (tag $pair (param i32 i64))
  (func (result i64)
    try (result i64)
      i32.const 1
      i64.const 2
      throw $pair
    catch $pair
      drop
      i64.extend_i32_s
    catch $none
      i64.const 0
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x27, function 0, while reading a function body)
