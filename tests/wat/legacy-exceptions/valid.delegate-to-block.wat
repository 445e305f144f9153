;;! without = ["legacy-exceptions"]
;; A label that is no `try` is allowed: the exception goes on from there.
(module
  (func
    block
      loop
        try
        delegate 0
      end
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x1b, function 0, while reading a function body)
