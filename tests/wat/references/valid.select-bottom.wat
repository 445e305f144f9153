(module
  (func (result funcref)
    (unreachable) (select (result funcref))))
;;= all: valid
