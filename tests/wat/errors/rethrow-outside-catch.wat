(module (func try rethrow 0 catch_all end))
;;= all: invalid
;;=   RethrowOutsideCatch
;;=   `rethrow` outside of a catch (at offset 0x19, function 0, while reading a function body)
