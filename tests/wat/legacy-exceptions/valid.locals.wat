;;! without = ["legacy-exceptions"]
;; What was set before the `try` is set in all its parts.
(module
  (tag $e)
  (func (param (ref func)) (local (ref func))
    local.get 0
    local.set 1
    try
      local.get 1
      drop
    catch $e
      local.get 1
      drop
    end
    local.get 1
    drop))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x28, function 0, while reading a function body)
