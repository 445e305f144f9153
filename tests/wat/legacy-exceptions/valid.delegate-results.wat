;;! without = ["legacy-exceptions"]
(module
  (func (param i32) (result i64)
    local.get 0
    try (param i32) (result i64)
      i64.extend_i32_u
    delegate 0))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x1b, function 0, while reading a function body)
