(module
  (type $f (func (result anyref)))
  (func (param (ref $f)) (result eqref)
    (return_call_ref $f (local.get 0))))
;;= all: invalid
;;=   TailCallResults
;;=   type mismatch: tail call of a function whose results differ from the caller's (at offset 0x20, function 0, while reading a function body)
