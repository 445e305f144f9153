;;! without = ["legacy-exceptions"]
;; A tag whose type is a recursive group's member.
(module
  (rec (type $f (func (param i32))) (type (struct)))
  (tag $e (type $f))
  (func (result i32)
    try (result i32)
      i32.const 0
    catch $e
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x25, function 0, while reading a function body)
