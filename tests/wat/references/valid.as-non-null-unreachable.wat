;; Of no hierarchy in particular.
(module
  (func (result (ref func))
    (unreachable) (ref.as_non_null)))
;;= all: valid
