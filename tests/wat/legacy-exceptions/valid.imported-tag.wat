;;! without = ["legacy-exceptions"]
(module
  (import "m" "e" (tag $e (param f32)))
  (func (result f32)
    try (result f32)
      f32.const 0
    catch $e
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x26, function 0, while reading a function body)
