;; The exception is there in the catch only.
(module
  (tag $e)
  (func
    try
      rethrow 0
    catch $e
    end))
;;= all: invalid
;;=   RethrowOutsideCatch
;;=   `rethrow` outside of a catch (at offset 0x1e, function 0, while reading a function body)
