;; The target is no subtype of the source.
(module (func (param i31ref) (result structref) (br_on_cast 0 i31ref structref (local.get 0)) (unreachable)))
;;= all: invalid
;;=   CastMismatch { expected: i31ref, found: structref }
;;=   type mismatch: structref does not match the cast's source type i31ref (at offset 0x1b, function 0, while reading a function body)
