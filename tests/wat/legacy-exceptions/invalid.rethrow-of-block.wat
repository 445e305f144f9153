(module
  (func
    try
    catch_all
      block
        rethrow 0
      end
    end))
;;= all: invalid
;;=   RethrowOutsideCatch
;;=   `rethrow` outside of a catch (at offset 0x1c, function 0, while reading a function body)
