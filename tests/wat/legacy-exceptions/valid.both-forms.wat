;;! without = ["legacy-exceptions"]
;; The two forms of exceptions in one function.
(module
  (tag $e)
  (func
    block $h
      try_table (catch $e $h)
        try
          throw $e
        catch $e
          rethrow 0
        catch_all
          block (result exnref)
            try_table (catch_all_ref 0)
            end
            unreachable
          end
          throw_ref
        end
      end
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x24, function 0, while reading a function body)
