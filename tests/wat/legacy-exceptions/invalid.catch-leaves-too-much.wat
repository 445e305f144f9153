(module
  (tag $e (param i32))
  (func
    try
    catch $e
    end))
;;= all: invalid
;;=   ValuesRemain { extra: 1 }
;;=   type mismatch: 1 values remain on the stack at the end of the block (at offset 0x24, function 0, while reading a function body)
