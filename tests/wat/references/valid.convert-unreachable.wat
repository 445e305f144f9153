;; What unreachable code takes from nothing has no null.
(module
  (func (result (ref any))
    (unreachable) (any.convert_extern)))
;;= all: valid
