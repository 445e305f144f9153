;;! without = ["legacy-exceptions"]
;; To the `try` around, past a block.
(module
  (tag $e)
  (func
    try
      block
        try
          throw $e
        delegate 1
      end
    catch $e
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x1c, function 0, while reading a function body)
