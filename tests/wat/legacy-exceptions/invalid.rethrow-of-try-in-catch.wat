;; Label 0 is that of the inner `try`'s body.
(module
  (func
    try
    catch_all
      try
        rethrow 0
      catch_all
      end
    end))
;;= all: invalid
;;=   RethrowOutsideCatch
;;=   `rethrow` outside of a catch (at offset 0x1c, function 0, while reading a function body)
