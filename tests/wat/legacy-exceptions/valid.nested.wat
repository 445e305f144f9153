;;! without = ["legacy-exceptions"]
(module
  (tag $a)
  (tag $b (param i32))
  (func (result i32)
    try (result i32)
      try (result i32)
        try (result i32)
          i32.const 0
        catch $a
          try (result i32)
            i32.const 1
          catch $b
          end
        end
      catch $b
      end
    catch_all
      i32.const 2
    end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x26, function 0, while reading a function body)
