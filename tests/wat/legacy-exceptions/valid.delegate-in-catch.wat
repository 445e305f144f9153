;;! without = ["legacy-exceptions"]
(module
  (tag $e)
  (func
    try
    catch $e
      try
        throw $e
      delegate 0
    catch_all
      try
      delegate 1
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x1c, function 0, while reading a function body)
