;;! without = ["exceptions"]
;; Tags and `throw` belong to both forms.
(module
  (tag $e)
  (func
    try
      throw $e
    catch $e
    end))
;;= all: valid
;;= all but exceptions: valid
;;=   wasmparser differs: LegacyTags
