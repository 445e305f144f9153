(module
  (func
    try
    catch_all
    end
    rethrow 0))
;;= all: invalid
;;=   RethrowOutsideCatch
;;=   `rethrow` outside of a catch (at offset 0x1b, function 0, while reading a function body)
