(module
  (func
    try
      throw 1
    catch_all
    end))
;;= all: invalid
;;=   UnknownIndex { space: Tag, index: 1, len: 0 }
;;=   unknown tag 1: there are 0 (at offset 0x19, function 0, while reading a function body)
