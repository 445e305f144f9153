(module
  (func (result exnref)
    (ref.null noexn)))
;;= all: valid
