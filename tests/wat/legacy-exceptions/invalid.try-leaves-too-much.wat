(module
  (func
    try
      i32.const 0
    catch_all
    end))
;;= all: invalid
;;=   ValuesRemain { extra: 1 }
;;=   type mismatch: 1 values remain on the stack at the end of the block (at offset 0x1b, function 0, while reading a function body)
