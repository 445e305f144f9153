(module
  (func
    rethrow 0))
;;= all: invalid
;;=   RethrowOutsideCatch
;;=   `rethrow` outside of a catch (at offset 0x17, function 0, while reading a function body)
