;;! without = ["legacy-exceptions"]
;; The label of the function stands for its caller.
(module
  (tag $e)
  (func
    try
      throw $e
    delegate 0))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x1c, function 0, while reading a function body)
