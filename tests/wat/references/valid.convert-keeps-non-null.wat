;; The conversions keep whether null is possible.
(module
  (func (param (ref extern)) (result (ref any))
    (any.convert_extern (local.get 0))))
;;= all: valid
