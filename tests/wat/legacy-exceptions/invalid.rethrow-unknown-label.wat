(module
  (func
    try
    catch_all
      rethrow 2
    end))
;;= all: invalid
;;=   UnknownIndex { space: Label, index: 2, len: 2 }
;;=   unknown label 2: there are 2 (at offset 0x1a, function 0, while reading a function body)
