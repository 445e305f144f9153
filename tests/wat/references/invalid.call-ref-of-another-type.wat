(module
  (type $f (func))
  (type $g (func (param i32)))
  (func (param (ref $f))
    (call_ref $g (local.get 0))))
;;= all: invalid
;;=   TypeMismatch { expected: (ref null 1), found: Found(Some((ref 0))) }
;;=   type mismatch: expected (ref null 1), found (ref 0) (at offset 0x22, function 0, while reading a function body)
