;;! without = ["legacy-exceptions"]
;; Two catches of one tag: the second one is never reached, and valid.
(module
  (tag $e)
  (func
    try
    catch $e
    catch $e
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x1c, function 0, while reading a function body)
