(module
  (func
    try
    catch 0
    end))
;;= all: invalid
;;=   UnknownIndex { space: Tag, index: 0, len: 0 }
;;=   unknown tag 0: there are 0 (at offset 0x19, function 0, while reading a function body)
