;;! without = ["legacy-exceptions"]
;; The exception of an outer catch, from within blocks and another `try`.
(module
  (tag $e)
  (func (param i32)
    try
    catch_all
      block
        local.get 0
        if
          try
            rethrow 3
          catch $e
            rethrow 0
          catch_all
            rethrow 3
          end
        end
      end
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x20, function 0, while reading a function body)
