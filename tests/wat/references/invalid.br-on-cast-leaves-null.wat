;; A target without null leaves a source with.
(module
  (func (param anyref) (result (ref any))
    (block (result (ref i31)) (return (br_on_cast 0 anyref (ref i31) (local.get 0)))) (drop) (unreachable)))
;;= all: invalid
;;=   TypeMismatch { expected: (ref any), found: Found(Some(anyref)) }
;;=   type mismatch: expected (ref any), found anyref (at offset 0x25, function 0, while reading a function body)
