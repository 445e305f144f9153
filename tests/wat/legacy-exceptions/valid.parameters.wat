;;! without = ["legacy-exceptions"]
(module
  (tag $e (param i64))
  (func (param i32) (result i64)
    local.get 0
    try (param i32) (result i64)
      i64.extend_i32_u
    catch $e
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x24, function 0, while reading a function body)
