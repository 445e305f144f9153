;; The own label of the `try` does not count: there is the function's only.
(module
  (func
    try
    delegate 1))
;;= all: invalid
;;=   UnknownIndex { space: Label, index: 1, len: 1 }
;;=   unknown label 1: there are 1 (at offset 0x19, function 0, while reading a function body)
