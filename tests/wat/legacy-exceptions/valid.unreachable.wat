;;! without = ["legacy-exceptions"]
;; Each part begins reachable, whatever ended the one before.
(module
  (tag $e (param i32))
  (func (result i32)
    unreachable
    try (param i64) (result i32)
      unreachable
      i32.add
    catch $e
      unreachable
    catch_all
      unreachable
      select
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x27, function 0, while reading a function body)
